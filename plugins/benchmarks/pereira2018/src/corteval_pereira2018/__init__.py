"""Benchmarks on human fMRI responses to sentences (Pereira et al. 2018)."""

__version__ = "0.1.0"
