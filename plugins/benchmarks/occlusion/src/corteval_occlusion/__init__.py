"""Recognition behind bubbles, and recurrent read-outs that complete patterns."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corteval_occlusion.benchmark import occlusion_of
    from corteval_occlusion.bubbles import bubble_mask, seen_through
    from corteval_occlusion.covers import occluded
    from corteval_occlusion.hopfield import newhop
    from corteval_occlusion.recurrent import recurrent_states

__version__ = "0.1.0"

#: Where each name lies; imported when it is used, since cards are loaded with the package.
_EXPORTS = {
    "occlusion_of": "benchmark",
    "occluded": "covers",
    "bubble_mask": "bubbles",
    "seen_through": "bubbles",
    "newhop": "hopfield",
    "recurrent_states": "recurrent",
}

__all__ = [
    "occlusion_of",
    "occluded",
    "bubble_mask",
    "seen_through",
    "newhop",
    "recurrent_states",
]


def __getattr__(name: str) -> Any:
    if name in _EXPORTS:
        return getattr(import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
