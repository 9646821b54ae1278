"""One member of the archive as a data set: its stimuli, and its assembly or ceiling."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

import pandas as pd
import xarray as xr

from corteval.cards import Resource
from corteval.errors import NotInData, OptionError, WrongContent
from corteval.fetch import fetch, fetch_archive, local_path, provided
from corteval.requests import TimeBin, as_time_bins
from corteval.stimuli import StimulusSet
from corteval_brainscore import shown
from corteval_brainscore.catalogue import Holding, find, members_on
from corteval_brainscore.forms import counted, named, plain_assembly
from corteval_brainscore.netcdf import StoredArray, opened, probe, text
from corteval_brainscore.trials import neural_assembly

_NEURAL = {"presentation", "neuroid"}
_STIMULI_CSV = "stimuli.csv"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BrainScore:
    """A stimulus set, an assembly or a ceiling of Brain-Score's archive.

    Assemblies are of one of these forms, by the dims of the file:

    - neural: presentation, neuroid[, time_bin][, trial]. The archive has one row a presentation;
      rows of one stimulus become its trials, NaN where there are fewer than of others.
    - behaviour: presentation, one row a trial, values as stored, with the coordinates that metrics
      of behaviour ask for (see `corteval_brainscore.forms.named`); reading times are along
      presentation, subject.
    - properties: neuroid, neuroid_property (or property), with the bins of their histograms in the
      attributes ``<property>_bins``; or thresholds along subject.
    - ceilings: scores as stored, along aggregation, neuroid, subject, split or bootstrap.
    - spikes: event, with a coordinate for each event's stimulus and neuroid; with `time_bins`
      counts, as a neural assembly.
    - whatever else there is: the dims of the file, such as region, time and sample.

    Args:
        member: name in the archive, e.g. ``"MajajHong2015.public"``.
        average: mean over trials, computed while reading, so that few bytes are held.
        time_bins: (start_ms, end_ms) of the bins to keep, or in which to count spikes.
        recorded: only stimuli to which the assembly has responses; False shows the whole set,
            which is then downloaded without the assembly.
        merges: lay the stimuli's columns over the assembly; None does what the registry says.
        folder: with files that you have: the archive's under their own names, in the folder or in
            one named by their SHA-1 (as below ``~/.brainio``). A known digest must match.
        visual_degrees: extent of the images, where the stimulus table does not tell.
    """

    member: str
    average: bool = False
    time_bins: tuple[TimeBin, ...] = ()
    recorded: bool = True
    merges: bool | None = None
    folder: str | Path | None = None
    visual_degrees: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.folder is not None and not Path(self.folder).expanduser().is_dir():
            raise OptionError(f"folder: {self.folder} is no folder.")
        find(self.member)  # an unknown name is an error now

    def stimuli(self) -> StimulusSet:
        """What was shown: images as the stimulus table names them, or the texts of an assembly.

        Raises:
            NotInData: if there are none, or they are had otherwise.
        """
        holding = self._holding()
        if holding.modality == "text":
            if holding.form == "Score":
                raise NotInData(f"{self._name} is a ceiling and has no stimuli.")
            with self._opened(holding) as stored:
                return shown.text_set(self._name, stored)
        held = self._shown(holding)
        table, folder = self._table(held), self._images(held)
        if self.recorded and holding.has_responses:
            table = self._recorded(holding, table)
        return shown.image_set(f"brainscore/{held.member}", table, folder, self.visual_degrees)

    def assembly(self) -> xr.DataArray:
        """What was recorded, of the form that the class describes.

        Raises:
            NotInData: if the member is a stimulus set.
        """
        holding = self._holding()
        if not holding.has_responses:
            there = ", ".join(f"brainscore/{name}" for name in members_on(holding.member))
            raise NotInData(
                f"{self._name} is a stimulus set without responses. "
                + (f"Recorded with it: {there}." if there else "No assembly of the archive has it.")
            )
        with self._opened(holding) as stored:
            assembly = self._read(stored)
            notes, attrs = list(stored.notes), stored.attrs
        if holding.merges if self.merges is None else self.merges:
            assembly = self._merged(holding, assembly, notes)
        if holding.unpinned:
            notes.append("Nobody published a digest of this file; it is the one you gave.")
        return assembly.assign_attrs(attrs, identifier=self._name, notes=notes)

    @property
    def _name(self) -> str:
        return f"brainscore/{find(self.member).member}"

    def _holding(self) -> Holding:
        holding = find(self.member)
        if holding.instead:
            raise NotInData(
                f"{self._name} is not in the archive's bucket: Brain-Score loads it from "
                f"elsewhere. Corteval has it as {holding.instead}."
            )
        return holding

    def _read(self, stored: StoredArray) -> xr.DataArray:
        dims = set(stored.dims)
        if _NEURAL <= dims <= {*_NEURAL, "time_bin"} and "stimulus_id" in stored.coords:
            return neural_assembly(stored, average=self.average, time_bins=self.time_bins)
        if dims == {"event"} and self.time_bins:
            return counted(stored, self.time_bins)
        for option in ("average", "time_bins"):
            if getattr(self, option):
                raise OptionError(
                    f"{self._name} is along {', '.join(stored.dims)}, not a neural assembly, so it "
                    f"takes no {option}."
                )
        return named(plain_assembly(stored))

    def _merged(self, holding: Holding, assembly: xr.DataArray, notes: list[str]) -> xr.DataArray:
        if "stimulus_id" not in assembly.coords or not holding.stimulus_set:
            notes.append("It names no stimuli, so no columns of a stimulus table were added.")
            return assembly
        columns = shown.merged_columns(
            self._table(self._shown(holding)),
            [str(i) for i in assembly["stimulus_id"].values],
            assembly.coords,
        )
        merged = assembly.assign_coords(columns)
        return merged if "neuroid" in assembly.dims else named(merged)

    def _shown(self, holding: Holding) -> Holding:
        if holding.stimulus_set:
            return find(holding.stimulus_set)
        if not holding.has_stimuli:
            raise NotInData(f"The registry names no stimulus set for {self._name}.")
        return holding

    def _recorded(self, holding: Holding, table: pd.DataFrame) -> pd.DataFrame:
        with self._opened(holding) as stored:
            if "stimulus_id" not in stored.coords:
                return table
            recorded = list(dict.fromkeys(text(stored.coords["stimulus_id"][1].ravel())))
        names = shown.in_table(recorded, list(table.index))
        return table[table.index.isin(list(names.values()))]

    def _table(self, held: Holding) -> pd.DataFrame:
        if held.by_agreement:
            return shown.read_table(self._agreed(held) / _STIMULI_CSV)
        assert held.table is not None
        return shown.read_table(self._file(held.table))

    def _images(self, held: Holding) -> Path:
        if held.by_agreement:
            return self._agreed(held)
        assert held.images is not None
        given = self._given(held.images)
        if given is not None:
            _adopt(given, held.images)
        return fetch_archive(held.images)

    def _agreed(self, held: Holding) -> Path:
        return provided(
            f"brainscore/{held.member}",
            f"the images of LAION-fMRI and their table {_STIMULI_CSV}",
            "They are had under a data use agreement from the authors of LAION-fMRI. The table "
            "has the columns stimulus_id and filename.",
            folder=self.folder,
        )

    @contextmanager
    def _opened(self, holding: Holding) -> Iterator[StoredArray]:
        if holding.unpinned:
            path = self._unpinned(holding)
            probe(path)
        else:
            assert holding.responses is not None
            path = self._file(holding.responses)
        with opened(path) as stored:
            yield stored

    def _unpinned(self, holding: Holding) -> Path:
        name = holding.unpinned.rpartition("/")[2]
        advice = (
            f"Nobody published a digest of {holding.unpinned}, so Corteval does not download it; a "
            "download was reported to be corrupted (neural-nlp issue 52)."
        )
        path = provided(self._name, f"the file {name}", advice, folder=self.folder) / name
        if not path.is_file():
            raise NotInData(f"{self._name}: there is no {name} in {path.parent}. {advice}")
        return path

    def _file(self, resource: Resource) -> Path:
        return self._given(resource) or fetch(resource)

    def _given(self, resource: Resource) -> Path | None:
        """The file in the user's folder, if it is there.

        Raises:
            WrongContent: if it is not the archive's.
        """
        if self.folder is None:
            return None
        folder = Path(self.folder).expanduser()
        places = folder / resource.filename, folder / resource.digest / resource.filename
        path = next((place for place in places if place.is_file()), None)
        if path is not None:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, resource.algorithm).hexdigest()
            if found != resource.digest:
                raise WrongContent(
                    f"{path} has {resource.algorithm} {found}, and the archive's file has "
                    f"{resource.digest}. Get it anew, or take it out of the folder."
                )
        return path


def _adopt(path: Path, resource: Resource) -> None:
    """Lay a verified file where downloads lie, so that it is unpacked like one."""
    place = local_path(resource)
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        shutil.copyfile(path, temporary)
        temporary.replace(place)
    finally:
        temporary.unlink(missing_ok=True)
