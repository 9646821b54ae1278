"""Control subjects: pixels, Gabor filters, colour, a random network and projections."""

__version__ = "0.1.0"
