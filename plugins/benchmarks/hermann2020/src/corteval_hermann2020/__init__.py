"""Benchmarks on shape and texture in conflict (Hermann, Chen & Kornblith 2020)."""

__version__ = "0.1.0"
