"""Neural assemblies: one stored row a presentation, gathered into an axis of trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import check_neural
from corteval.errors import AssemblyError
from corteval.memory import available_bytes
from corteval.requests import TimeBin
from corteval_brainscore.netcdf import StoredArray, text

_EDGES = {"time_bin_start": "time_bin_start_ms", "time_bin_end": "time_bin_end_ms"}
#: Coordinates that tell neuroids apart where their ids repeat, in the order they are tried.
_TELLING = ("animal", "subject", "subject_id", "subject_UID", "region", "roi", "electrode")
_NUMBERS = np.dtype(np.float32), np.dtype(np.float64)


def neural_assembly(
    stored: StoredArray, *, average: bool = False, time_bins: Sequence[TimeBin] = ()
) -> xr.DataArray:
    """Presentation x neuroid[ x time_bin][ x trial]; missing trials are NaN.

    Rows of one stimulus become its trials, in the order of ``repetition`` if that coordinate tells
    them apart, else in that of the file. Coordinates that differ between trials of a stimulus are
    along presentation and trial; where a trial is missing, they are NaN or empty. Stimuli stand in
    the order of their first row.

    Args:
        stored: with dims presentation and neuroid, and perhaps time_bin.
        average: mean over the trials that are not NaN, computed while reading.
        time_bins: only these.

    Raises:
        AssemblyError: if ids are missing, or the assembly does not fit into the memory.
    """
    if "stimulus_id" not in stored.coords:
        raise AssemblyError(f"{stored.path} has neither coordinate stimulus_id nor image_id.")
    empty = [dim for dim in stored.dims if not stored.values.sizes[dim]]
    if empty:
        raise AssemblyError(f"{stored.path} has no {' and no '.join(empty)}.")
    rows = _Rows(stored)
    bins = _bins(stored, time_bins)
    shape = (len(rows.stimulus_ids), stored.values.sizes["neuroid"])
    values = (_means if average else _trials)(stored, rows, shape, bins)
    dims = ["presentation", "neuroid"]
    if bins is not None:
        dims.append("time_bin")
    if values.ndim > len(dims):
        dims.insert(1, "trial")
    assembly = xr.DataArray(values, dims=dims, coords=_coords(stored, rows, bins, dims))
    order = [d for d in ("presentation", "neuroid", "time_bin", "trial") if d in dims]
    return check_neural(assembly.transpose(*order))


class _Rows:
    """Which stimulus and which of its trials a stored row is."""

    def __init__(self, stored: StoredArray) -> None:
        ids = np.array(text(stored.coords["stimulus_id"][1]), str)
        self.stimulus, names = pd.factorize(ids)
        self.stimulus_ids = [str(i) for i in names]
        counts = np.bincount(self.stimulus, minlength=len(names))
        self.most = int(counts.max(initial=1))
        order = np.lexsort((self._repetition(stored), self.stimulus))
        first = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self.trial = np.empty(len(ids), np.int64)
        self.trial[order] = np.arange(len(ids)) - np.repeat(first, counts)
        self.start = np.empty(len(names), np.int64)  # the row of every stimulus' first trial
        self.start[self.stimulus[order[first]]] = order[first]

    def _repetition(self, stored: StoredArray) -> np.ndarray:
        """Sorts rows of one stimulus; the sort is stable, so a constant keeps the file's order."""
        found = stored.along("presentation").get("repetition")
        plain = np.zeros(len(self.stimulus))
        if found is None:
            return plain
        pairs = pd.MultiIndex.from_arrays([self.stimulus, found])
        return plain if pairs.duplicated().any() else found


def _bins(stored: StoredArray, wanted: Sequence[TimeBin]) -> np.ndarray | None:
    """Positions of the time bins to keep; None if there is no such dimension."""
    if "time_bin" not in stored.dims:
        if wanted:
            raise AssemblyError(f"{stored.path} has no time bins to choose from.")
        return None
    along = stored.along("time_bin")
    lacking = [name for name in _EDGES if name not in along]
    if lacking:
        raise AssemblyError(f"{stored.path} has time bins without {' and '.join(lacking)}.")
    edges = list(zip(along["time_bin_start"].tolist(), along["time_bin_end"].tolist(), strict=True))
    if not wanted:
        return np.arange(len(edges))
    absent = [b for b in wanted if (b.start_ms, b.end_ms) not in edges]
    if absent:
        shown = ", ".join(f"{start:g}-{end:g}" for start, end in edges[:8])
        raise AssemblyError(
            f"{stored.path} has no time bin {absent[0].start_ms:g}-{absent[0].end_ms:g} ms; it "
            f"has {shown}{', ...' if len(edges) > 8 else ''}."
        )
    return np.array([edges.index((b.start_ms, b.end_ms)) for b in wanted])


def _pieces(stored: StoredArray, bins: np.ndarray | None) -> Any:
    """Rows of the file and their values: presentation, neuroid[, time_bin]."""
    rest = [d for d in stored.dims if d != "presentation"]
    kept = ["neuroid"] if bins is None else ["neuroid", "time_bin"]
    every = bins is None or len(bins) == stored.values.sizes["time_bin"]
    for piece, block in stored.blocks("presentation"):
        block = block.transpose(0, *(1 + rest.index(dim) for dim in kept))
        yield piece, block if bins is None or every else block[:, :, bins]


def _trials(
    stored: StoredArray, rows: _Rows, shape: tuple[int, int], bins: np.ndarray | None
) -> np.ndarray:
    """(presentation, [trial,] neuroid[, time_bin]); rows of the file are copied as they are."""
    dtype = _number(stored)
    tail = shape[1:] if bins is None else (*shape[1:], len(bins))
    whole = (shape[0], rows.most, *tail)
    _afford(stored, whole, dtype)
    ragged = shape[0] * rows.most != len(rows.stimulus)
    cube = np.full(whole, np.nan, dtype) if ragged else np.empty(whole, dtype)
    for piece, block in _pieces(stored, bins):
        cube[rows.stimulus[piece], rows.trial[piece]] = block
    return cube[:, 0] if rows.most == 1 else cube


def _means(
    stored: StoredArray, rows: _Rows, shape: tuple[int, int], bins: np.ndarray | None
) -> np.ndarray:
    """(presentation, neuroid[, time_bin]): sums and counts over trials that are not NaN."""
    tail = shape if bins is None else (*shape, len(bins))
    _afford(stored, tail, np.dtype(np.float64))
    sums, counts = np.zeros(tail), np.zeros(tail, np.int32)
    for piece, block in _pieces(stored, bins):
        stimulus = rows.stimulus[piece]
        here = np.isfinite(block) if block.dtype.kind == "f" else np.ones(block.shape, bool)
        order = np.argsort(stimulus, kind="stable")
        starts = np.flatnonzero(np.diff(stimulus[order], prepend=-1))
        which = stimulus[order[starts]]
        filled = np.where(here, block, 0).astype(np.float64, copy=False)
        sums[which] += np.add.reduceat(filled[order], starts, axis=0)
        counts[which] += np.add.reduceat(here[order].astype(np.int32), starts, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (sums / counts).astype(_number(stored))


def _number(stored: StoredArray) -> np.dtype[Any]:
    dtype = stored.values.dtype
    if dtype.kind not in "biuf":
        raise AssemblyError(f"{stored.path}: responses are numbers, not {dtype}.")
    if dtype in _NUMBERS:
        return np.dtype(dtype)
    return _NUMBERS[0] if dtype.itemsize <= 2 else _NUMBERS[1]


def _afford(stored: StoredArray, shape: Sequence[int], dtype: np.dtype[Any]) -> None:
    size, free = int(np.prod(shape, dtype=np.float64)) * dtype.itemsize, available_bytes()
    if size > free:
        raise AssemblyError(
            f"{stored.path.name} needs {size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are "
            "free. Ask for the mean over trials with average=True, or for a few time_bins."
        )


def _coords(
    stored: StoredArray, rows: _Rows, bins: np.ndarray | None, dims: list[str]
) -> dict[str, Any]:
    coords: dict[str, Any] = {"stimulus_id": ("presentation", rows.stimulus_ids)}
    for name, values in stored.along("presentation").items():
        if name not in {"stimulus_id", "presentation"}:
            coords[name] = _by_stimulus(values, rows, "trial" in dims)
    coords |= _neuroids(stored)
    for name, values in stored.along("time_bin").items():
        if bins is not None and name != "time_bin":
            coords[_EDGES.get(name, name)] = "time_bin", values[bins]
    for name, (over, values) in stored.coords.items():
        if not over:
            coords[_EDGES.get(name, name)] = values[()]
        elif len(over) > 1:
            stored.notes.append(f"Coordinate {name} along {' and '.join(over)} was left out.")
    return {name: value for name, value in coords.items() if value is not None}


def _by_stimulus(values: np.ndarray, rows: _Rows, trials: bool) -> Any:
    """A coordinate along presentation if all trials of every stimulus agree, else along both."""
    first = values[rows.start]
    same = values == first[rows.stimulus]
    if values.dtype.kind == "f":
        same |= np.isnan(values) & np.isnan(first[rows.stimulus])
    if same.all():
        return "presentation", first
    if not trials:
        return None  # means have no coordinate of single trials
    shape = len(rows.start), rows.most
    ragged = len(values) < shape[0] * shape[1]
    if ragged and values.dtype.kind != "U":
        table = np.full(shape, np.nan)
    else:
        table = np.zeros(shape, values.dtype)  # of text: empty
    table[rows.stimulus, rows.trial] = values
    return ("presentation", "trial"), table


def _neuroids(stored: StoredArray) -> dict[str, Any]:
    """Coordinates of neuroids, with ids that are text and differ."""
    along = stored.along("neuroid")
    if "neuroid" in along:  # an index over neuroids that was no list of coordinates
        along.setdefault("neuroid_id", along.pop("neuroid"))
    count = stored.values.sizes["neuroid"]
    ids = text(along.pop("neuroid_id")) if "neuroid_id" in along else None
    coords: dict[str, Any] = {name: ("neuroid", values) for name, values in along.items()}
    if ids is None:
        ids = [str(number) for number in range(count)]
        stored.notes.append("The file names no neuroids; their ids are their positions.")
    elif len(set(ids)) < count:
        coords["neuroid_id_stored"] = "neuroid", ids
        ids = _told_apart(ids, [text(along[name]) for name in _TELLING if name in along])
        stored.notes.append("Ids of neuroids repeat; what tells them apart was put before them.")
    coords["neuroid_id"] = "neuroid", ids
    return coords


def _told_apart(ids: list[str], columns: list[list[str]]) -> list[str]:
    for column in columns:
        ids = [f"{value}.{name}" for value, name in zip(column, ids, strict=True)]
        if len(set(ids)) == len(ids):
            return ids
    return [f"{name}.{number}" for number, name in enumerate(ids)]
