"""Data sources: one published histogram and the gratings that measure its property."""

from __future__ import annotations

from typing import final

import numpy as np
import xarray as xr

from corteval.stimuli import StimulusSet
from corteval_marques2020.gratings import stimuli
from corteval_marques2020.histograms import HISTOGRAMS


@final
class PropertyData:
    """Distribution of one property over recorded V1 units.

    `assembly` has dim ``bin`` with coordinates ``bin_low`` and ``bin_high``: counts of units. Its
    attribute ``units_measured`` counts all recorded units, with those in which the property is
    undefined and which therefore stand in no bin.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def stimuli(self) -> StimulusSet:
        """Blank, receptive-field map, orientation set, and the property's own set."""
        own = HISTOGRAMS[self.name].stimuli
        return stimuli(*dict.fromkeys(("blank", "receptive_field", "orientation", own)))

    def assembly(self) -> xr.DataArray:
        """Counts per bin."""
        histogram = HISTOGRAMS[self.name]
        return xr.DataArray(
            np.array(histogram.counts, dtype=np.int64),
            dims=["bin"],
            coords={
                "bin_low": ("bin", np.array(histogram.edges[:-1])),
                "bin_high": ("bin", np.array(histogram.edges[1:])),
            },
            attrs={
                "property": self.name,
                "unit": histogram.unit,
                "units_measured": histogram.units_measured,
            },
        )


def build(name: str) -> PropertyData:
    """Factory of the cards."""
    return PropertyData(name)
