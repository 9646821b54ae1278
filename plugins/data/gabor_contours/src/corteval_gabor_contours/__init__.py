"""Contours of Gabor elements among distractors, made from a seed."""

__version__ = "0.1.0"
