"""Benchmarks on following a curve among others (Lonnqvist et al. 2024)."""

__version__ = "0.1.0"
