"""Which gratings measure which property, and how: rates of all conditions to one value a unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from corteval_marques2020_v1 import tuning
from corteval_marques2020_v1.rates import RESPONSE_THRESHOLD


@dataclass(frozen=True, kw_only=True)
class Property:
    """A property of single units.

    Args:
        stimulus_set: gratings that measure it.
        axes: columns of the grating table, slow to fast; phase comes last.
        measure: (rates by `axes` and unit, spontaneous rate, values of each axis) -> values; NaN
            for units that do not respond or in which the property is undefined.
    """

    stimulus_set: str
    axes: tuple[str, ...]
    measure: Callable[[np.ndarray, np.ndarray, dict[str, np.ndarray]], np.ndarray]


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


def _preferred_orientation(
    rates: np.ndarray, spontaneous: np.ndarray, values: dict[str, np.ndarray]
) -> np.ndarray:
    mean, _ = tuning.modulation(rates, axis=3)  # (cycles, frequency, orientation, unit)
    best = mean.reshape(-1, mean.shape[-1])
    cycles, frequency, _ = np.unravel_index(np.argmax(best, axis=0), mean.shape[:3])
    curves = mean[cycles, frequency, :, np.arange(mean.shape[-1])].T
    responds = best.max(axis=0) > spontaneous + RESPONSE_THRESHOLD
    return np.where(responds, tuning.preferred_orientation(curves), np.nan)


def _peak_spatial_frequency(
    rates: np.ndarray, spontaneous: np.ndarray, values: dict[str, np.ndarray]
) -> np.ndarray:
    mean, first = tuning.modulation(rates, axis=3)  # (radius, frequency, orientation, unit)
    parts = np.stack([mean - spontaneous, first], axis=3)  # simple units show in the harmonic
    best = parts.reshape(-1, parts.shape[-1])
    radius, _, orientation, part = np.unravel_index(np.argmax(best, axis=0), parts.shape[:4])
    curves = parts[radius, :, orientation, part, np.arange(parts.shape[-1])].T
    peak = tuning.peak_spatial_frequency(curves, values["spatial_frequency"])
    return np.where(best.max(axis=0) > RESPONSE_THRESHOLD, peak, np.nan)


PROPERTIES = {
    "preferred_orientation": Property(
        stimulus_set="orientation",
        axes=("cycles", "spatial_frequency", "orientation", "phase"),
        measure=_preferred_orientation,
    ),
    "peak_spatial_frequency": Property(
        stimulus_set="spatial_frequency",
        axes=("radius", "spatial_frequency", "orientation", "phase"),
        measure=_peak_spatial_frequency,
    ),
}
