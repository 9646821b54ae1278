"""Neural responses in a long table, one row a response."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from corteval.local.formats import columns as cells_of
from corteval.local.formats.arrays import MAX_BYTES
from corteval.local.formats.synonyms import are_words, numeric_columns
from corteval.local.formats.tables import Table
from corteval.local.problems import Findings, refuse

#: Names of the column with the responses, unless the description says another.
VALUES = ("value", "response", "rate", "beta", "firing_rate")
_BINS = ("time_bin_start_ms", "time_bin_end_ms")
_REPETITIONS = ("repetition", "trial", "repeat", "rep")


def neural_table(
    table: Table,
    value: str | None,
    stimulus_ids: Sequence[str],
    neuroid_ids: Sequence[str] | None,
    findings: Findings,
    of_stimuli: Collection[str] = (),
) -> xr.DataArray:
    """Assembly of a table of responses: long, or wide with one column a neuroid.

    Args:
        table: columns stimulus_id, neuroid_id, the value, and optionally repetition,
            time_bin_start_ms and time_bin_end_ms; further ones that are constant over a neuroid
            or a stimulus become its coordinates.
        value: column of values.
        stimulus_ids: of the stimulus table, in order.
        neuroid_ids: of the table of neuroids, in order, if there is one.
        findings: told of rows that are wrong.
        of_stimuli: columns of the stimulus table, none of which is a neuroid.

    Returns:
        (presentation, neuroid[, time_bin][, trial]), float64; NaN where the table has no row.

    Raises:
        DatasetError: if a column is missing, or rows do not say what they belong to.
    """
    table.column("stimulus_id")
    if "neuroid_id" not in table.frame.columns:
        names = _neuroid_columns(table, value, neuroid_ids, of_stimuli, findings)
        if names is not None:
            return neural_table(
                _long(table, names, findings), "value", stimulus_ids, names, findings
            )
    value = _value_column(table, value, neuroid_ids)
    _refuse_words(table, value)
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
    columns = [column for column in table.frame.columns if column not in table.made]
    if value is not None:
        return table.column(value, flag="--value")
    found = [column for column in VALUES if column in columns]
    if found:
        return found[0]
    step = "Name the column with the responses: --value COLUMN (value in [responses])."
    odd = [name for name in neuroid_ids or () if name not in columns]
    if odd and "neuroid_id" not in columns:
        step += (
            f" Its columns are not those of the table of neuroids, which has {odd[0]!r}: name them "
            "alike if each column is a neuroid."
        )
    refuse(
        f"No column is called {' or '.join(VALUES[:2])}; there are {', '.join(columns[:12])}"
        + (", ..." if len(columns) > 12 else "")
        + ".",
        f"{table.name}, row 1",
        step,
    )


def _refuse_words(table: Table, value: str) -> None:
    if not are_words(table, value):
        return
    theirs = table.called.get(value, value)
    example = next(cell for cell in table.text(value) if cell.strip())
    refuse(
        f"Cells such as {example!r} are words, not numbers.",
        f"{table.name}, column {theirs}",
        f"If they are choices: --column {shlex.quote(f'choice={theirs}')} and --task label (choice "
        f'= "{theirs}" in [columns], task = "label" in [responses]).',
    )


def _neuroid_columns(
    table: Table,
    value: str | None,
    neuroid_ids: Sequence[str] | None,
    of_stimuli: Collection[str],
    findings: Findings,
) -> list[str] | None:
    """Columns of a table with one a neuroid; None if it is none."""
    columns = list(table.frame.columns)
    if neuroid_ids is not None:
        return list(neuroid_ids) if set(neuroid_ids) <= set(columns) else None
    if value is not None or set(VALUES) & set(columns):
        return None
    names = numeric_columns(table, of_stimuli)
    if not names:
        return None
    findings.warning(
        f"There is no column 'neuroid_id': every column of numbers is taken for a neuroid, "
        f"{len(names)} in all: {', '.join(names[:5])}{', ...' * (len(names) > 5)}.",
        f"{table.name}, row 1",
        "Name the right ones in a table of neuroids, neuroids.csv, if that is wrong.",
    )
    others = [c for c in columns if c not in (*names, *_REPETITIONS, *_BINS, "stimulus_id")]
    others = [c for c in others if c not in of_stimuli]
    if others:
        findings.warning(
            f"Columns {', '.join(others)} are no neuroids, and are left out.",
            f"{table.name}, row 1",
        )
    return names


def _long(table: Table, names: Sequence[str], findings: Findings) -> Table:
    """A row for each response of a table with one column a neuroid."""
    kept = [column for column in _BINS if column in table.frame.columns]
    there = next((c for c in _REPETITIONS if c in table.frame.columns), None)
    of_rows = pd.DataFrame({"stimulus_id": table.text("stimulus_id")})
    for column in kept:
        of_rows[column] = table.frame[column].to_numpy()
    if there is not None:
        of_rows["repetition"] = table.frame[there].to_numpy()
    else:  # rows of one stimulus are its repetitions
        of_rows["repetition"] = of_rows.groupby(list(of_rows.columns)).cumcount().to_numpy() + 1
    values = np.stack([cells_of.numbers(table, name, findings) for name in names])
    frame = pd.concat([of_rows] * len(names), ignore_index=True)
    frame["neuroid_id"] = np.repeat(np.array(names, object), len(table))
    frame["value"] = values.ravel()
    return Table(
        name=table.name,
        frame=frame,
        lines=np.tile(table.lines, len(names)),
        separator=table.separator,
        called=table.called,
    )


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
