"""Benchmarks on objects of texture and of dots (BMD 2024)."""

__version__ = "0.1.0"
