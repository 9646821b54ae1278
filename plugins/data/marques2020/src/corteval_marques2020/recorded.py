"""Properties of single recorded units, counted over the bins of the published benchmarks.

Nobody may redistribute the values of the units, so they come from Brain-Score's archive or from the
authors' own file. Source: spec ``marques2020`` sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast, final

import numpy as np
import xarray as xr

from corteval import registry, settings
from corteval.data import DataSource
from corteval.errors import AssemblyError, FetchError, OptionError
from corteval_marques2020 import matlab

#: Where files lie that a user has, unless a folder is named.
PROVIDED = "Marques2020"

_PROPERTY_DIMS = ("neuroid_property", "neuronal_property")
_BINS_AGREE = 1e-6


@final
@dataclass(frozen=True, kw_only=True)
class Recording:
    """Units recorded for one paper.

    Args:
        member: name in the archive.
        units: number of units published.
        file: of the authors, with what the properties are computed from.
        read: (file) -> values of the units by name of the property in the archive.
        stimuli: name of the set that measures the properties in a subject.
    """

    member: str
    units: int
    file: str
    read: Callable[[Path], Mapping[str, np.ndarray]]
    stimuli: str


@final
@dataclass(frozen=True, kw_only=True)
class RecordedProperty:
    """A property of recorded units.

    Args:
        recording: where the units come from.
        column: name of the property in the archive.
        edges: of the bins; half-open, the last one closed.
        unit: of the edges.
    """

    recording: Recording
    column: str
    edges: tuple[float, ...]
    unit: str


RINGACH2002 = Recording(
    member="Ringach2002",
    units=304,
    file="Ringach2002.mat",
    read=matlab.ringach2002,
    stimuli="orientation",
)
FREEMANZIEMBA2013 = Recording(
    member="FreemanZiemba2013_V1_properties",
    units=102,
    file="FreemanZiemba2013_V1V2data.mat",
    read=matlab.freemanziemba2013,
    stimuli="texture",
)


def _even(low: float, high: float, edges: int) -> tuple[float, ...]:
    return tuple(np.linspace(low, high, edges).tolist())


def _decades(low: float, high: float, edges: int) -> tuple[float, ...]:
    return tuple(np.logspace(low, high, edges).tolist())


def _ringach(column: str, edges: tuple[float, ...], unit: str) -> RecordedProperty:
    return RecordedProperty(recording=RINGACH2002, column=column, edges=edges, unit=unit)


def _texture(column: str, edges: tuple[float, ...], unit: str) -> RecordedProperty:
    return RecordedProperty(recording=FREEMANZIEMBA2013, column=column, edges=edges, unit=unit)


RECORDED: Mapping[str, RecordedProperty] = {
    "circular_variance": _ringach("circular_variance", _even(0, 1, 14), "fraction"),
    "or_bandwidth": _ringach("bandwidth", _even(0, 90, 18), "degrees"),
    "orth_pref_ratio": _ringach("orthogonal_preferred_ratio", _even(0, 1, 14), "ratio"),
    "or_selective": _ringach("orientation_selective", _even(0, 1, 3), "0 or 1"),
    "cv_bandwidth_ratio": _ringach(
        "circular_variance_bandwidth_ratio", _decades(-3, 0, 16), "1/degrees"
    ),
    "opr_cv_diff": _ringach(
        "orthogonal_preferred_ratio_circular_variance_difference", _even(-1, 1, 20), "difference"
    ),
    "max_dc": _ringach("max_dc", _decades(0, 3, 10), "spikes/s"),
    "modulation_ratio": _ringach("modulation_ratio", _even(0, 2, 11), "ratio"),
    "texture_modulation_index": _texture("texture_modulation_index", _even(-1, 1, 25), "index"),
    "abs_texture_modulation_index": _texture(
        "absolute_texture_modulation_index", _even(0, 1, 13), "index"
    ),
    "texture_selectivity": _texture("texture_selectivity", _even(0, 1, 11), "sparseness"),
    "texture_sparseness": _texture("texture_sparseness", _even(0, 1, 11), "sparseness"),
    "texture_variance_ratio": _texture("variance_ratio", _decades(-2, 1, 13), "ratio"),
    "max_texture": _texture("max_texture", _decades(-1, 3, 13), "spikes/s"),
    "max_noise": _texture("max_noise", _decades(-1, 3, 13), "spikes/s"),
}


def recorded_values(
    prop: RecordedProperty, folder: str | Path | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The property in every recorded unit, NaN where it is undefined, and remarks.

    Args:
        prop: which.
        folder: with the authors' file or the archive's; see `provided_folder`.

    Raises:
        FetchError: if neither can be had; says who may have them and where to put them.
        AssemblyError: if the file is of another form.
    """
    place = provided_folder(folder)
    recording = prop.recording
    if place is not None and (place / recording.file).is_file():
        values = recording.read(place / recording.file)[prop.column]
        remarks = [f"Computed from the file {recording.file} that you provided."]
    else:
        with explained(recording.file):
            stored = archive(recording.member, place).assembly()
        values, remarks = _column(stored, prop)
    if len(values) != recording.units:
        remarks.append(f"There are {len(values)} units; {recording.units} were published.")
    return values, tuple(remarks)


def counts(values: np.ndarray, edges: tuple[float, ...]) -> np.ndarray:
    """Units per bin; values beyond the bins count in the outer ones, NaN in none."""
    defined = values[~np.isnan(values)]
    found, _ = np.histogram(np.clip(defined, edges[0], edges[-1]), np.array(edges))
    return np.asarray(found, np.int64)


def archive(member: str, folder: Path | None) -> DataSource:
    """A member of Brain-Score's archive, from files in `folder` where they are there."""
    return cast("DataSource", registry.data.create(f"brainscore/{member}", folder=folder))


def provided_folder(folder: str | Path | None) -> Path | None:
    """`folder`, else ``<CORTEVAL_HOME>/provided/Marques2020`` if it exists, else None.

    Raises:
        OptionError: if `folder` is none.
    """
    if folder is None:
        usual = settings.home() / "provided" / PROVIDED
        return usual if usual.is_dir() else None
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise OptionError(f"folder: {folder} is no folder.")
    return place


@contextmanager
def explained(files: str) -> Iterator[None]:
    """Say, when the archive's file cannot be had, that the authors' own `files` will do."""
    try:
        yield
    except FetchError as error:
        usual = settings.home() / "provided" / PROVIDED
        raise type(error)(
            f"{error}\nThe authors' own files do as well: put {files} into {usual}, or name their "
            "folder by the option `folder` of the data set."
        ) from error


def _column(stored: xr.DataArray, prop: RecordedProperty) -> tuple[np.ndarray, list[str]]:
    """Values of one property in the archive's array of neuroids by properties."""
    name = f"The archive's {prop.recording.member}"
    dim = next((d for d in _PROPERTY_DIMS if d in stored.dims), None)
    if dim is None or set(stored.dims) != {"neuroid", dim} or dim not in stored.coords:
        raise AssemblyError(
            f"{name} has dims {', '.join(map(str, stored.dims))}; needed are neuroid and "
            f"{_PROPERTY_DIMS[0]} with the names of the properties."
        )
    names = [str(n) for n in stored[dim].values]
    if prop.column not in names:
        raise AssemblyError(f"{name} has no property {prop.column}; it has {', '.join(names)}.")
    values = stored.isel({dim: names.index(prop.column)}).values.astype(np.float64)
    bins = stored.attrs.get(f"{prop.column}_bins")
    if bins is None or _agree(bins, prop.edges):
        return values, []
    return values, [
        f"{name} names other bins of {prop.column} than the published ones, which are used here."
    ]


def _agree(bins: object, edges: tuple[float, ...]) -> bool:
    found = np.atleast_1d(np.asarray(bins))
    return (
        found.dtype.kind in "iuf"
        and found.shape == (len(edges),)
        and bool(np.allclose(found, edges, rtol=_BINS_AGREE, atol=_BINS_AGREE))
    )
