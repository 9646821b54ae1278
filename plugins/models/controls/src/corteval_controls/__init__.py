"""Control subjects: pixels, a Gabor filter bank, random projections."""

__version__ = "0.1.0"
