"""Benchmarks on macaque V4 and IT responses to rendered objects (Majaj, Hong et al. 2015)."""

__version__ = "0.1.0"
