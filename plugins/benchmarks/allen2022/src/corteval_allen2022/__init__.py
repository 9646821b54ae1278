"""Benchmarks on human fMRI responses of the Natural Scenes Dataset (Allen et al. 2022)."""

__version__ = "0.1.0"
