"""Benchmarks on objects of few phosphenes or segments (Scialom et al. 2024)."""

__version__ = "0.1.0"
