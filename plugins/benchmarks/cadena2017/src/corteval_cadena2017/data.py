"""The recordings of the archive, as far as all neurons have responses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
class Cadena2017:
    """Responses of V1 neurons to images that all of them were shown.

    Neurons were recorded in several sessions, and an image was not shown in all of them: its
    trials are NaN for the other neurons. Images of which a neuron has no trial are left out, a
    seventh of them by the field's count.

    Args:
        visual_degrees, folder: options of ``brainscore/Cadena2017``.
    """

    visual_degrees: float | None = None
    folder: str | Path | None = None

    def stimuli(self) -> StimulusSet:
        """Images that every neuron responded to."""
        return self._archive.stimuli().select(self._kept["stimulus_id"].values.tolist())

    def assembly(self) -> xr.DataArray:
        """Presentation x neuroid x trial, NaN where a neuron was not recorded.

        Raises:
            AssemblyError: if there is no image that all neurons responded to.
        """
        return self._kept.copy(deep=False)

    @cached_property
    def _archive(self) -> DataSource:
        options = {"visual_degrees": self.visual_degrees, "folder": self.folder}
        return cast("DataSource", registry.data.create("brainscore/Cadena2017", **options))

    @cached_property
    def _kept(self) -> xr.DataArray:
        assembly = self._archive.assembly()
        complete = assembly.notnull()
        others = [dim for dim in assembly.dims if dim in ("trial", "time_bin")]
        kept = complete.any(others).all("neuroid").values
        if not kept.any():
            raise AssemblyError("No image of brainscore/Cadena2017 has responses of all neurons.")
        return assembly.isel(presentation=np.flatnonzero(kept))
