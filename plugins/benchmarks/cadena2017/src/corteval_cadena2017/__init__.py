"""Benchmark on macaque V1 responses to photographs and textures (Cadena et al. 2019)."""

__version__ = "0.1.0"
