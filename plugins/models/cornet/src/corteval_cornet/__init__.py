"""CORnet: shallow recurrent networks with one module for each of V1, V2, V4 and IT."""

__version__ = "0.1.0"
