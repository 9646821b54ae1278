"""The thousand classes of ImageNet (ILSVRC 2012), in the order of logits."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from corteval.readouts import Logits


def imagenet_logits(layer: str) -> Logits:
    """Labels from ImageNet logits.

    Choices are WordNet synsets (``"n02123045"``) or words of a class (``"tabby"``); two classes are
    called crane, and two maillot, and such a choice is the mean of both.

    Args:
        layer: whose 1,000 units are the logits.
    """
    synsets, words = _classes()
    choices: dict[str, list[str]] = {}
    for synset, synonyms in zip(synsets, words, strict=True):
        for word in synonyms:
            choices.setdefault(word, []).append(synset)
    return Logits(layer=layer, classes=synsets, choices=choices)


@cache
def _classes() -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Synset and words of every class."""
    text = files("corteval_pytorch").joinpath("imagenet_classes.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    words = (tuple(dict.fromkeys(row["words"].split(", "))) for row in rows)
    return tuple(row["synset"] for row in rows), tuple(words)
