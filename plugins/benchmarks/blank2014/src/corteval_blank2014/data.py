"""Responses to stories, with the names that metrics ask for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.data import DataSource
from corteval.errors import AssemblyError
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class Stories:
    """Responses of regions to the words of each two seconds, story by story.

    A story is one context. Regions have the coordinate ``subject``, copied from ``subject_id``;
    the coordinate ``story`` keeps the parts of a story together in cross-validation. Regions with
    a missing response (NaN) are left out.

    Args:
        data: identifier of the recording.
        folder: option of that data set.
    """

    data: str = "brainscore/Blank2014.fROI"
    folder: str | Path | None = None

    def stimuli(self) -> StimulusSet:
        """What was heard in each two seconds."""
        return self._recording.stimuli()

    def assembly(self) -> xr.DataArray:
        """Presentation x neuroid.

        Raises:
            AssemblyError: if stories or people are not named, or no region has all responses.
        """
        assembly = self._recording.assembly()
        for name, dim in (("story", "presentation"), ("subject_id", "neuroid")):
            if name not in assembly.coords or assembly[name].dims != (dim,):
                raise AssemblyError(f"{self.data} has no coordinate {name!r} along {dim}.")
        whole = np.isfinite(assembly.values).all(axis=0)
        if not whole.any():
            raise AssemblyError(f"{self.data}: no region has all {len(assembly)} responses.")
        people = assembly["subject_id"].values.astype(str)
        return assembly.assign_coords(subject=("neuroid", people)).isel(
            neuroid=np.flatnonzero(whole)
        )

    @property
    def _recording(self) -> DataSource:
        return cast("DataSource", registry.data.create(self.data, folder=self.folder))
