"""Compact networks distilled from models of macaque V4 (Cowley et al. 2023)."""

__version__ = "0.1.0"
