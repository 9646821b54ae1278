"""Benchmarks on macaque V4 responses of Cowley et al. 2023."""

__version__ = "0.1.0"
