"""Test suites of syntax and the outcomes of four language models (SyntaxGym, Hu et al. 2020)."""

__version__ = "0.1.0"
