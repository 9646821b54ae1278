"""Sentences and strings of non-words that localise language areas (Fedorenko et al. 2010)."""

__version__ = "0.1.0"
