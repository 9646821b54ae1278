"""Benchmarks on macaque V4 and IT responses to three sets of images (Sanghavi et al. 2020)."""

__version__ = "0.1.0"
