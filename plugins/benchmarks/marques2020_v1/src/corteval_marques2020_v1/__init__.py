"""Benchmarks on V1 single-neuron properties of Marques et al. 2020."""

__version__ = "0.1.0"
