"""Random projection: as many features as another model has, and no knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.screen import BACKGROUND, luminance
from corteval.stimuli import StimulusSet
from corteval_controls.grid import area_average
from corteval_controls.readouts import fitted_to

LAYER = "projection"
_CELLS = 64
_BLOCK = 256
_MOST = 1_000_000


@final
class RandomProjection:
    """Features W x of the luminance x on a 64 x 64 grid, W drawn from N(0, 1/4096).

    The weights of a unit depend on the seed and its number only, so the first 1,000 features of a
    projection to 4,096 are the projection to 1,000.
    """

    def __init__(self, features: int, seed: int, visual_degrees: float) -> None:
        self.features = features
        self.seed = seed
        self.visual_degrees = visual_degrees

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Units have no place in the visual field."""
        number = np.arange(self.features)
        return {
            "neuroid_id": np.array([f"{layer}-{n:06d}" for n in number]),
            "layer": np.full(self.features, layer),
            "channel": number,
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block a stimulus."""
        weights = {layer: self._weights(units) for layer, units in wanted.items()}
        for stimulus_id in stimuli.stimulus_ids:
            image = luminance(stimuli, stimulus_id, self.visual_degrees) - BACKGROUND / 255
            x = area_average(image, _CELLS).astype(np.float32).ravel()
            yield {layer: (w @ x)[None] for layer, w in weights.items()}

    def _weights(self, units: np.ndarray) -> np.ndarray:
        weights = np.empty((len(units), _CELLS**2), np.float32)
        for block in np.unique(units // _BLOCK):
            drawn = _draw(self.seed, int(block))
            rows = units // _BLOCK == block
            weights[rows] = drawn[units[rows] % _BLOCK]
        return weights


@lru_cache(maxsize=4)
def _draw(seed: int, block: int) -> np.ndarray:
    generator = np.random.default_rng([seed, block])
    return generator.standard_normal((_BLOCK, _CELLS**2), np.float32) / np.float32(_CELLS)


def build(member: str, visual_degrees: float = 8.0) -> LayerCommitment:
    """The subject ``random-projection/<member>``.

    Args:
        member: number of features, and a seed other than 0 as ``-seedN``: ``"4096-seed3"``.
        visual_degrees: field of view.
    """
    parsed = re.fullmatch(r"(\d{1,7})(?:-seed(\d{1,9}))?", member)
    if parsed is None or not 1 <= int(parsed[1]) <= _MOST:
        raise OptionError(
            f"random-projection/{member}: name a number of features from 1 to {_MOST:,} and, if "
            "you like, a seed, as in random-projection/1000-seed3."
        )
    return LayerCommitment(
        identifier=f"random-projection/{member}",
        extractor=RandomProjection(int(parsed[1]), int(parsed[2] or 0), visual_degrees),
        layers={ANY_TARGET: LAYER},
        visual_degrees=visual_degrees,
        readouts=fitted_to(LAYER),
    )
