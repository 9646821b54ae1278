"""Benchmark on macaque IT responses to letter strings (Rajalingham et al. 2020)."""

__version__ = "0.1.0"
