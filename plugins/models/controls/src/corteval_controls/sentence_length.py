"""Sentence length: how much there is to read, the least a model of language must beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import final

import numpy as np

from corteval.model import ANY_TARGET, LayerCommitment
from corteval.stimuli import StimulusSet

LAYER = "length"
_UNITS = ("characters", "words")


@final
class Length:
    """Characters and words of each text; what came before it does not matter."""

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """One unit a count."""
        return {
            "neuroid_id": np.array([f"{layer}-{name}" for name in _UNITS]),
            "layer": np.full(len(_UNITS), layer),
            "channel": np.arange(len(_UNITS)),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block."""
        texts = [str(text).strip() for text in stimuli.table["text"]]
        counts = np.array([(len(text), len(text.split())) for text in texts], float)
        yield {layer: counts[:, units] for layer, units in wanted.items()}


def build() -> LayerCommitment:
    """The subject `sentence-length`; every recording target has the same two units."""
    return LayerCommitment(
        identifier="sentence-length",
        extractor=Length(),
        layers={ANY_TARGET: LAYER},
        modalities=frozenset({"text"}),
    )
