"""Two versions of a data set compared by label, never by position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.local.description import Description
from corteval.local.exchange.differences import (
    Change,
    ColumnChange,
    Differences,
    Entries,
    NeuroidChange,
    ValueChange,
)
from corteval.stimuli import StimulusSet

_ACCESS = ("visibility", "licence", "citation")
_CONTENT = ("path", "text")
_LABELS = {"neuroid": "neuroid_id", "choice": "choice"}
_BINS = ("time_bin_start_ms", "time_bin_end_ms")


def compare(
    old: tuple[Description, StimulusSet, xr.DataArray],
    new: tuple[Description, StimulusSet, xr.DataArray],
) -> Differences:
    """Compare two versions, both read."""
    (before, old_stimuli, old_array), (after, new_stimuli, new_array) = old, new
    changes = [*_described(before, after)]
    names = [c for c in changes if c.name in _FILES]
    access = [c for c in changes if c.name in _ACCESS]
    old_array, new_array = _unique_rows(old_array), _unique_rows(new_array)
    old_part, new_part = _common(old_array, new_array)
    return Differences(
        description=tuple(c for c in changes if c not in names and c not in access),
        access=tuple(access),
        files=tuple(names),
        stimuli=_entries(old_stimuli.stimulus_ids, new_stimuli.stimulus_ids),
        contents=_contents(old_stimuli, new_stimuli),
        stimulus_columns=_table_columns(old_stimuli, new_stimuli),
        form=tuple(_form(old_array, new_array)),
        presentations=_entries(_labels(old_array, _ROW), _labels(new_array, _ROW)),
        neuroids=_entries(_labels(old_array, "neuroid"), _labels(new_array, "neuroid")),
        values=_values(old_part, new_part),
        coordinates=tuple(_coordinates(old_part, new_part)),
    )


# Descriptions and stimuli

_FILES = (
    "stimuli",
    "responses.file",
    "responses.dims",
    "responses.neuroids",
    "responses.presentations",
    "responses.variable",
    "responses.value",
)


def _described(old: Description, new: Description) -> Iterator[Change]:
    before, after = _flat(old), _flat(new)
    for name, value in before.items():
        if value != after[name]:
            yield Change(name=name, old=value, new=after[name])


def _flat(description: Description) -> dict[str, Any]:
    content = asdict(description)
    content.pop("folder")
    responses = content.pop("responses")
    return {**content, **{f"responses.{name}": value for name, value in responses.items()}}


def _entries(old: Sequence[str], new: Sequence[str]) -> Entries:
    before, after = set(old), set(new)
    kept = [i for i in old if i in after]
    return Entries(
        added=tuple(i for i in new if i not in before),
        removed=tuple(i for i in old if i not in after),
        reordered=kept != [i for i in new if i in before],
    )


def _contents(old: StimulusSet, new: StimulusSet) -> tuple[str, ...]:
    before = dict(zip(old.stimulus_ids, old.contents(), strict=True))
    after = dict(zip(new.stimulus_ids, new.contents(), strict=True))
    return tuple(i for i, content in before.items() if i in after and after[i] != content)


def _table_columns(old: StimulusSet, new: StimulusSet) -> tuple[ColumnChange, ...]:
    ids = [i for i in old.stimulus_ids if i in new.table.index]
    before = {str(c): old.table[c].loc[ids].to_numpy() for c in old.table if c not in _CONTENT}
    after = {str(c): new.table[c].loc[ids].to_numpy() for c in new.table if c not in _CONTENT}
    return tuple(_columns(before, after, dict.fromkeys([*before, *after], ids)))


def _columns(
    old: dict[str, np.ndarray], new: dict[str, np.ndarray], labels: Mapping[str, Sequence[str]]
) -> Iterator[ColumnChange]:
    for name in sorted({*old, *new}):
        if name not in new or name not in old:
            yield ColumnChange(name=name, what="removed" if name in old else "added")
            continue
        unlike = np.flatnonzero(~_same(old[name], new[name]))
        if len(unlike):
            first = int(unlike[0])
            example = f"{old[name][first]!s} -> {new[name][first]!s} at {labels[name][first]}"
            yield ColumnChange(name=name, what="changed", count=len(unlike), example=example)


def _same(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Where two arrays of one shape agree; missing values agree with each other."""
    numeric = old.dtype.kind in "fiub" and new.dtype.kind in "fiub"
    if numeric:
        return np.asarray((old == new) | (_missing(old) & _missing(new)))
    if old.dtype.kind in "fiub" or new.dtype.kind in "fiub":  # "1" is not 1
        return np.zeros(old.shape, bool)
    return np.asarray(old.astype(str) == new.astype(str))


def _missing(values: np.ndarray) -> np.ndarray:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)


# Responses

#: Coordinate that tells rows of behaviour apart.
_ROW = "presentation"
_KEY = "corteval_row"


def _unique_rows(array: xr.DataArray) -> xr.DataArray:
    """With a coordinate that names each row: by stimulus, and in behaviour by who saw it when."""
    names = [n for n in ("stimulus_id", "subject", "session") if _is_along(array, n, _ROW)]
    if "neuroid" in array.dims:
        names = names[:1]
    frame = pd.DataFrame({name: array[name].values.astype(str) for name in names})
    keys = frame[names[0]].str.cat(frame[names[1:]], sep=", ") if names[1:] else frame[names[0]]
    time = keys.groupby(keys).cumcount()
    keys = keys.where(time == 0, keys + ", time " + (time + 1).astype(str))
    return array.assign_coords({_KEY: (_ROW, keys.to_numpy(object))})


def _is_along(array: xr.DataArray, name: str, dim: str) -> bool:
    return name in array.coords and array[name].dims == (dim,)


def _labels(array: xr.DataArray, dim: str) -> list[str]:
    """Names of what lies along a dim; numbers where there are none."""
    if dim not in array.dims:
        return []
    if dim == "time_bin" and all(name in array.coords for name in _BINS):
        starts, ends = (array[name].values for name in _BINS)
        return [f"{start:g} to {end:g} ms" for start, end in zip(starts, ends, strict=True)]
    name = _KEY if dim == _ROW else _LABELS.get(dim, "")
    if name in array.coords:
        return [str(label) for label in array[name].values]
    return [str(number) for number in range(array.sizes[dim])]


def _form(old: xr.DataArray, new: xr.DataArray) -> Iterator[Change]:
    if old.dims != new.dims:
        yield Change(name="dims", old=list(map(str, old.dims)), new=list(map(str, new.dims)))
    for dim in ("time_bin", "trial", "choice"):
        before, after = (a.sizes.get(dim) for a in (old, new))
        if before != after:
            yield Change(name=f"{dim}s", old=before, new=after)
    kinds = tuple("text" if a.dtype.kind in "OUT" else str(a.dtype) for a in (old, new))
    if kinds[0] != kinds[1]:
        yield Change(name="type", old=kinds[0], new=kinds[1])


def _common(old: xr.DataArray, new: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Both, cut to what both have, in the order of `old`; a dim that one lacks has one entry."""
    for dim in old.dims:
        if dim not in new.dims:
            new = new.expand_dims(dim)
    for dim in new.dims:
        if dim not in old.dims:
            old = old.expand_dims(dim)
    new = new.transpose(*old.dims)
    for dim in map(str, old.dims):
        place = {label: index for index, label in enumerate(_labels(new, dim))}
        rows = [(i, place[x]) for i, x in enumerate(_labels(old, dim)) if x in place]
        first, second = np.array(rows, int).reshape(-1, 2).T
        if not np.array_equal(first, np.arange(old.sizes[dim])):
            old = old.isel({dim: first})
        if not np.array_equal(second, np.arange(new.sizes[dim])):
            new = new.isel({dim: second})
    return old, new


def _values(old: xr.DataArray, new: xr.DataArray) -> ValueChange | None:
    axes = [str(dim) for dim in old.dims]
    if "neuroid" not in axes:
        tallies = [_tally(old.values, new.values)] if old.size else []
        ids = [""]
    else:
        axis = axes.index("neuroid")
        ids = _labels(old, "neuroid")
        # a neuroid at a time: responses may be mapped from a file larger than the memory
        tallies = [
            _tally(np.take(old.values, n, axis), np.take(new.values, n, axis))
            for n in range(len(ids))
        ]
    total = sum(tally[0] for tally in tallies)
    if not total:
        return None
    numbers = [t[1] for t in tallies if t[1] is not None]
    changed = [
        NeuroidChange(neuroid_id=name, count=tally[0], largest=tally[1])
        for name, tally in zip(ids, tallies, strict=False)
        if tally[0] and name
    ]
    changed.sort(key=lambda c: (-(c.largest or 0.0), -c.count))
    return ValueChange(
        compared=old.size,
        count=total,
        largest=max(numbers) if numbers else None,
        appeared=sum(tally[2] for tally in tallies),
        vanished=sum(tally[3] for tally in tallies),
        neuroids=tuple(changed),
    )


def _tally(old: np.ndarray, new: np.ndarray) -> tuple[int, float | None, int, int]:
    """Count of differences, the largest one (None: not of numbers), appeared and vanished."""
    count = int((~_same(old, new)).sum())
    if not count or old.dtype.kind not in "fiub" or new.dtype.kind not in "fiub":
        return count, None, 0, 0
    lacking, gone = _missing(old), _missing(new)
    both = ~(lacking | gone)
    distance = np.abs(old[both].astype(float) - new[both].astype(float))
    distance = distance[distance > 0]
    largest = float(distance.max()) if distance.size else None
    return count, largest, int((lacking & ~gone).sum()), int((gone & ~lacking).sum())


def _coordinates(old: xr.DataArray, new: xr.DataArray) -> Iterator[ColumnChange]:
    dims = {str(n): c.dims for a in (old, new) for n, c in a.coords.items() if str(n) != _KEY}
    flat = {name: along for name, along in dims.items() if len(along) == 1}
    before = {n: old[n].values for n in flat if _is_along(old, n, str(flat[n][0]))}
    after = {n: new[n].values for n in flat if _is_along(new, n, str(flat[n][0]))}
    labels = {name: _labels(old, str(along[0])) for name, along in flat.items()}
    yield from _columns(before, after, labels)
