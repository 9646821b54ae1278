"""GPT-2 and DistilGPT2, trained or with random weights."""

__version__ = "0.1.0"
