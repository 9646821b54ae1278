"""Benchmarks on which of two objects people see in an image (Rajalingham et al. 2018)."""

__version__ = "0.1.0"
