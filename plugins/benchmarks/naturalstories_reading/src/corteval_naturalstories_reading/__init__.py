"""Benchmarks of reading times of ten stories (Natural Stories, Futrell et al. 2021)."""

__version__ = "0.1.0"
