"""Every model of timm as a subject, and cards of classic ones."""

__version__ = "0.1.0"
