"""A population of units with a given distribution of a property, as a perfect subject has it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.stimuli import StimulusSet
from corteval_marques2020_v1 import ideal_curves
from corteval_marques2020_v1.rates import MEDIAN_MAXIMUM, MEDIAN_SPONTANEOUS
from corteval_marques2020_v1.receptive_fields import CENTRE_DEGREES

_FIELD_SD_DEGREES = 0.25
_SHARPNESS = 2.0

#: One of the frequencies shown in every set, well inside the range that is shown.
_FREQUENCY_CPD = 2**0.625

#: Octaves within which smoothing the curve, kernel (1, 5, 1)/7 at quarter octaves, widens it.
_SMOOTHING_VARIANCE_OCTAVES = 0.25**2 * 2 / 7


@dataclass(frozen=True, kw_only=True)
class _Units:
    """Parameters of ideal units, each a number or one a unit.

    Args:
        orientation: preferred, degrees.
        frequency: preferred, cycles per degree.
        frequency_sd: of the tuning, octaves.
        summation: diameter up to which a grating drives more, degrees.
        surround: diameter from which it suppresses no more, degrees.
        suppression: share of the peak that the surround takes away.
        spontaneous: response to the blank screen, which gratings are added to; the largest drive
            is 1 where `peak` is not given.
        silenced: response to the blank screen, which anything that is shown ends. By default what
            becomes the spontaneous rate where the drive is 1, so that rates are in proportion to
            the drive.
        peak: largest drive.
        curve: (12 orientations from 0 on, unit) tuning instead of the one around `orientation`.
        cycle: (8 phases, unit) drive over its mean at each phase.
        textures: (type, family, sample, unit) responses, spikes per second.
    """

    orientation: Any = 0.0
    frequency: Any = _FREQUENCY_CPD
    frequency_sd: Any = 0.7
    summation: Any = 0.01
    surround: Any = 0.02
    suppression: Any = 0.0
    spontaneous: Any = 0.0
    silenced: Any = 0.0
    peak: Any = 1.0
    curve: np.ndarray | None = None
    cycle: np.ndarray | None = None
    textures: np.ndarray | None = None


def ideal_responses(prop: str, stimuli: StimulusSet, histogram: xr.DataArray) -> xr.DataArray:
    """Responses of one unit a measured neuron, its property in the middle of the neuron's bin.

    A unit responds with the product of a Gaussian over position, a von Mises function of
    orientation, a log-Gaussian of spatial frequency and a function of size that rises to a peak
    and falls to a plateau, whatever the phase. Where orientation, phase or textures measure the
    property, the unit has a curve, a cycle or a pattern of responses that shows it. Neurons in
    which the property is undefined are units that the surround does not suppress, or that respond
    to every frequency or orientation. Values that no unit can show, such as a bandwidth narrower
    than the smoothing, are as near as can be.

    Args:
        prop: name of the property.
        stimuli: everything the benchmark shows.
        histogram: what the property's distribution shall be.
    """
    low, high = histogram["bin_low"].values, histogram["bin_high"].values
    geometric = prop in _GEOMETRIC
    middles = np.sqrt(low * high) if geometric else (low + high) / 2
    wanted = np.repeat(middles, histogram.values)
    undefined = int(histogram.attrs["units_measured"]) - len(wanted)
    wanted = np.append(wanted, np.full(undefined, np.nan))
    units = _units(prop, wanted)

    rows = {name: stimuli.table[name].to_numpy()[:, None] for name in _PARAMETERS}
    distance = np.hypot(rows["x"] - CENTRE_DEGREES, rows["y"] - CENTRE_DEGREES)
    place = np.exp(-(distance**2) / (2 * _FIELD_SD_DEGREES**2))
    angle = np.deg2rad(rows["orientation"] - units.orientation)
    octaves = np.log2(rows["spatial_frequency"] / units.frequency)
    if units.curve is None:
        oriented = np.exp(_SHARPNESS * (np.cos(2 * angle) - 1))
    else:
        oriented = units.curve[_steps(rows["orientation"], ideal_curves.ORIENTATIONS)]
    cycle = 1.0 if units.cycle is None else units.cycle[_steps(rows["phase"], ideal_curves.PHASES)]
    drive = (
        units.peak
        * place
        * oriented
        * cycle
        * np.exp(-(octaves**2) / (2 * units.frequency_sd**2))
        * _size_tuning(2 * rows["radius"], units)
    )
    sets = stimuli.table["stimulus_set"].to_numpy()
    # the blank screen has no parameters and drives nothing; nor have textures, see below
    drive = np.nan_to_num(drive, nan=0.0) + np.where(sets[:, None] == "blank", units.silenced, 0)
    count = len(wanted)
    responses = np.broadcast_to(drive + units.spontaneous, (len(stimuli), count)).copy()
    if units.textures is not None:
        shown = stimuli.table[sets == "texture"]
        which = (shown[name].to_numpy(int) - 1 for name in ("type", "family", "sample"))
        responses[sets == "texture"] = units.textures[tuple(which)] / MEDIAN_MAXIMUM
    return neural(
        responses,
        stimuli.stimulus_ids,
        {
            "neuroid_id": [f"ideal-{number:03d}" for number in range(count)],
            "receptive_field_x_degrees": np.full(count, CENTRE_DEGREES),
            "receptive_field_y_degrees": np.full(count, CENTRE_DEGREES),
        },
    )


def _steps(angles: np.ndarray, angles_shown: np.ndarray) -> np.ndarray:
    """Number of each angle among those shown, 0 where there is none."""
    return np.searchsorted(angles_shown, np.nan_to_num(angles[:, 0], nan=0.0))


_PARAMETERS = ("x", "y", "radius", "orientation", "spatial_frequency", "phase")

_GEOMETRIC = (
    "peak_spatial_frequency",
    "grating_summation_field",
    "surround_diameter",
    "surround_grating_summation_field_ratio",
    "cv_bandwidth_ratio",
    "max_dc",
    "texture_variance_ratio",
    "max_texture",
    "max_noise",
)

#: Drive that becomes the spontaneous rate, of units whose largest drive is 1.
_AT_REST = MEDIAN_SPONTANEOUS / MEDIAN_MAXIMUM


def _units(prop: str, wanted: np.ndarray) -> _Units:
    """Units in which `prop` has the `wanted` values; NaN where it shall be undefined."""
    if prop in ideal_curves.CURVE_PROPERTIES:
        return _Units(silenced=_AT_REST, curve=ideal_curves.orientation_curves(prop, wanted))
    if prop in ideal_curves.TEXTURE_PROPERTIES:
        return _Units(silenced=_AT_REST, textures=ideal_curves.texture_rates(prop, wanted))
    if prop == "modulation_ratio":
        return _Units(silenced=_AT_REST, cycle=ideal_curves.cycles(wanted))
    if prop == "max_dc":
        return _Units(silenced=MEDIAN_SPONTANEOUS, peak=wanted)
    defined = np.isfinite(wanted)
    half = np.where(defined, 0.5, 0.0)
    if prop == "preferred_orientation":
        return _Units(orientation=wanted)
    if prop == "peak_spatial_frequency":
        return _Units(frequency=wanted)
    if prop == "spatial_frequency_selective":
        return _Units(frequency_sd=np.where(wanted > 0.5, 0.7, _EVERY_FREQUENCY))
    if prop == "spatial_frequency_bandwidth":
        octaves = np.log2(100 / wanted)
        # exp(-(octaves/2)² / 2 sd²) = .707
        variance = (octaves / 2) ** 2 / (2 * math.log(1 / 0.707)) - _SMOOTHING_VARIANCE_OCTAVES
        return _Units(frequency_sd=np.where(defined, np.sqrt(variance), _EVERY_FREQUENCY))
    if prop == "surround_suppression_index":
        # a plateau below the spontaneous rate needs a rate to be below of
        above = np.where(wanted > 1, 0.2, 0.0)
        return _Units(summation=0.6, surround=2.4, suppression=wanted, spontaneous=above)
    if prop == "strongly_suppressed":
        return _Units(summation=0.6, surround=2.4, suppression=np.where(wanted > 0.5, 0.5, 0.0))
    filled = np.where(defined, wanted, 2.0)
    if prop == "grating_summation_field":
        return _Units(summation=filled, surround=2 * filled, suppression=half)
    if prop == "surround_diameter":
        return _Units(summation=filled / 2, surround=filled, suppression=half)
    centre = 2**-0.75  # both diameters are among those shown
    return _Units(summation=centre, surround=centre * filled, suppression=half)


_EVERY_FREQUENCY = 20.0


def _size_tuning(diameter: np.ndarray, units: _Units) -> np.ndarray:
    """Proportional to diameter up to the summation field, then falling with its logarithm."""
    beyond = np.log2(diameter / units.summation) / np.log2(units.surround / units.summation)
    rising = np.minimum(diameter / units.summation, 1)
    return np.asarray(rising - units.suppression * np.clip(beyond, 0, 1))
