"""The data source of an installed package that `corteval data export` made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import final

import xarray as xr

from corteval.errors import PluginError
from corteval.local.description import Description, read_description
from corteval.local.digests import verify
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.registration import labelled
from corteval.stimuli import StimulusSet

#: Folder of the package in which the data set lies.
FOLDER = "dataset"


@final
@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A data set that lies in a folder with ``SHA256SUMS``; read only if every byte is as packed.

    Args:
        folder: of the data set.
    """

    folder: Path

    def stimuli(self) -> StimulusSet:
        """What was shown."""
        return self._stimuli

    def assembly(self) -> xr.DataArray:
        """What was recorded: neural responses by stimulus, or behaviour with a row a trial."""
        return self._assembly

    @cached_property
    def _description(self) -> Description:
        verify(self.folder)
        return read_description(self.folder)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return load_stimuli(self._description)

    @cached_property
    def _assembly(self) -> xr.DataArray:
        return labelled(load_assembly(self._description, self._stimuli), self._stimuli)


def from_package(package: str) -> Packaged:
    """The data set in the folder ``dataset`` of an installed package.

    Raises:
        PluginError: if there is none.
    """
    spec = find_spec(package)
    places = (
        [Path(place) / FOLDER for place in (spec.submodule_search_locations or ())] if spec else []
    )
    for place in places:
        if place.is_dir():
            return Packaged(folder=place)
    raise PluginError(
        f"The package {package} has no folder {FOLDER!r}. Install it anew, unpacked rather than as "
        "a zip."
    )
