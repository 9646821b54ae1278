"""Benchmarks on human fMRI responses to stories (Blank et al. 2014)."""

__version__ = "0.1.0"
