"""Data sources: the distribution of one property, and the stimuli that measure it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError
from corteval.stimuli import StimulusSet
from corteval_marques2020.gratings import stimuli
from corteval_marques2020.histograms import HISTOGRAMS
from corteval_marques2020.recorded import RECORDED, counts, recorded_values
from corteval_marques2020.textures import textures, with_textures

_MAPPING = ("blank", "receptive_field", "orientation")


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
        return stimuli(*dict.fromkeys((*_MAPPING, own)))

    def assembly(self) -> xr.DataArray:
        """Counts per bin."""
        found = HISTOGRAMS[self.name]
        return _histogram(self.name, found.counts, found.edges, found.unit, found.units_measured)


@final
@dataclass(frozen=True, kw_only=True)
class RecordedPropertyData:
    """Distribution of one property over recorded V1 units, counted from the units' values.

    `assembly` has the form of `PropertyData`'s: dim ``bin``.

    Args:
        name: of the property.
        folder: with files that you have: the archive's, or the authors' Ringach2002.mat,
            FreemanZiemba2013_V1V2data.mat and folder ``stim`` of textures. None looks in
            ``<CORTEVAL_HOME>/provided/Marques2020`` before it asks the archive.
    """

    name: str
    folder: str | Path | None = None

    def stimuli(self) -> StimulusSet:
        """Blank, receptive-field map, orientation set, and textures if they measure the property.

        Raises:
            FetchError: if the textures cannot be had.
        """
        if RECORDED[self.name].recording.stimuli == "texture":
            return with_textures(textures(self.folder), *_MAPPING)
        return stimuli(*_MAPPING)

    def assembly(self) -> xr.DataArray:
        """Counts per bin of the published benchmark; attribute ``notes`` has remarks.

        Raises:
            FetchError: if the recordings cannot be had.
            AssemblyError: if the file is of another form, or the property defined in no unit.
        """
        prop = RECORDED[self.name]
        values, remarks = recorded_values(prop, self.folder)
        found = counts(values, prop.edges)
        if not found.any():
            raise AssemblyError(f"{self.name} is defined in none of {len(values)} recorded units.")
        histogram = _histogram(self.name, found, prop.edges, prop.unit, len(values))
        return histogram.assign_attrs(notes=list(remarks))


def build(name: str) -> PropertyData:
    """Factory of the cards of published histograms."""
    return PropertyData(name)


def build_recorded(name: str, folder: str | Path | None = None) -> RecordedPropertyData:
    """Factory of the cards of recorded units."""
    return RecordedPropertyData(name=name, folder=folder)


def _histogram(
    name: str,
    units: Sequence[int] | np.ndarray,
    edges: tuple[float, ...],
    unit: str,
    units_measured: int,
) -> xr.DataArray:
    return xr.DataArray(
        np.array(units, dtype=np.int64),
        dims=["bin"],
        coords={
            "bin_low": ("bin", np.array(edges[:-1])),
            "bin_high": ("bin", np.array(edges[1:])),
        },
        attrs={"property": name, "unit": unit, "units_measured": units_measured},
    )
