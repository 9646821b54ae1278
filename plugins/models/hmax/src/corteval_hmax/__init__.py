"""HMAX: simple and complex cells in two stages, matched to patches of images."""

__version__ = "0.1.0"
