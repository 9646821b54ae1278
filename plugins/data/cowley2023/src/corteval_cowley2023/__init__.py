"""Macaque V4 responses to images (Cowley et al. 2023)."""

__version__ = "0.1.0"
