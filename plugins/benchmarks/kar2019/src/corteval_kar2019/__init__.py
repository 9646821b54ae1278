"""Benchmarks on when macaque IT solves images (Kar et al. 2019)."""

__version__ = "0.1.0"
