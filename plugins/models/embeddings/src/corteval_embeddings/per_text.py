"""Subjects whose few units are computed text by text or passage by passage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from corteval.model import ANY_TARGET, LayerCommitment
from corteval.stimuli import StimulusSet

#: Responses (presentation, unit) to stimuli, in their order.
Compute = Callable[[StimulusSet], np.ndarray]


@final
@dataclass(frozen=True, kw_only=True)
class Features:
    """An extractor of named units.

    Args:
        names: of the units.
        compute: all of them.
    """

    names: Sequence[str]
    compute: Compute

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Ids, layer and channel."""
        return {
            "neuroid_id": np.array([f"{layer}-{name}" for name in self.names]),
            "layer": np.full(len(self.names), layer),
            "channel": np.arange(len(self.names)),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block."""
        if len(stimuli):
            values = self.compute(stimuli)
            yield {layer: values[:, units] for layer, units in wanted.items()}


def numbered(count: int) -> list[str]:
    """Names of `count` units that differ in nothing but their number.

    >>> numbered(2)
    ['0000', '0001']
    """
    width = max(4, len(str(count - 1)))
    return [f"{number:0{width}d}" for number in range(count)]


def subject(
    identifier: str,
    layer: str,
    names: Sequence[str],
    compute: Compute,
    *,
    notes: tuple[str, ...] = (),
) -> LayerCommitment:
    """A subject that answers every recording target with the units `names` of one layer."""
    return LayerCommitment(
        identifier=identifier,
        extractor=Features(names=names, compute=compute),
        layers={ANY_TARGET: layer},
        modalities=frozenset({"text"}),
        notes=notes,
    )
