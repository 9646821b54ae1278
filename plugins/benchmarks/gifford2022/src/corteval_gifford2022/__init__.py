"""Benchmarks on human EEG responses to THINGS images (Gifford et al. 2022)."""

__version__ = "0.1.0"
