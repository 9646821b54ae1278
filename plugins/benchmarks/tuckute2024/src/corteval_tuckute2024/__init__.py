"""Benchmarks on human fMRI responses to a thousand sentences (Tuckute et al. 2024)."""

__version__ = "0.1.0"
