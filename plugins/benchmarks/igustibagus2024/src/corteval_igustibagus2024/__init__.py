"""Benchmarks on macaque IT and object read-out over image domains (I Gusti Bagus et al.)."""

__version__ = "0.1.0"
