"""Cross-validated regression from model units to recorded neuroids.

Fits for plain arrays are importable from here: ``from corteval_regression import pls_cv``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_regression.banded import banded_ridge_cv, pooled_r2, variance_partition
    from corteval_regression.features import Features
    from corteval_regression.neighbours import neuron_to_neuron_cv
    from corteval_regression.penalties import LANGUAGE_ALPHAS, VISION_ALPHAS, ridgecv_cv
    from corteval_regression.pls import pls_cv
    from corteval_regression.ridge import linear_cv, ridge_cv

__version__ = "0.1.0"

_MODULES = {
    "Features": "features",
    "pls_cv": "pls",
    "linear_cv": "ridge",
    "ridge_cv": "ridge",
    "ridgecv_cv": "penalties",
    "LANGUAGE_ALPHAS": "penalties",
    "VISION_ALPHAS": "penalties",
    "neuron_to_neuron_cv": "neighbours",
    "banded_ridge_cv": "banded",
    "variance_partition": "banded",
    "pooled_r2": "banded",
}

__all__ = [
    "Features",
    "pls_cv",
    "linear_cv",
    "ridge_cv",
    "ridgecv_cv",
    "neuron_to_neuron_cv",
    "banded_ridge_cv",
    "variance_partition",
    "pooled_r2",
    "LANGUAGE_ALPHAS",
    "VISION_ALPHAS",
]


def __getattr__(name: str) -> Any:
    """Import on first use, so that listing plugins stays light."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
