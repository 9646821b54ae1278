"""92 images: dissimilarities in human and monkey IT and in judgement (Kriegeskorte et al. 2008)."""

__version__ = "0.1.0"
