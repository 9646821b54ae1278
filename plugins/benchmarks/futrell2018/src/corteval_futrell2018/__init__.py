"""Benchmarks on human reading times of stories (Futrell et al. 2018)."""

__version__ = "0.1.0"
