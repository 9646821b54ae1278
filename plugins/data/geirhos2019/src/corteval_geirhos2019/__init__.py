"""Cue-conflict, edge and silhouette images with decisions of ten people (Geirhos et al. 2019)."""

__version__ = "0.1.0"
