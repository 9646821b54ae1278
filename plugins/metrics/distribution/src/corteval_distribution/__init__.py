"""Similarity of distributions of single-unit properties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_distribution.factors import factor_dimensionality
    from corteval_distribution.ks import (
        KSSimilarity,
        histogram,
        ks_sample_similarity,
        ks_similarity,
    )

__version__ = "0.1.0"
__all__ = [
    "KSSimilarity",
    "factor_dimensionality",
    "histogram",
    "ks_sample_similarity",
    "ks_similarity",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = "factors" if name == "factor_dimensionality" else "ks"
    return getattr(import_module(f"{__name__}.{module}"), name)
