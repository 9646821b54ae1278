"""Benchmarks on how much of a representation shape and texture occupy (Islam et al. 2021)."""

__version__ = "0.1.0"
