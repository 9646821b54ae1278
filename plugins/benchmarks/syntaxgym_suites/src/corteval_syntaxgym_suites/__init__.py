"""Benchmarks on test suites of syntax (SyntaxGym, Hu et al. 2020)."""

__version__ = "0.1.0"
