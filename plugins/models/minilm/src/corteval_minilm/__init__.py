"""all-MiniLM-L6-v2 as a subject, with weights that need no download."""

__version__ = "0.1.0"
