"""Contour integration across discontinuities, with generated displays."""

__version__ = "0.1.0"
