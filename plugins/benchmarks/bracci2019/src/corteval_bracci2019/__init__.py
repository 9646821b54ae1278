"""Benchmark on human fMRI of animals, lookalikes and objects (Bracci et al. 2019)."""

__version__ = "0.1.0"
