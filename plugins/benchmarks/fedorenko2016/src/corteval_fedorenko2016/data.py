"""Responses to words of sentences, with the names that metrics ask for."""

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
class Words:
    """Responses of electrodes to words, sentence by sentence.

    A sentence is one context. Electrodes have the coordinate ``subject``, copied from
    ``subject_UID``; words have ``group``, the sentence, which cross-validation keeps together.
    Numbers of sentences are padded, so that they sort as they count. Electrodes with a missing
    response (NaN) are left out.

    Args:
        data: identifier of the recording.
        folder: option of that data set.
    """

    data: str = "brainscore/Fedorenko2016.language"
    folder: str | Path | None = None

    def stimuli(self) -> StimulusSet:
        """The words."""
        return self._recording.stimuli()

    def assembly(self) -> xr.DataArray:
        """Presentation x neuroid.

        Raises:
            AssemblyError: if sentences or people are not named, or no electrode has all responses.
        """
        assembly = self._recording.assembly()
        for name, dim in (("sentence_id", "presentation"), ("subject_UID", "neuroid")):
            if name not in assembly.coords or assembly[name].dims != (dim,):
                raise AssemblyError(f"{self.data} has no coordinate {name!r} along {dim}.")
        whole = np.isfinite(assembly.values).all(axis=0)
        if not whole.any():
            raise AssemblyError(f"{self.data}: no electrode has all {len(assembly)} responses.")
        people = assembly["subject_UID"].values.astype(str)
        return assembly.assign_coords(
            subject=("neuroid", people),
            group=("presentation", _padded(assembly["sentence_id"].values)),
        ).isel(neuroid=np.flatnonzero(whole))

    @property
    def _recording(self) -> DataSource:
        return cast("DataSource", registry.data.create(self.data, folder=self.folder))


def _padded(numbers: np.ndarray) -> list[str]:
    """Numbers as text that sorts as they do; text as it is."""
    if numbers.dtype.kind not in "iuf":
        return [str(number) for number in numbers.tolist()]
    width = len(f"{numbers.max():.0f}")
    return [f"{number:0{width}.0f}" for number in numbers.tolist()]
