"""Similarity of distributions of single-unit properties."""

__version__ = "0.1.0"
