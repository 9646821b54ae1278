"""A benchmark on which of three things people find odd (Hebart et al. 2023)."""

__version__ = "0.1.0"
