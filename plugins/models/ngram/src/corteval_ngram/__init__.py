"""An n-gram language model, trained in seconds on any text at hand."""

__version__ = "0.1.0"
