"""Sentences of one experiment, and the voxels that were recorded for all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
class Sentences:
    """One experiment of a recording of the archive that holds several.

    Presentations are those whose coordinate ``experiment`` has the wanted value. Voxels of people
    who did not take part are missing there (NaN) and left out. Sentences of a passage are one
    context, read in their order; the coordinate ``story`` is the topic of the passage, by which
    cross-validation keeps sentences together.

    Args:
        experiment: ``"243sentences"`` or ``"384sentences"``.
        data: identifier of the recording.
        folder: option of that data set.
    """

    experiment: str
    data: str = "brainscore/Pereira2018.language"
    folder: str | Path | None = None

    def stimuli(self) -> StimulusSet:
        """The sentences of the experiment, by passage."""
        stimuli = self._recording.stimuli()
        if "experiment" not in stimuli.table.columns:
            raise AssemblyError(f"{self.data} does not say of which experiment its sentences are.")
        kept = self._of_experiment(stimuli.table["experiment"].to_numpy(str))
        return replace(
            stimuli,
            identifier=f"Pereira2018.{self.experiment}",
            table=stimuli.table.iloc[kept],
        )

    def assembly(self) -> xr.DataArray:
        """Presentation x neuroid, of the experiment.

        Raises:
            AssemblyError: if a coordinate is missing, or no voxel has all responses.
        """
        assembly = self._recording.assembly()
        for name in ("experiment", "story"):
            if name not in assembly.coords:
                raise AssemblyError(f"{self.data} has no coordinate {name!r} of sentences.")
        assembly = assembly.isel(
            presentation=self._of_experiment(assembly["experiment"].values.astype(str))
        )
        whole = np.isfinite(assembly.values).all(axis=0)
        if not whole.any():
            raise AssemblyError(
                f"{self.data}: no voxel has responses to all {len(assembly)} sentences of "
                f"{self.experiment}."
            )
        return assembly.isel(neuroid=np.flatnonzero(whole))

    def _of_experiment(self, experiments: np.ndarray) -> np.ndarray:
        kept = experiments == self.experiment
        if not kept.any():
            known = ", ".join(np.unique(experiments)[:5])
            raise AssemblyError(
                f"{self.data} has no experiment {self.experiment!r}; it has {known}."
            )
        return np.flatnonzero(kept)

    @property
    def _recording(self) -> DataSource:
        return cast("DataSource", registry.data.create(self.data, folder=self.folder))
