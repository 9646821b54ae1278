"""Macaque V4 responses to images (Cowley et al. 2023): session 210325."""

__version__ = "0.1.0"
