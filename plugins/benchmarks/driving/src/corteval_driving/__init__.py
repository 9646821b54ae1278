"""Sentences that drive or suppress a region, as an encoding model predicts it (Tuckute 2024)."""

__version__ = "0.1.0"
