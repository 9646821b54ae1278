"""A subject to try localizers on: how often letters, and pairs of them, occur in a text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import final

import numpy as np

from corteval.model import ANY_TARGET, LayerCommitment
from corteval.stimuli import StimulusSet

LAYERS = ("letters", "pairs")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
_BLOCK = 64


@final
class Letters:
    """Shares of 26 letters, and of the 676 pairs of them, in what of a text is letters."""

    fingerprint = hashlib.sha256(b"corteval_localizer.example.Letters 1").hexdigest()

    def described(self) -> dict[str, str]:
        """Nothing but counting."""
        return {"dtype": "float64"}

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """A unit a letter or pair, in a square of tissue."""
        side = 26 if layer == "pairs" else 1
        names = [a + b for a in _ALPHABET for b in (_ALPHABET if side > 1 else [""])]
        number = np.arange(len(names))
        return {
            "neuroid_id": np.array([f"{layer}-{name}" for name in names]),
            "layer": np.full(len(names), layer),
            "tissue_x_mm": (number % 26).astype(float),
            "tissue_y_mm": (number // 26).astype(float),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """Blocks of 64 texts; what was read before does not matter."""
        texts = [str(text) for text in stimuli.table["text"]]
        for start in range(0, len(texts), _BLOCK):
            part = texts[start : start + _BLOCK]
            yield {layer: _shares(part, layer)[:, units] for layer, units in wanted.items()}


def letters() -> LayerCommitment:
    """The subject; every target is both layers."""
    return LayerCommitment(
        identifier="letters",
        extractor=Letters(),
        layers={ANY_TARGET: LAYERS},
        modalities=frozenset({"text"}),
    )


def _shares(texts: Sequence[str], layer: str) -> np.ndarray:
    size = 26 if layer == "letters" else 676
    found = np.zeros((len(texts), size))
    for row, text in enumerate(texts):
        codes = np.frombuffer(text.casefold().encode("ascii", "ignore"), np.uint8).astype(int) - 97
        codes = codes[(codes >= 0) & (codes < 26)]
        numbers = codes if layer == "letters" else 26 * codes[:-1] + codes[1:]
        found[row] = np.bincount(numbers, minlength=size) / max(1, len(numbers))
    return found
