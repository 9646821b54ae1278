"""Neural responses in a long table, one row a response."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from corteval.local.formats import columns as cells_of
from corteval.local.formats.arrays import MAX_BYTES
from corteval.local.formats.tables import Table
from corteval.local.problems import Findings, refuse

#: Names of the column with the responses, unless the description says another.
VALUES = ("value", "response", "rate", "beta")
_BINS = ("time_bin_start_ms", "time_bin_end_ms")
_REPETITIONS = ("repetition", "trial", "repeat")


def neural_table(
    table: Table,
    value: str | None,
    stimulus_ids: Sequence[str],
    neuroid_ids: Sequence[str] | None,
    findings: Findings,
) -> xr.DataArray:
    """Assembly of a long table of responses.

    Args:
        table: columns stimulus_id, neuroid_id, the value, and optionally repetition,
            time_bin_start_ms and time_bin_end_ms; further ones that are constant over a neuroid
            or a stimulus become its coordinates.
        value: column of values.
        stimulus_ids: of the stimulus table, in order.
        neuroid_ids: of the table of neuroids, in order, if there is one.
        findings: told of rows that are wrong.

    Returns:
        (presentation, neuroid[, time_bin][, trial]), float64; NaN where the table has no row.

    Raises:
        DatasetError: if a column is missing, or rows do not say what they belong to.
    """
    table.column("stimulus_id")
    value = _value_column(table, value, neuroid_ids)
    if "neuroid_id" not in table.frame.columns:
        wide = _wide(table, stimulus_ids, neuroid_ids, findings)
        if wide is not None:
            return wide
    values = cells_of.numbers(table, value, findings)
    row = cells_of.match(
        table.text("stimulus_id"),
        stimulus_ids,
        table,
        "stimulus_id",
        findings,
        "the stimulus table",
    )
    column, neuroids = _neuroids(table, value, neuroid_ids, findings)
    bin_codes, bins = _time_bins(table, findings)
    trial, trials = _trials(table, row)
    kept = (row >= 0) & (column >= 0)
    shape = (len(stimulus_ids), len(neuroids), max(len(bins), 1), trials)
    _check_shape(shape, len(table), table.name)
    cell = np.ravel_multi_index(
        (np.maximum(row, 0), np.maximum(column, 0), bin_codes, trial), shape
    )
    _tell_doubled(table, cell, kept, trials > 1, findings)
    filled = np.full(int(np.prod(shape)), np.nan)
    filled[cell[kept]] = values[kept]
    assembly = xr.DataArray(
        filled.reshape(shape),
        dims=("presentation", "neuroid", "time_bin", "trial"),
        coords={
            "stimulus_id": ("presentation", np.array(stimulus_ids, object)),
            "neuroid_id": ("neuroid", np.array(neuroids, object)),
        },
    )
    assembly = assembly.assign_coords(
        _constant_columns(table, value, row, column, shape[:2], kept, findings)
    )
    if bins:
        return _without_trial(
            assembly.assign_coords(
                {name: ("time_bin", [one[edge] for one in bins]) for edge, name in enumerate(_BINS)}
            )
        )
    return _without_trial(assembly.isel(time_bin=0))


def _value_column(table: Table, value: str | None, neuroid_ids: Sequence[str] | None) -> str:
    columns = list(table.frame.columns)
    if value is not None:
        return table.column(value)
    found = [column for column in VALUES if column in columns]
    if found:
        return found[0]
    if neuroid_ids is not None and set(neuroid_ids) <= set(columns):
        return neuroid_ids[0]
    refuse(
        f"No column is called {' or '.join(VALUES[:2])}; there are {', '.join(columns[:12])}"
        + (", ..." if len(columns) > 12 else "")
        + ".",
        f"{table.name}, row 1",
        "Name the column with the responses: responses.value. A table with one column a neuroid "
        "needs responses.neuroids, a table of their ids.",
    )


def _wide(
    table: Table,
    stimulus_ids: Sequence[str],
    neuroid_ids: Sequence[str] | None,
    findings: Findings,
) -> xr.DataArray | None:
    """A table with one column a neuroid, if the table of neuroids names its columns."""
    if neuroid_ids is None or not set(neuroid_ids) <= set(table.frame.columns):
        return None
    long = table.frame.melt("stimulus_id", list(neuroid_ids), "neuroid_id", "value")
    values = np.stack([cells_of.numbers(table, name, findings) for name in neuroid_ids])
    long["value"] = values.ravel()
    others = [c for c in _REPETITIONS if c in table.frame.columns]
    for column in others:
        long[column] = np.tile(table.text(column), len(neuroid_ids))
    melted = Table(
        name=table.name,
        frame=long,
        lines=np.tile(table.lines, len(neuroid_ids)),
        separator=table.separator,
    )
    return neural_table(melted, "value", stimulus_ids, neuroid_ids, findings)


def _neuroids(
    table: Table, value: str, known: Sequence[str] | None, findings: Findings
) -> tuple[np.ndarray, list[str]]:
    """Position of each row's neuroid, and the ids."""
    if "neuroid_id" not in table.frame.columns:
        if known is not None and len(known) != 1:
            refuse(
                f"There is no column 'neuroid_id', but {len(known)} neuroids in their table.",
                f"{table.name}, row 1",
                "Add the column.",
            )
        return np.zeros(len(table), int), list(known or [value])
    cells = table.text("neuroid_id")
    empty = [row for row, cell in enumerate(cells) if not cell.strip()]
    findings.each(
        "error",
        [(table.where(row, "neuroid_id"), "The id is empty.") for row in empty],
        "Name the neuroid.",
        rest="more empty ids",
    )
    if known is None:
        codes, names = pd.factorize(cells)
        return codes, [str(name) for name in names]
    of = "the table of neuroids"
    return cells_of.match(cells, known, table, "neuroid_id", findings, of), list(known)


def _time_bins(table: Table, findings: Findings) -> tuple[np.ndarray, list[tuple[float, float]]]:
    there = [name for name in _BINS if name in table.frame.columns]
    if not there:
        return np.zeros(len(table), int), []
    if len(there) < 2:
        lacking = next(name for name in _BINS if name not in there)
        table.column(lacking, f"{there[0]} alone says no interval.")
    edges = np.stack([cells_of.numbers(table, name, findings) for name in _BINS], axis=1)
    lacking_rows = np.flatnonzero(np.isnan(edges).any(axis=1))
    findings.each(
        "error",
        [(table.where(int(row), _BINS[0]), "The time bin is not given.") for row in lacking_rows],
        rest="more rows without a time bin",
    )
    bins, codes = np.unique(edges, axis=0, return_inverse=True)
    return codes.reshape(-1), [(float(start), float(end)) for start, end in bins]


def _trials(table: Table, row: np.ndarray) -> tuple[np.ndarray, int]:
    """Rank of each repetition among those of its stimulus, from 0; and how many there are."""
    name = next((c for c in _REPETITIONS if c in table.frame.columns), None)
    if name is None:
        return np.zeros(len(table), int), 1
    labels = cells_of.typed(table, name)
    codes = pd.factorize(labels, sort=True)[0]
    rank = pd.Series(codes).groupby(row).rank(method="dense").to_numpy(float)
    trial = np.nan_to_num(rank, nan=1).astype(int) - 1
    return trial, int(trial.max(initial=0)) + 1


def _check_shape(shape: tuple[int, ...], rows: int, name: str) -> None:
    count = 8 * int(np.prod(shape, dtype=object))
    if count > MAX_BYTES or (count > 1 << 28 and count > 8000 * rows):
        refuse(
            f"{rows} rows would fill an array of {' x '.join(map(str, shape))} (stimuli, neuroids, "
            "time bins, repetitions), nearly all of it empty.",
            name,
            "Are neuroid_id or repetition unique to each row? Number repetitions per stimulus.",
        )


def _tell_doubled(
    table: Table, cell: np.ndarray, kept: np.ndarray, repeated: bool, findings: Findings
) -> None:
    rows = np.flatnonzero(kept)
    first = pd.Series(rows).groupby(cell[rows]).transform("first").to_numpy(int)
    twice = rows[first != rows]
    earlier = first[first != rows]
    findings.each(
        "error",
        [
            (
                table.where(int(row)),
                "The response is given a second time: stimulus, neuroid"
                f"{', repetition' if repeated else ''} and time are those of row "
                f"{table.lines[other]}.",
            )
            for row, other in zip(twice, earlier, strict=True)
        ],
        "Delete one." if repeated else "Delete one, or number repetitions in a column repetition.",
        rest="more responses given twice",
    )


def _constant_columns(
    table: Table,
    value: str,
    row: np.ndarray,
    column: np.ndarray,
    shape: tuple[int, ...],
    kept: np.ndarray,
    findings: Findings,
) -> dict[str, tuple[str, np.ndarray]]:
    """Further columns that say something of neuroids or of stimuli."""
    used = {"stimulus_id", "neuroid_id", value, *_BINS, *_REPETITIONS}
    found: dict[str, tuple[str, np.ndarray]] = {}
    dropped = []
    for name in table.frame.columns:
        if name in used:
            continue
        cells = cells_of.typed(table, name)
        for dim, codes, size in (("neuroid", column, shape[1]), ("presentation", row, shape[0])):
            of_each = _constant(cells[kept], codes[kept], size)
            if of_each is not None:
                found[name] = (dim, of_each)
                break
        else:
            dropped.append(name)
    if dropped:
        findings.warning(
            f"Columns {', '.join(dropped)} differ within a stimulus and within a neuroid, and are "
            "left out.",
            f"{table.name}, row 1",
        )
    return found


def _constant(cells: np.ndarray, codes: np.ndarray, size: int) -> np.ndarray | None:
    """Value of each of `size` things, if no thing has two."""
    first = np.full(size, -1)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    if (first < 0).any():
        return None
    of_each = cells[first]
    same = cells == of_each[codes]
    if cells.dtype.kind == "f":
        same |= np.isnan(cells) & np.isnan(of_each[codes])
    return of_each if same.all() else None


def _without_trial(assembly: xr.DataArray) -> xr.DataArray:
    return assembly.isel(trial=0) if assembly.sizes["trial"] == 1 else assembly
