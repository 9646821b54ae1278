"""Labelled images of simple shapes, made from a seed."""

__version__ = "0.1.0"
