"""Benchmarks on human ECoG responses to sentences, word by word (Fedorenko et al. 2016)."""

__version__ = "0.1.0"
