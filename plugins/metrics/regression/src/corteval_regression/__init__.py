"""Cross-validated regression metrics: pls and ridge."""

__version__ = "0.1.0"
