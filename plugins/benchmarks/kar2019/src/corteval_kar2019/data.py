"""Object solution times of the archive, one row an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import registry
from corteval.cards import Resource
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.fetch import fetch, fetch_archive
from corteval.stimuli import StimulusSet

_ARCHIVE = "brainscore/Kar2019"
_IDS = ("stimulus_id", "image_id")


@final
@dataclass(frozen=True, kw_only=True)
class Kar2019:
    """When a read-out of macaque IT solves each image, in ms after its onset.

    The archive's file has a row a presentation and a column a read-out, and two of its images
    twice; of each image the first row is kept, in file and stimulus table alike. Images that are
    never solved, NaN in the file, have an infinite time.

    Args:
        decoder: read-out, as the file names it: ``"svm"`` is the published one.
        truth: coordinate, or column of the stimulus table, with the object shown.
        visual_degrees: extent of the images.
    """

    decoder: str = "svm"
    truth: str = "image_label"
    visual_degrees: float | None = None

    def stimuli(self) -> StimulusSet:
        """Images with a solution time or without, each once."""
        folder = fetch_archive(self._file("zip"))
        table = self._table[self._table.index.isin(self._times["stimulus_id"].values)]
        paths = [folder / Path(name).name for name in table["filename"]]
        missing = [path.name for path in paths if not path.is_file()]
        if missing:
            raise StimuliError(
                f"{_ARCHIVE}: {len(missing)} of {len(paths)} files that the stimulus table names "
                f"are not in the archive: {', '.join(missing[:5])}."
            )
        return StimulusSet(
            identifier="Kar2019",
            modality="image",
            table=table.assign(path=[str(path) for path in paths]),
            visual_degrees=self.visual_degrees,
        )

    def assembly(self) -> xr.DataArray:
        """Times in ms along presentation, with ``stimulus_id``, ``truth`` and ``i1``.

        Raises:
            AssemblyError: if the file has another form.
            OptionError: if it has no such decoder or truth.
        """
        times = self._times
        ids = times["stimulus_id"].values.tolist()
        if self.truth not in times.coords and self.truth in self._table.columns:
            column = self._table[self.truth].reindex(ids).to_numpy()
            times = times.assign_coords({self.truth: ("presentation", column)})
        if self.truth not in times.coords:
            known = ", ".join(map(str, [*times.coords, *self._table.columns]))
            raise OptionError(
                f"Neither the assembly nor the stimulus table has {self.truth!r}; there are "
                f"{known}. Name the object shown by truth=."
            )
        return times.assign_coords(truth=("presentation", times[self.truth].values.astype(str)))

    @cached_property
    def _times(self) -> xr.DataArray:
        """Of the decoder, the first row of each image, infinite where there is none."""
        archive = cast("DataSource", registry.data.create(_ARCHIVE, merges=False))
        stored = archive.assembly()
        lacking = [n for n in ("stimulus_id", "i1") if n not in stored.coords]
        if set(stored.dims) - {"decoder"} != {"presentation"} or lacking:
            raise AssemblyError(
                f"{_ARCHIVE} is along {', '.join(map(str, stored.dims))}"
                f"{' without ' + ' and '.join(lacking) if lacking else ''}; solution times are "
                "along presentation (and decoder), with stimulus_id and i1."
            )
        if "decoder" in stored.dims:
            names = stored["decoder"].values.astype(str)
            if self.decoder not in names:
                raise OptionError(f"No decoder {self.decoder!r}; there are {', '.join(names)}.")
            stored = stored.isel(decoder=int(np.flatnonzero(names == self.decoder)[0]), drop=True)
        first = np.unique(stored["stimulus_id"].values.astype(str), return_index=True)[1]
        times = stored.isel(presentation=first).astype(np.float64)
        return times.where(~np.isnan(times), np.inf)

    @cached_property
    def _table(self) -> pd.DataFrame:
        """Stimulus table, with the first row of each image; ids are text."""
        path = fetch(self._file("csv"))
        options: dict[str, Any] = {"dtype": str, "keep_default_na": False}
        table = pd.read_csv(path, **options)
        ids = next((name for name in _IDS if name in table.columns), None)
        if ids is None or "filename" not in table.columns:
            raise StimuliError(
                f"{path} has no {' or '.join(_IDS)}, or no filename; it has "
                f"{', '.join(map(str, table.columns[:8]))}."
            )
        table = table.loc[:, ~table.columns.str.startswith("Unnamed: ")]  # the writer's index
        return table.drop_duplicates(ids).set_index(ids).rename_axis("stimulus_id")

    def _file(self, ending: str) -> Resource:
        """The file of the archive's stimuli with this ending."""
        files = registry.data_card(_ARCHIVE).resources
        return next(file for file in files if file.filename.endswith(f".{ending}"))
