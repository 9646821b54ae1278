"""SUMA, a shallow untrained network with many attention heads (AlKhamissi et al. 2024)."""

__version__ = "0.1.0"
