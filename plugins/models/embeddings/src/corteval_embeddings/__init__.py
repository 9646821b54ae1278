"""Word embeddings, and what a text tells without its meaning: length, position, frequency."""

__version__ = "0.1.0"
