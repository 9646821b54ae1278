"""Benchmarks on RDMs of human IT, monkey IT and human judgement (Kriegeskorte et al. 2008)."""

__version__ = "0.1.0"
