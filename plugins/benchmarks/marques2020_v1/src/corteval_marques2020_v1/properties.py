"""Which gratings measure which property, and how: responses to all conditions to a value a unit.

Source: spec ``marques2020`` section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from corteval_marques2020_v1 import tuning
from corteval_marques2020_v1.rates import RESPONSE_THRESHOLD

#: Columns that span each set of gratings, slow to fast; phase comes last.
AXES: Mapping[str, tuple[str, ...]] = {
    "orientation": ("cycles", "spatial_frequency", "orientation", "phase"),
    "spatial_frequency": ("radius", "spatial_frequency", "orientation", "phase"),
    "size": ("radius", "spatial_frequency", "orientation", "phase"),
}


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Responses of units to all conditions of one set of gratings, in spikes per second.

    Args:
        mean: (condition axes..., unit) rates averaged over phases.
        first_harmonic: of the same shape, modulation by phase.
        spontaneous: (unit) rates to the blank screen.
        values: of each condition axis, in the order of the axes.
    """

    mean: np.ndarray
    first_harmonic: np.ndarray
    spontaneous: np.ndarray
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Property:
    """A property of single units.

    Args:
        stimulus_set: gratings that measure it.
        along: axis of the tuning curve; the others stay at the unit's preferred condition.
        response: ``"mean"`` is the rate averaged over phases. ``"best component"`` is that less
            the spontaneous rate or the first harmonic, whichever reaches the higher peak: simple
            units show in the harmonic.
        measure: (curves (`along`, unit), values along the axis) -> (unit) values, NaN where the
            property is undefined.
    """

    stimulus_set: str
    along: str
    response: Literal["mean", "best component"]
    measure: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def __call__(self, responses: Tuning) -> tuple[np.ndarray, np.ndarray]:
        """Values of the property, and which units respond enough to be counted at all.

        Returns:
            (unit) values, and (unit) whether the unit responds by more than 5 spikes per second
            above its spontaneous rate.
        """
        curves, responsive = preferred_curves(responses, self.along, self.response)
        return self.measure(curves, responses.values[self.along]), responsive


def preferred_curves(
    responses: Tuning, along: str, response: Literal["mean", "best component"]
) -> tuple[np.ndarray, np.ndarray]:
    """Tuning of each unit along one axis, the other axes at the condition it responds to most.

    Of conditions with equal responses the first one counts.

    Returns:
        (`along`, unit) curves, and (unit) whether the unit is responsive.
    """
    if response == "mean":
        parts = responses.mean[..., None, :]
        threshold = responses.spontaneous + RESPONSE_THRESHOLD
    else:
        above = responses.mean - responses.spontaneous
        parts = np.stack([above, responses.first_harmonic], axis=-2)
        threshold = np.full(above.shape[-1], RESPONSE_THRESHOLD)
    flat = parts.reshape(-1, parts.shape[-1])
    best = np.unravel_index(np.argmax(flat, axis=0), parts.shape[:-1])
    axis = list(responses.values).index(along)
    others = [index for position, index in enumerate(best) if position != axis]
    units = np.arange(parts.shape[-1])
    curves = np.moveaxis(parts, axis, 0)[(slice(None), *others, units)]
    return curves, flat.max(axis=0) > threshold


def conditions(
    responses: np.ndarray, table: pd.DataFrame, axes: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Responses (presentation, unit) as an array over `axes` and unit, by columns of `table`.

    Rows may come in any order: conditions are found by their parameters.

    Returns:
        the array, and the sorted values of each axis.
    """
    order = np.lexsort([table[axis].to_numpy() for axis in reversed(axes)])
    values = {axis: np.sort(table[axis].unique()) for axis in axes}
    shape = tuple(len(v) for v in values.values())
    return responses[order].reshape(*shape, responses.shape[1]), values


def _frequency(
    response: Literal["mean", "best component"],
    measure: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> Property:
    return Property(
        stimulus_set="spatial_frequency",
        along="spatial_frequency",
        response=response,
        measure=measure,
    )


def _size(measure: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Property:
    return Property(stimulus_set="size", along="radius", response="best component", measure=measure)


PROPERTIES: Mapping[str, Property] = {
    "preferred_orientation": Property(
        stimulus_set="orientation",
        along="orientation",
        response="mean",
        measure=lambda curves, _: tuning.preferred_orientation(curves),
    ),
    "peak_spatial_frequency": _frequency("best component", tuning.peak_spatial_frequency),
    "spatial_frequency_selective": _frequency("mean", tuning.spatial_frequency_selective),
    "spatial_frequency_bandwidth": _frequency("mean", tuning.spatial_frequency_bandwidth),
    "surround_suppression_index": _size(lambda curves, _: tuning.surround_suppression(curves)),
    "strongly_suppressed": _size(lambda curves, _: tuning.strongly_suppressed(curves)),
    "grating_summation_field": _size(tuning.grating_summation_field),
    "surround_diameter": _size(tuning.surround_diameter),
    "surround_grating_summation_field_ratio": _size(tuning.surround_ratio),
}
