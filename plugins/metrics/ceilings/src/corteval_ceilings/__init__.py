"""Ceilings: how well the data allow any model to do."""

__version__ = "0.1.0"
