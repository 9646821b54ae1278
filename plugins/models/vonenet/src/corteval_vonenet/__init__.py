"""VOneNet: a V1 of fixed Gabor filters, alone and in front of three networks."""

__version__ = "0.1.0"
