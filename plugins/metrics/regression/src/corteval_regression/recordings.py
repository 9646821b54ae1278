"""Recordings that come in two data sets, one to fit on and one to test on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval import stimuli as sets
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError
from corteval.stats.resampling import subjects_of
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Recordings:
    """Responses of several subjects to training and test stimuli.

    Args:
        data: identifiers of the two data sets.
        neuroids: which are kept, see `corteval.assembly.select_neuroids`.
        bins_as_neuroids: every time bin of a neuroid counts as a neuroid of its own; otherwise
            data have one bin at most.
        visual_degrees: extent of the stimuli, if the data do not say it.
        train_options, test_options: of the data sets.
    """

    data: tuple[str, ...]
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    bins_as_neuroids: bool = False
    visual_degrees: float | None = None
    train_options: Mapping[str, Any] = field(default_factory=dict)
    test_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.data) != 2:
            raise OptionError(
                f"Needed are two data sets, one to fit on and one to test on, not "
                f"{len(self.data)}: {', '.join(self.data)}."
            )

    @cached_property
    def stimuli(self) -> StimulusSet:
        """Training stimuli, then test stimuli."""
        whole = sets.joined([source.stimuli() for source in self._sources])
        return whole.sized(self.visual_degrees)

    @cached_property
    def trials(self) -> xr.DataArray:
        """(presentation, neuroid[, trial]) of the test stimuli."""
        return self._prepared(self._sources[1])

    @cached_property
    def means(self) -> xr.DataArray:
        """(presentation, neuroid) means over trials; ``split`` says ``"train"`` or ``"test"``."""
        parts = {"train": self._prepared(self._sources[0]), "test": self.trials}
        return assemblies.joined(
            [
                assemblies.responses_matrix(part).assign_coords(
                    split=("presentation", [name] * part.sizes["presentation"])
                )
                for name, part in parts.items()
            ]
        )

    @cached_property
    def columns(self) -> dict[str, np.ndarray]:
        """Positions of each subject's neuroids, by name in sorted order.

        Raises:
            AssemblyError: if it is not said whose the neuroids are.
        """
        return columns_of_subjects(self.means)

    @cached_property
    def trials_of_subjects(self) -> dict[str, xr.DataArray]:
        """`trials` of the neuroids of each subject.

        Raises:
            AssemblyError: if it is not said whose the neuroids are.
        """
        columns = columns_of_subjects(self.trials)
        return {name: self.trials.isel(neuroid=own) for name, own in columns.items()}

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of stimuli and responses, for the provenance of a score."""
        return {
            "stimuli": self.stimuli.digest(),
            "assembly": assemblies.digest(self.trials),
            "means": assemblies.digest(self.means),
        }

    @cached_property
    def _sources(self) -> tuple[DataSource, DataSource]:
        options = self.train_options, self.test_options
        first, second = (
            cast("DataSource", registry.data.create(name, **given))
            for name, given in zip(self.data, options, strict=True)
        )
        return first, second

    def _prepared(self, source: DataSource) -> xr.DataArray:
        assembly = assemblies.check_neural(source.assembly())
        assembly = assemblies.select_neuroids(assembly, self.neuroids)
        return bins_as_neuroids(assembly) if self.bins_as_neuroids else assembly


def columns_of_subjects(assembly: xr.DataArray) -> dict[str, np.ndarray]:
    """Positions of each subject's neuroids, by name in sorted order.

    Raises:
        AssemblyError: if it is not said whose the neuroids are.
    """
    subject = subjects_of(assembly)
    if subject is None:
        raise AssemblyError(
            "Scores are means over subjects, but the neuroids have no coordinate 'subject' that "
            "says whose they are."
        )
    return {str(name): np.flatnonzero(subject == name) for name in np.unique(subject)}


def bins_as_neuroids(assembly: xr.DataArray) -> xr.DataArray:
    """Every time bin of every neuroid as a neuroid, bins of one neuroid next to each other.

    The id becomes ``<neuroid>@<start>``, start as the assembly has it; the bin's ends become
    coordinates of neuroids.

    Args:
        assembly: (presentation, neuroid, time_bin[, trial]).

    Returns:
        (presentation, neuroid x time_bin[, trial]).

    Raises:
        AssemblyError: if there are no time bins.
    """
    if "time_bin" not in assembly.dims:
        raise AssemblyError("There are no time bins to predict one by one.")
    assembly = assembly.transpose("presentation", "neuroid", "time_bin", ...)
    neuroids, bins = assembly.sizes["neuroid"], assembly.sizes["time_bin"]
    coords: dict[str, Any] = {}
    for name, coord in assembly.coords.items():
        if coord.dims == ("neuroid",):
            coords[str(name)] = "neuroid", np.repeat(coord.values, bins)
        elif coord.dims == ("time_bin",):
            coords[str(name)] = "neuroid", np.tile(coord.values, neuroids)
        elif not {"neuroid", "time_bin"} & set(coord.dims):
            coords[str(name)] = coord.dims, coord.values
    names, starts = coords["neuroid_id"][1], coords["time_bin_start_ms"][1]
    ids = [f"{name}@{start:g}" for name, start in zip(names, starts, strict=True)]
    coords["neuroid_id"] = "neuroid", ids
    dims = [d for d in assembly.dims if d != "time_bin"]
    shape = (assembly.sizes["presentation"], neuroids * bins, *assembly.shape[3:])
    return xr.DataArray(assembly.values.reshape(shape), dims=dims, coords=coords)
