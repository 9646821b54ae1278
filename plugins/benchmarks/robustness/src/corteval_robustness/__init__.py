"""Recognition under seeded corruptions, on any labelled set of images."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_robustness.benchmark import robustness_of
    from corteval_robustness.copies import corrupted
    from corteval_robustness.corruptions import CORRUPTIONS, corrupt

__version__ = "0.1.0"

#: Where each name lies; imported when it is used, since cards are loaded with the package.
_EXPORTS = {
    "robustness_of": "benchmark",
    "corrupted": "copies",
    "corrupt": "corruptions",
    "CORRUPTIONS": "corruptions",
}

__all__ = ["robustness_of", "corrupted", "corrupt", "CORRUPTIONS"]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
