"""Versioned suites of vision benchmarks."""

__version__ = "0.1.0"
