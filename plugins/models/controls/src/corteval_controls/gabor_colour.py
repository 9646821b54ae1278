"""Gabor energy and colour: what an image looks like locally, and no knowledge of objects.

On one square grid over the screen, the extractor has for every cell

- the mean energy of complex units of each orientation and spatial frequency (see
  `corteval_controls.gabor`);
- mean m and standard deviation s over the cell's pixels of three colour channels in [-1, 1],

      luminance = (R + G + B)/3,   red-green = R - G,   blue-yellow = B - (R + G)/2,

  of which the last two vanish for every grey.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.screen import place
from corteval.stimuli import StimulusSet
from corteval_controls.gabor import (
    ORIENTATIONS_DEGREES,
    POOLED,
    SPATIAL_FREQUENCIES_CPD,
    GaborBank,
)
from corteval_controls.grid import area_average, centres_degrees
from corteval_controls.readouts import fitted_to

LAYER = "gabor-colour"

#: Rows are the channels luminance, red-green and blue-yellow; columns R, G and B.
_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [1, -1, 0], [-1 / 2, -1 / 2, 1]])
_CHANNELS = ("luminance", "red-green", "blue-yellow")
_STATISTICS = tuple(f"{statistic} {c}" for c in _CHANNELS for statistic in ("mean", "sd"))


@final
@dataclass(frozen=True, kw_only=True)
class GaborColour:
    """The features of the module as one layer: energies first, then colours.

    Args:
        bank: gives the energies; its `blocks` per axis are the cells of the grid.
    """

    bank: GaborBank

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units; y grows downwards, `feature` says what a unit measures."""
        return {"layer": np.full(len(self._units["neuroid_id"]), layer), **self._units}

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block a stimulus; energies are computed only if one of them is wanted."""
        positions = np.unique(np.concatenate(list(wanted.values())))
        energies = self._energies(stimuli, positions[positions < self._energy_count])
        for stimulus_id, energy in zip(stimuli.stimulus_ids, energies, strict=True):
            image = place(
                stimuli.image(stimulus_id), stimuli.visual_degrees, self.bank.visual_degrees
            )
            responses = np.concatenate([energy, colours(image, self.bank.blocks).ravel()])
            yield {layer: responses[None, units] for layer, units in wanted.items()}

    def _energies(self, stimuli: StimulusSet, units: np.ndarray) -> Iterator[np.ndarray]:
        """All energies of each stimulus; those that are not wanted are zero."""
        blocks: Iterator[Mapping[str, np.ndarray]]
        blocks = self.bank(stimuli, {POOLED: units}) if units.size else iter([{}] * len(stimuli))
        for block in blocks:
            energy = np.zeros(self._energy_count, np.float32)
            if block:
                energy[units] = block[POOLED][0]
            yield energy

    @cached_property
    def _energy_count(self) -> int:
        return len(self.bank.units(POOLED)["neuroid_id"])

    @cached_property
    def _units(self) -> Mapping[str, np.ndarray]:
        energy = self.bank.units(POOLED)
        cells = self.bank.blocks
        degrees = centres_degrees(cells, self.bank.visual_degrees)
        kinds, rows, columns = (
            index.ravel() for index in np.indices((len(_STATISTICS), cells, cells))
        )
        tuning = zip(
            energy["orientation_degrees"].tolist(),
            energy["spatial_frequency_cpd"].tolist(),
            strict=True,
        )
        colour = {
            "channel": kinds + energy["channel"].max() + 1,
            "channel_x": columns,
            "channel_y": rows,
            "receptive_field_x_degrees": degrees[columns],
            "receptive_field_y_degrees": degrees[rows],
        }
        names = [f"energy {angle:g} degrees {frequency:.3g} cpd" for angle, frequency in tuning]
        features = np.array(names + [_STATISTICS[kind] for kind in kinds])
        joined = {name: np.concatenate([energy[name], column]) for name, column in colour.items()}
        places = zip(
            joined["channel"].tolist(),
            joined["channel_y"].tolist(),
            joined["channel_x"].tolist(),
            strict=True,
        )
        ids = np.array([f"{LAYER}-{k}-{row}-{column}" for k, row, column in places])
        return {"neuroid_id": ids, "feature": features, **joined}


def colours(image: np.ndarray, cells: int) -> np.ndarray:
    """Mean and standard deviation of the module's colour channels over each cell.

    Args:
        image: uint8, (height, width) or (height, width, 3).
        cells: of the grid, per axis.

    Returns:
        (channel and statistic, cell row, cell column), channel by channel, the mean first.
    """
    rgb = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    found = []
    for weights in _OPPONENT:
        channel = rgb @ (weights / 255)
        mean = area_average(channel, cells)
        variance = area_average(channel**2, cells) - mean**2
        found += [mean, np.sqrt(np.maximum(variance, 0))]  # rounding may leave less than nothing
    return np.stack(found).astype(np.float32)


def build(
    cells: int = 5, bandwidth_octaves: float = 1.5, visual_degrees: float = 8.0
) -> LayerCommitment:
    """The subject `gabor-colour`; every recording target sees the same features.

    Args:
        cells: of the grid, per axis.
        bandwidth_octaves: of the Gabor units.
        visual_degrees: field of view.
    """
    spacing = 0.5
    most = 2 * math.ceil(visual_degrees / 2 / spacing) - 1 if visual_degrees > 0 else 0
    if not 1 <= cells <= most or bandwidth_octaves <= 0:
        raise OptionError(
            f"gabor-colour takes 1 to {most} cells on {visual_degrees:g} degrees and a positive "
            f"bandwidth, not {cells} cells and {bandwidth_octaves:g} octaves."
        )
    bank = GaborBank(
        orientations_degrees=ORIENTATIONS_DEGREES,
        spatial_frequencies_cpd=SPATIAL_FREQUENCIES_CPD,
        bandwidth_octaves=bandwidth_octaves,
        spacing_degrees=spacing,
        visual_degrees=visual_degrees,
        blocks=cells,
    )
    return LayerCommitment(
        identifier="gabor-colour",
        extractor=GaborColour(bank=bank),
        layers={ANY_TARGET: LAYER},
        visual_degrees=visual_degrees,
        readouts=fitted_to(LAYER),
    )
