"""Benchmarks on macaque V1 and V2 responses to textures (Freeman, Ziemba et al. 2013)."""

__version__ = "0.1.0"
