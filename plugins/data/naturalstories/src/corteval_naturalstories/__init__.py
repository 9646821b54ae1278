"""Reading times of ten stories, word by word (Natural Stories, Futrell et al. 2021)."""

__version__ = "0.1.0"
