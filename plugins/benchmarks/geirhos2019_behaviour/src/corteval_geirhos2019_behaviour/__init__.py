"""Benchmarks on people and cue-conflict, edge and silhouette images (Geirhos et al. 2019)."""

__version__ = "0.1.0"
