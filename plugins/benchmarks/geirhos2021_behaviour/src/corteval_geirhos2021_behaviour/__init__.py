"""Benchmarks on what people see in 17 sets of manipulated images (Geirhos et al. 2021)."""

__version__ = "0.1.0"
