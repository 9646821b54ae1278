"""The thousand classes of ILSVRC 2012 as WordNet synsets, in the order of logits."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def synsets() -> tuple[str, ...]:
    """All of them; this order is the alphabetical one."""
    text = files("corteval_imagenet").joinpath("synsets.txt").read_text(encoding="ascii")
    return tuple(text.split())
