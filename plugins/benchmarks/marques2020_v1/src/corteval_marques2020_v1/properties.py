"""Which gratings measure which property, and how: responses to all conditions to a value a unit.

Source: spec ``marques2020`` section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, final

import numpy as np
import pandas as pd

from corteval_marques2020 import texture_tuning
from corteval_marques2020_v1 import tuning
from corteval_marques2020_v1.rates import RESPONSE_THRESHOLD

#: Columns that span each set of gratings, slow to fast; phase comes last.
AXES: Mapping[str, tuple[str, ...]] = {
    "orientation": ("cycles", "spatial_frequency", "orientation", "phase"),
    "spatial_frequency": ("radius", "spatial_frequency", "orientation", "phase"),
    "size": ("radius", "spatial_frequency", "orientation", "phase"),
    "texture": ("type", "family", "sample"),
}

#: Seconds in which spikes are counted before their variance is stabilised.
_COUNTING_S = 0.1


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


@final
@dataclass(frozen=True, kw_only=True)
class TextureRates:
    """Responses of units to textures and noise, in spikes per second.

    Args:
        rates: (type, family, sample, unit); noise comes before texture.
        spontaneous: (unit) rates to the blank screen.
    """

    rates: np.ndarray
    spontaneous: np.ndarray

    @property
    def texture(self) -> np.ndarray:
        """(family, sample, unit) rates to textures, less the spontaneous rate."""
        return np.asarray(self.rates[1] - self.spontaneous)

    @property
    def noise(self) -> np.ndarray:
        """(family, sample, unit) rates to noise, less the spontaneous rate."""
        return np.asarray(self.rates[0] - self.spontaneous)


Measured = Tuning | TextureRates


class Property(Protocol):
    """A property of single units, measured in responses to one set of stimuli."""

    @property
    def stimulus_set(self) -> str:
        """Name of the set."""

    def __call__(self, responses: Measured) -> tuple[np.ndarray, np.ndarray]:
        """Values of the property, and which units respond enough to be counted at all.

        Args:
            responses: to that set.

        Returns:
            (unit) values, NaN where the property is undefined, and (unit) whether the unit responds
            by more than 5 spikes per second above its spontaneous rate.
        """


@final
@dataclass(frozen=True, kw_only=True)
class CurveProperty:
    """A property of tuning curves through the condition that a unit prefers.

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

    def __call__(self, responses: Measured) -> tuple[np.ndarray, np.ndarray]:
        """See `Property`."""
        assert isinstance(responses, Tuning)
        curves, responsive = preferred_curves(responses, self.along, self.response)
        return self.measure(curves, responses.values[self.along]), responsive


@final
@dataclass(frozen=True, kw_only=True)
class PeakProperty:
    """A property of the response to the one condition that a unit prefers by its mean rate.

    Args:
        stimulus_set: gratings that measure it.
        measure: (mean rate (unit), first harmonic (unit)) there -> (unit) values.
    """

    stimulus_set: str
    measure: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def __call__(self, responses: Measured) -> tuple[np.ndarray, np.ndarray]:
        """See `Property`."""
        assert isinstance(responses, Tuning)
        mean, first = (
            part.reshape(-1, part.shape[-1]) for part in (responses.mean, responses.first_harmonic)
        )
        best = np.argmax(mean, axis=0)[None]
        top, harmonic = (np.take_along_axis(part, best, axis=0)[0] for part in (mean, first))
        return self.measure(top, harmonic), top > responses.spontaneous + RESPONSE_THRESHOLD


@final
@dataclass(frozen=True, kw_only=True)
class TextureProperty:
    """A property of the responses to textures and noise.

    Args:
        measure: responses -> (unit) values.
        stimulus_set: textures.
    """

    measure: Callable[[TextureRates], np.ndarray]
    stimulus_set: str = "texture"

    def __call__(self, responses: Measured) -> tuple[np.ndarray, np.ndarray]:
        """See `Property`; the largest of all 450 responses decides which units count."""
        assert isinstance(responses, TextureRates)
        largest = np.maximum(_largest(responses.texture), _largest(responses.noise))
        return self.measure(responses), largest > RESPONSE_THRESHOLD


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
) -> CurveProperty:
    return CurveProperty(
        stimulus_set="spatial_frequency",
        along="spatial_frequency",
        response=response,
        measure=measure,
    )


def _size(measure: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> CurveProperty:
    return CurveProperty(
        stimulus_set="size", along="radius", response="best component", measure=measure
    )


def _orientation(measure: Callable[[np.ndarray], np.ndarray]) -> CurveProperty:
    return CurveProperty(
        stimulus_set="orientation",
        along="orientation",
        response="mean",
        measure=lambda curves, _: measure(curves),
    )


def _modulation_ratio(mean: np.ndarray, first: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(first / mean)


def _texture_modulation(responses: TextureRates) -> np.ndarray:
    return texture_tuning.texture_modulation_index(responses.texture, responses.noise)


def _variance_ratio(responses: TextureRates) -> np.ndarray:
    spikes = responses.rates[1] * _COUNTING_S  # spikes are counted with the spontaneous ones
    return texture_tuning.variance_ratio(texture_tuning.stabilised(spikes))


def _largest(responses: np.ndarray) -> np.ndarray:
    return np.asarray(responses.max(axis=(0, 1)))


PROPERTIES: Mapping[str, Property] = {
    "preferred_orientation": _orientation(tuning.preferred_orientation),
    "circular_variance": _orientation(tuning.circular_variance),
    "or_bandwidth": _orientation(tuning.orientation_bandwidth),
    "orth_pref_ratio": _orientation(tuning.orthogonal_preferred_ratio),
    "or_selective": _orientation(tuning.orientation_selective),
    "cv_bandwidth_ratio": _orientation(tuning.variance_bandwidth_ratio),
    "opr_cv_diff": _orientation(tuning.orthogonal_ratio_less_variance),
    "max_dc": PeakProperty(stimulus_set="orientation", measure=lambda mean, _: mean),
    "modulation_ratio": PeakProperty(stimulus_set="orientation", measure=_modulation_ratio),
    "peak_spatial_frequency": _frequency("best component", tuning.peak_spatial_frequency),
    "spatial_frequency_selective": _frequency("mean", tuning.spatial_frequency_selective),
    "spatial_frequency_bandwidth": _frequency("mean", tuning.spatial_frequency_bandwidth),
    "surround_suppression_index": _size(lambda curves, _: tuning.surround_suppression(curves)),
    "strongly_suppressed": _size(lambda curves, _: tuning.strongly_suppressed(curves)),
    "grating_summation_field": _size(tuning.grating_summation_field),
    "surround_diameter": _size(tuning.surround_diameter),
    "surround_grating_summation_field_ratio": _size(tuning.surround_ratio),
    "texture_modulation_index": TextureProperty(measure=_texture_modulation),
    "abs_texture_modulation_index": TextureProperty(
        measure=lambda responses: np.abs(_texture_modulation(responses))
    ),
    "texture_selectivity": TextureProperty(
        measure=lambda responses: texture_tuning.sparseness(responses.texture.mean(axis=1))
    ),
    "texture_sparseness": TextureProperty(
        measure=lambda responses: texture_tuning.sparseness(responses.texture)
    ),
    "texture_variance_ratio": TextureProperty(measure=_variance_ratio),
    "max_texture": TextureProperty(measure=lambda responses: _largest(responses.texture)),
    "max_noise": TextureProperty(measure=lambda responses: _largest(responses.noise)),
}
