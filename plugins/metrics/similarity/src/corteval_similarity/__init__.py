"""Comparison of representations without fitting: RSA, CKA, Procrustes.

The functions here take plain arrays; the metrics of the same names take assemblies.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_similarity.assemblies import rdm_assembly, rdm_pairs
    from corteval_similarity.comparisons import compare_rdms, compare_rows, pair_influence
    from corteval_similarity.crossnobis import crossnobis_rdm, noise_covariance
    from corteval_similarity.kernels import cka
    from corteval_similarity.rdms import correlation_distances, correlation_rdm, euclidean_rdm
    from corteval_similarity.rotation import procrustes

__version__ = "0.1.0"

_MODULES = {
    "correlation_distances": "rdms",
    "correlation_rdm": "rdms",
    "euclidean_rdm": "rdms",
    "crossnobis_rdm": "crossnobis",
    "noise_covariance": "crossnobis",
    "compare_rdms": "comparisons",
    "compare_rows": "comparisons",
    "pair_influence": "comparisons",
    "rdm_assembly": "assemblies",
    "rdm_pairs": "assemblies",
    "cka": "kernels",
    "procrustes": "rotation",
}

__all__ = [
    "correlation_distances",
    "correlation_rdm",
    "euclidean_rdm",
    "crossnobis_rdm",
    "noise_covariance",
    "compare_rdms",
    "compare_rows",
    "pair_influence",
    "rdm_assembly",
    "rdm_pairs",
    "cka",
    "procrustes",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
