"""Benchmarks on human fMRI of occluded objects (Coggan and Tong 2024)."""

__version__ = "0.1.0"
