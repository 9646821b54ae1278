"""Benchmarks on silhouettes whose parts no longer fit together (Baker and Elder 2022)."""

__version__ = "0.1.0"
