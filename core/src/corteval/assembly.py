"""Assemblies: plain `xarray.DataArray` of responses, checked at every border.

Neural assemblies have dims ``presentation, neuroid[, time_bin][, trial]`` with coordinates
``stimulus_id`` (presentation), ``neuroid_id`` (neuroid) and ``time_bin_start_ms``,
``time_bin_end_ms`` (time_bin). Behavioural ones have ``presentation[, choice]``. Missing trials
are NaN. There is no MultiIndex and nothing is selected by position.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError
from corteval.requests import TimeBin

NEURAL_DIMS = ("presentation", "neuroid", "time_bin", "trial")

#: Presentation coordinate that says which stimuli are drawn together for intervals; without it
#: `corteval.stats.splits.GROUPINGS` do.
DRAWN_TOGETHER = "drawn_together"

#: Bytes of responses that are averaged together.
_BLOCK_BYTES = 32 << 20


def neural(
    values: np.ndarray,
    stimulus_ids: Sequence[str],
    neuroids: Mapping[str, Any],
    *,
    time_bins: Sequence[TimeBin] = (),
    presentation: Mapping[str, Any] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Build a neural assembly.

    Args:
        values: (presentation, neuroid[, time_bin][, trial]); a third axis is time if `time_bins`
            are given, else trials.
        stimulus_ids: one a presentation.
        neuroids: coordinates of neuroids, ``neuroid_id`` among them.
        time_bins: of the third axis.
        presentation: further coordinates of presentations.
        attrs: facts about the whole assembly.
    """
    dims = [d for d in NEURAL_DIMS if d != "time_bin" or time_bins][: np.ndim(values)]
    coords: dict[str, Any] = {"stimulus_id": ("presentation", list(stimulus_ids))}
    coords |= {name: ("presentation", column) for name, column in (presentation or {}).items()}
    coords |= {name: ("neuroid", column) for name, column in neuroids.items()}
    if time_bins:
        coords["time_bin_start_ms"] = ("time_bin", [b.start_ms for b in time_bins])
        coords["time_bin_end_ms"] = ("time_bin", [b.end_ms for b in time_bins])
    try:
        assembly = xr.DataArray(values, coords=coords, dims=dims, attrs=dict(attrs or {}))
    except ValueError as error:
        raise AssemblyError(f"Values of shape {np.shape(values)} do not fit: {error}") from error
    return check_neural(assembly)


def check_neural(assembly: xr.DataArray) -> xr.DataArray:
    """Return `assembly` if it is a neural assembly.

    Raises:
        AssemblyError: says which dimension, coordinate or id is wrong.
    """
    _check_array(assembly, required=("presentation", "neuroid"), allowed=NEURAL_DIMS)
    _check_ids(assembly, "stimulus_id", "presentation")
    _check_ids(assembly, "neuroid_id", "neuroid")
    if "time_bin" in assembly.dims:
        for name in ("time_bin_start_ms", "time_bin_end_ms"):
            _check_coordinate(assembly, name, "time_bin")
        if not (assembly["time_bin_end_ms"].values > assembly["time_bin_start_ms"].values).all():
            raise AssemblyError("A time bin does not end after it starts.")
    if assembly.dtype.kind not in "fiu":
        raise AssemblyError(f"Responses are numbers, not {assembly.dtype}.")
    return assembly


def check_behavioural(assembly: xr.DataArray) -> xr.DataArray:
    """Return `assembly` if it is behavioural: ``presentation[, choice]`` with stimulus ids."""
    _check_array(assembly, required=("presentation",), allowed=("presentation", "choice"))
    _check_coordinate(assembly, "stimulus_id", "presentation")
    if "choice" in assembly.dims:
        _check_ids(assembly, "choice", "choice")
    return assembly


def align(source: xr.DataArray, target: xr.DataArray) -> xr.DataArray:
    """`source` with its presentations in the order of `target`'s, matched by ``stimulus_id``.

    Raises:
        AssemblyError: if either has a stimulus the other lacks, since that would lose rows.
    """
    if not isinstance(target, xr.DataArray):
        raise AssemblyError(f"An assembly is an xarray.DataArray, not {type(target).__name__}.")
    _check_coordinate(target, "stimulus_id", "presentation")
    return in_order(source, target["stimulus_id"].values)


def in_order(source: xr.DataArray, stimulus_ids: Sequence[str] | np.ndarray) -> xr.DataArray:
    """`source` with its presentations in the order of `stimulus_ids`.

    Raises:
        AssemblyError: if either has a stimulus the other lacks, since that would lose rows.
    """
    if not isinstance(source, xr.DataArray):
        raise AssemblyError(f"An assembly is an xarray.DataArray, not {type(source).__name__}.")
    _check_coordinate(source, "stimulus_id", "presentation")
    have, want = list(source["stimulus_id"].values), list(stimulus_ids)
    row = {stimulus_id: index for index, stimulus_id in enumerate(have)}
    if len(row) < len(have):
        twice = [i for i in row if have.count(i) > 1]
        raise AssemblyError(f"Responses to one stimulus stand in several rows: {_first(twice)}.")
    missing = [i for i in want if i not in row]
    if missing:
        known = "" if len(missing) < len(want) else f"; the source has {_first(have)}"
        raise AssemblyError(f"No response to {len(missing)} stimuli: {_first(missing)}{known}.")
    wanted = set(want)
    extra = [i for i in have if i not in wanted]
    if extra:
        raise AssemblyError(
            f"Responses to {len(extra)} stimuli that were not asked: {_first(extra)}."
        )
    if have == want:
        return source
    return source.isel(presentation=[row[i] for i in want])


def joined(parts: Sequence[xr.DataArray]) -> xr.DataArray:
    """Neural assemblies of the same neuroids below each other; neuroids are matched by id.

    Coordinates of presentations that one part lacks are left out.

    Raises:
        AssemblyError: if a neuroid is not in all parts, or a stimulus in several.
    """
    first, *others = parts
    ids = first["neuroid_id"].values.tolist()
    matched = [first]
    for part in others:
        place = {i: n for n, i in enumerate(part["neuroid_id"].values.tolist())}
        lacking = sorted(set(ids) ^ set(place))
        if lacking:
            raise AssemblyError(
                f"{len(lacking)} neuroids are in one of two assemblies to join: {_first(lacking)}."
            )
        matched.append(part.isel(neuroid=[place[i] for i in ids]))
    return presentations_of(matched)


def presentations_of(parts: Sequence[xr.DataArray]) -> xr.DataArray:
    """Presentations of all `parts` below each other; coordinates that one lacks are left out.

    Raises:
        AssemblyError: if a stimulus is in several.
    """
    along = [{n for n, c in part.coords.items() if "presentation" in c.dims} for part in parts]
    kept = set.intersection(*along)
    bare = [part.drop_vars(list(own - kept)) for part, own in zip(parts, along, strict=True)]
    whole = xr.concat(bare, "presentation", coords="minimal", compat="override", join="exact")
    _check_ids(whole, "stimulus_id", "presentation")
    return whole


def is_neural(assembly: xr.DataArray) -> bool:
    """Whether `assembly` holds responses of units."""
    return "neuroid" in assembly.dims


def is_rdm(assembly: xr.DataArray) -> bool:
    """Whether `assembly` holds dissimilarities of pairs of stimuli, not responses."""
    return "presentation_2" in assembly.dims


def responses_with_rdm(rdms: xr.DataArray) -> xr.DataArray:
    """Responses whose correlation distances are the mean of `rdms`, as nearly as there are any.

    Rows with zero mean and unit length have correlation distances 1 - G, where G is their Gram
    matrix. So G = 1 - RDM is decomposed, its negative eigenvalues are left out, and the rows are
    turned so that each has zero mean.

    Args:
        rdms: ([subject,] presentation, presentation_2), with ``stimulus_id``.

    Returns:
        (presentation, neuroid).
    """
    mean = rdms.mean([d for d in rdms.dims if d not in ("presentation", "presentation_2")])
    distances = np.array(mean.transpose("presentation", "presentation_2").values, float)
    np.fill_diagonal(distances, 0)
    values, vectors = np.linalg.eigh(1 - distances)
    rows = vectors * np.sqrt(np.maximum(values, 0))
    count = rows.shape[1]
    turn = np.linalg.qr(np.column_stack([np.ones(count + 1), np.eye(count + 1)[:, :count]]))[0]
    return neural(
        rows @ turn[:, 1:].T,
        list(rdms["stimulus_id"].values),
        {"neuroid_id": [f"axis-{n:04d}" for n in range(count + 1)]},
    )


def select_neuroids(assembly: xr.DataArray, values: Mapping[str, Any]) -> xr.DataArray:
    """Neuroids whose coordinates have the given values.

    Args:
        assembly: neural.
        values: by coordinate, a value; or ``{"at_least": low}``, ``{"at_most": high}`` or both.

    Raises:
        AssemblyError: if a coordinate is missing, or no neuroid is left; names what there is.
    """
    for name, value in values.items():
        _check_coordinate(assembly, name, "neuroid")
        found = assembly[name].values
        kept = _within(found, value) if isinstance(value, Mapping) else found == value
        if not kept.any():
            known = _first(list(np.unique(found.astype(str))))
            raise AssemblyError(f"No neuroid has {name} {value!r}; they have {known}.")
        assembly = assembly.isel(neuroid=np.flatnonzero(kept))
    return assembly


def average_trials(assembly: xr.DataArray, first: int | None = None) -> xr.DataArray:
    """Mean over the first `first` trials, or all; missing trials are left out.

    Presentations are read in blocks, so that an assembly that is mapped from a file takes little
    memory beyond its mean.

    Raises:
        AssemblyError: if a stimulus has fewer than `first` trials.
    """
    if "trial" not in assembly.dims:
        return assembly
    kept = first_trials(assembly, first)
    count = kept.sizes.get("presentation", 1)
    rows = max(1, _BLOCK_BYTES * count // max(kept.nbytes, 1))
    if count <= rows:
        return kept.mean("trial", skipna=True, keep_attrs=True)
    of_trials = [name for name, coord in kept.coords.items() if "trial" in coord.dims]
    mean = kept.drop_vars(of_trials).isel(trial=0)
    values = None
    for start in range(0, count, rows):
        block = kept.isel(presentation=slice(start, start + rows)).variable
        part = block.mean("trial", skipna=True)
        if values is None:
            values = np.empty(mean.shape, part.dtype)
        axis = part.dims.index("presentation")
        values[(slice(None),) * axis + (slice(start, start + rows),)] = part.values
    return mean.copy(data=values)


def first_trials(assembly: xr.DataArray, count: int | None) -> xr.DataArray:
    """The first `count` trials of every stimulus; all if None.

    Raises:
        AssemblyError: if a stimulus has fewer.
    """
    if count is None:
        return assembly
    if count > assembly.sizes["trial"]:
        raise AssemblyError(
            f"{count} trials asked, {assembly.sizes['trial']} recorded. Ask for no more, or for no "
            "number to use all."
        )
    kept = assembly.isel(trial=slice(0, count))
    lacking = kept.isnull().any([d for d in kept.dims if d != "presentation"]).values
    if lacking.any():
        ids = list(kept["stimulus_id"].values[lacking])
        raise AssemblyError(f"{len(ids)} stimuli have fewer than {count} trials: {_first(ids)}.")
    return kept


def responses_matrix(assembly: xr.DataArray) -> xr.DataArray:
    """(presentation, neuroid) view: trials averaged, a single time bin dropped.

    Raises:
        AssemblyError: for several time bins, or responses that are not finite.
    """
    flat = average_trials(check_neural(assembly))
    if "time_bin" in flat.dims:
        if flat.sizes["time_bin"] != 1:
            raise AssemblyError(
                f"{flat.sizes['time_bin']} time bins; this comparison takes one. "
                "Select one with assembly.isel(time_bin=...)."
            )
        flat = flat.isel(time_bin=0, drop=True)
    flat = flat.transpose("presentation", "neuroid")
    bad = ~np.isfinite(flat.values)
    if bad.any():
        ids = list(flat["stimulus_id"].values[bad.any(axis=1)])
        raise AssemblyError(f"Responses to {len(ids)} stimuli are not finite: {_first(ids)}.")
    return flat


def digest(assembly: xr.DataArray) -> str:
    """SHA-256 over dims, coordinates, type and bytes of values."""
    sha = hashlib.sha256()
    for name, variable in [
        ("", assembly),
        *sorted(assembly.coords.items(), key=lambda c: str(c[0])),
    ]:
        values = np.asarray(variable.values)
        header = [str(name), list(map(str, variable.dims)), list(values.shape)]
        numbers = values.dtype.kind in "fiub"
        header.append(values.dtype.str.lstrip("<>=|") if numbers else "text")
        sha.update(json.dumps(header).encode())
        if numbers:
            for block in _blocks(values):  # a mapped array is never in memory as a whole
                sha.update(np.ascontiguousarray(block, values.dtype.newbyteorder("<")).data)
        else:
            sha.update(json.dumps([str(v) for v in values.ravel()]).encode())
    return sha.hexdigest()


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """`values` in pieces along the first axis, in order."""
    if values.ndim == 0 or values.size == 0:
        yield values
        return
    rows = max(1, _BLOCK_BYTES * len(values) // max(values.nbytes, 1))
    for start in range(0, len(values), rows):
        yield values[start : start + rows]


def _within(values: np.ndarray, bounds: Mapping[str, float]) -> np.ndarray:
    """Which of `values` lie within `bounds`; NaN lies nowhere."""
    unknown = sorted(set(bounds) - {"at_least", "at_most"})
    if unknown or not bounds:
        raise AssemblyError(f"Bounds are at_least and at_most, not {', '.join(unknown) or 'none'}.")
    if values.dtype.kind not in "fiub":
        raise AssemblyError(f"Bounds are for numbers, not for {_first(values.tolist())}.")
    low, high = bounds.get("at_least", -np.inf), bounds.get("at_most", np.inf)
    return np.asarray((values >= low) & (values <= high))


def _check_array(assembly: Any, required: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    if not isinstance(assembly, xr.DataArray):
        raise AssemblyError(f"An assembly is an xarray.DataArray, not {type(assembly).__name__}.")
    lacking = [d for d in required if d not in assembly.dims]
    unknown = [str(d) for d in assembly.dims if d not in allowed]
    if lacking or unknown:
        raise AssemblyError(
            f"Dimensions are {', '.join(map(str, assembly.dims))}; need {', '.join(required)}"
            f", may have {', '.join(d for d in allowed if d not in required)}."
        )
    empty = [str(d) for d, size in assembly.sizes.items() if size == 0]
    if empty:
        raise AssemblyError(f"The assembly has no {' and no '.join(empty)}.")


def _check_coordinate(assembly: xr.DataArray, name: str, dim: str) -> None:
    if name not in assembly.coords or assembly[name].dims != (dim,):
        known = sorted(str(n) for n, c in assembly.coords.items() if c.dims == (dim,))
        there = f"are {', '.join(known)}" if known else "is none"
        raise AssemblyError(f"Coordinate {name!r} along {dim} is missing; there {there}.")


def _check_ids(assembly: xr.DataArray, name: str, dim: str) -> None:
    _check_coordinate(assembly, name, dim)
    ids, counts = np.unique(assembly[name].values.astype(str), return_counts=True)
    if (counts > 1).any():
        raise AssemblyError(f"{name} repeats: {_first(list(ids[counts > 1]))}.")


def _first(ids: Sequence[Any]) -> str:
    return ", ".join(str(i) for i in ids[:5]) + (", ..." if len(ids) > 5 else "")
