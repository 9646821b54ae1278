"""Benchmarks on asymmetries of visual search (Ferguson et al. 2024)."""

__version__ = "0.1.0"
