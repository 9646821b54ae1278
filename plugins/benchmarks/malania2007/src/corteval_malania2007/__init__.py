"""Benchmarks on crowding of a vernier by flankers (Malania et al. 2007)."""

__version__ = "0.1.0"
