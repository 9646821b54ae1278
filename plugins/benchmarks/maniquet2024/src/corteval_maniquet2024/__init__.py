"""Benchmarks on objects in clutter, occluded and scrambled (Maniquet et al. 2024)."""

__version__ = "0.1.0"
