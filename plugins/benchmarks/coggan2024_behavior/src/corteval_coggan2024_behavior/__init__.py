"""A benchmark on how well occluded objects are recognised (Coggan and Tong 2024)."""

__version__ = "0.1.0"
