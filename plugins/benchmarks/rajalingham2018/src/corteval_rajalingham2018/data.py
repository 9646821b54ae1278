"""The public images in two halves, so that none is tested that a read-out was fitted on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError
from corteval.stimuli import StimulusSet

_HALVES = ("fit", "test")


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PublicHalf:
    """Half of the images of every object, and the trials on them.

    Images of an object stand in the order of the SHA-256 of their ids; every other one, beginning
    with the first, is in the half ``"fit"``.

    Args:
        half: which one.
        label: column of the stimulus table with the object.
        folder, visual_degrees: of the archive's data sets.
    """

    half: Literal["fit", "test"]
    label: str = "image_label"
    folder: str | Path | None = None
    visual_degrees: float | None = None

    def __post_init__(self) -> None:
        if self.half not in _HALVES:
            raise OptionError(f"Halves are {' and '.join(_HALVES)}, not {self.half!r}.")

    def stimuli(self) -> StimulusSet:
        """Images of the half, in the archive's order.

        Raises:
            AssemblyError: if the stimulus table does not say which object an image shows.
        """
        whole = self._member("objectome.public").stimuli()
        if self.label not in whole.table.columns:
            known = ", ".join(map(str, whole.table.columns))
            raise AssemblyError(
                f"{whole.identifier} has no column {self.label!r}, which tells the object; it has "
                f"{known}. Give its name by the option label."
            )
        kept = of_half(
            whole.stimulus_ids, whole.table[self.label].to_numpy(str).tolist(), self.half
        )
        return whole.select(kept)

    def assembly(self) -> xr.DataArray:
        """Trials on images of the half, as they stand in the archive."""
        trials = self._member("Rajalingham2018.public").assembly()
        kept = np.isin(trials["stimulus_id"].values, self.stimuli().stimulus_ids)
        return trials.isel(presentation=kept)

    def _member(self, name: str) -> DataSource:
        options = {"folder": self.folder, "visual_degrees": self.visual_degrees}
        return cast("DataSource", registry.data.create(f"brainscore/{name}", **options))


def of_half(stimulus_ids: Sequence[str], objects: Sequence[str], half: str) -> list[str]:
    """Ids of one half, in the order given.

    Args:
        stimulus_ids: of all images.
        objects: what each shows.
        half: ``"fit"`` or ``"test"``.
    """
    by_object: dict[str, list[str]] = {}
    for stimulus_id, shown in zip(stimulus_ids, objects, strict=True):
        by_object.setdefault(shown, []).append(stimulus_id)
    start = _HALVES.index(half)
    kept = {i for ids in by_object.values() for i in sorted(ids, key=_place)[start::2]}
    return [i for i in stimulus_ids if i in kept]


def _place(stimulus_id: str) -> str:
    return hashlib.sha256(stimulus_id.encode()).hexdigest()
