"""Perplexity and next words of Wikipedia articles (WikiText-2, Merity et al. 2017)."""

__version__ = "0.1.0"
