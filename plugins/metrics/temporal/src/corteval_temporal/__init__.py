"""Object solution times: when a model's responses solve an image, against primates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_temporal.metric import ObjectSolutionTimes
    from corteval_temporal.ranks import spearman
    from corteval_temporal.readout import converged_logits, standardize, trained_logits
    from corteval_temporal.solution import i1, solution_times

__version__ = "0.1.0"
__all__ = [
    "ObjectSolutionTimes",
    "i1",
    "solution_times",
    "trained_logits",
    "converged_logits",
    "standardize",
    "spearman",
]

_MODULES = {
    "ObjectSolutionTimes": "metric",
    "i1": "solution",
    "solution_times": "solution",
    "spearman": "ranks",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module = import_module(f"{__name__}.{_MODULES.get(name, 'readout')}")
    return getattr(module, name)
