"""The thousand classes of ImageNet (ILSVRC 2012) in the order of logits, and their categories."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from corteval.readouts import Logits


def imagenet_logits(layer: str) -> Logits:
    """Labels from ImageNet logits.

    Choices are WordNet synsets (``"n02123045"``), words of a class (``"tabby"``) or categories of
    classes (``"cat"``, see `imagenet_categories`); two classes are called crane, and two maillot,
    and such a choice is the mean of both.

    Args:
        layer: whose 1,000 units are the logits.
    """
    synsets, words = _classes()
    choices: dict[str, list[str]] = {}
    for synset, synonyms in zip(synsets, words, strict=True):
        for word in synonyms:
            choices.setdefault(word, []).append(synset)
    return Logits(layer=layer, classes=synsets, choices={**imagenet_categories(), **choices})


@cache
def imagenet_categories() -> Mapping[str, tuple[str, ...]]:
    """Category -> synsets of the classes it is made of, as published.

    The 16 categories of Geirhos et al. (2018), to which WordNet's hierarchy and the authors assign
    207 of the 1,000 classes, and categories that later benchmarks added: Baker et al. (2022), Zhu
    et al. (2019), Scialom et al. (2024). A category that is the word of a class, such as
    ``"banana"``, is that class and not listed. So is ``"tiger"``, for which Baker et al. also
    take the seven other wild cats.
    """
    found: dict[str, tuple[str, ...]] = {}
    for row in _rows("imagenet_categories.csv"):
        found[row["category"]] = (*found.get(row["category"], ()), row["synset"])
    return MappingProxyType(found)


@cache
def _classes() -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Synset and words of every class."""
    rows = _rows("imagenet_classes.csv")
    words = (tuple(dict.fromkeys(row["words"].split(", "))) for row in rows)
    return tuple(row["synset"] for row in rows), tuple(words)


def _rows(name: str) -> list[dict[str, str]]:
    text = files("corteval_pytorch").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
