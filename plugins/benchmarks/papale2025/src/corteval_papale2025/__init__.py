"""Benchmarks on spiking activity of macaque V1, V4 and IT to THINGS images (Papale et al. 2025)."""

__version__ = "0.1.0"
