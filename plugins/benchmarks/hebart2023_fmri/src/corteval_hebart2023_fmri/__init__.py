"""Benchmarks on human fMRI responses to THINGS images (Hebart et al. 2023)."""

__version__ = "0.1.0"
