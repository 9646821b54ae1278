"""Pixels: mean luminance on a grid, the least a model of vision must beat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.screen import luminance
from corteval.stimuli import StimulusSet
from corteval_controls.grid import area_average, centres_degrees
from corteval_controls.readouts import fitted_to

LAYER = "pixels"


@final
class PixelGrid:
    """Mean of the colour channels over each cell of a grid, in [0, 1]."""

    def __init__(self, cells: int, visual_degrees: float) -> None:
        self.cells = cells
        self.visual_degrees = visual_degrees

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """One unit a cell, row by row; y grows downwards."""
        y, x = (index.ravel() for index in np.indices((self.cells, self.cells)))
        degrees = centres_degrees(self.cells, self.visual_degrees)
        return {
            "neuroid_id": np.array([f"{layer}-{r:02d}-{c:02d}" for r, c in zip(y, x, strict=True)]),
            "layer": np.full(y.size, layer),
            "channel": np.zeros(y.size, np.int64),
            "channel_x": x,
            "channel_y": y,
            "receptive_field_x_degrees": degrees[x],
            "receptive_field_y_degrees": degrees[y],
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block a stimulus."""
        for stimulus_id in stimuli.stimulus_ids:
            image = luminance(stimuli, stimulus_id, self.visual_degrees)
            means = area_average(image, self.cells).ravel()
            yield {layer: means[None, units] for layer, units in wanted.items()}


def build(cells: int = 14, visual_degrees: float = 8.0) -> LayerCommitment:
    """The subject `pixels`; every recording target sees the same grid."""
    if cells < 1:
        raise OptionError(f"pixels needs at least one cell, not {cells}.")
    return LayerCommitment(
        identifier="pixels",
        extractor=PixelGrid(cells, visual_degrees),
        layers={ANY_TARGET: LAYER},
        visual_degrees=visual_degrees,
        readouts=fitted_to(LAYER),
    )
