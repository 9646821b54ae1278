"""Scores of 88 language models, layer by layer, on brains and behaviour (Schrimpf et al. 2021)."""

__version__ = "0.1.0"
