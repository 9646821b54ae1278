"""A population of units with a given distribution of a property, as a perfect subject has it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.stimuli import StimulusSet
from corteval_marques2020_v1.receptive_fields import CENTRE_DEGREES

_FIELD_SD_DEGREES = 0.25
_TUNING_SD_OCTAVES = 0.7
_SHARPNESS = 2.0


def ideal_responses(prop: str, stimuli: StimulusSet, histogram: xr.DataArray) -> xr.DataArray:
    """Responses of one unit a measured neuron, its property in the middle of the neuron's bin.

    A unit responds with the product of a Gaussian over position, a von Mises function of
    orientation and a log-Gaussian of spatial frequency, whatever the phase and size.

    Args:
        prop: name of the property.
        stimuli: everything the benchmark shows.
        histogram: what the property's distribution shall be.
    """
    low, high = histogram["bin_low"].values, histogram["bin_high"].values
    geometric = prop == "peak_spatial_frequency"
    middles = np.sqrt(low * high) if geometric else (low + high) / 2
    wanted = np.repeat(middles, histogram.values)
    orientation = wanted if prop == "preferred_orientation" else np.zeros_like(wanted)
    frequency = wanted if geometric else np.full_like(wanted, 2.0)

    rows = {name: stimuli.table[name].to_numpy()[:, None] for name in stimuli.table.columns}
    distance = np.hypot(rows["x"] - CENTRE_DEGREES, rows["y"] - CENTRE_DEGREES)
    place = np.exp(-(distance**2) / (2 * _FIELD_SD_DEGREES**2))
    angle = np.deg2rad(rows["orientation"] - orientation)
    octaves = np.log2(rows["spatial_frequency"] / frequency)
    responses = (
        place
        * np.exp(_SHARPNESS * (np.cos(2 * angle) - 1))
        * np.exp(-(octaves**2) / (2 * _TUNING_SD_OCTAVES**2))
    )
    count = len(wanted)
    return neural(
        np.nan_to_num(responses, nan=0.0),  # the blank screen has no parameters and drives nothing
        stimuli.stimulus_ids,
        {
            "neuroid_id": [f"ideal-{number:03d}" for number in range(count)],
            "receptive_field_x_degrees": np.full(count, CENTRE_DEGREES),
            "receptive_field_y_degrees": np.full(count, CENTRE_DEGREES),
        },
    )
