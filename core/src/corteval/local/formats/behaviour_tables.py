"""Behaviour in a table with one row a trial."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.local.formats import columns as cells_of
from corteval.local.formats.tables import Table
from corteval.local.problems import Findings, refuse

#: Columns of behaviour, and the task each belongs to.
BEHAVIOUR: Mapping[str, str] = {
    "choice": "label",
    "correct": "label",
    "reading_time": "reading_time",
    "reading_time_ms": "reading_time",
    "rt_ms": "reading_time",
}
_NAMES_MILLISECONDS = re.compile(r"_?(?:ms|msec|milliseconds)$", re.IGNORECASE)
_TRUE = ("1", "1.0", "true", "yes", "correct", "t")
_FALSE = ("0", "0.0", "false", "no", "incorrect", "wrong", "f")


def behaviour_of(columns: Sequence[str]) -> str | None:
    """Column of a table that holds behaviour, if it is one of behaviour."""
    if "neuroid_id" in columns:
        return None
    return next((column for column in BEHAVIOUR if column in columns), None)


def behavioural_table(
    table: Table, value: str | None, task: str, stimulus_ids: Sequence[str], findings: Findings
) -> xr.DataArray:
    """Assembly of a table with one row a trial.

    Args:
        table: columns stimulus_id, the value, and any further ones, which become coordinates.
        value: column of values; one of `BEHAVIOUR` if None.
        task: ``"label"`` or ``"reading_time"``; that of the column if "".
        stimulus_ids: of the stimulus table.
        findings: told of rows that are wrong.

    Returns:
        (presentation): text of choices, 1 for right and 0 for wrong answers, or times in
        milliseconds.

    Raises:
        DatasetError: if a column is missing.
    """
    table.column("stimulus_id")
    columns = list(table.frame.columns)
    if value is None:
        value = behaviour_of(columns)
        if value is None:
            refuse(
                f"No column holds behaviour; there are {', '.join(columns)}.",
                f"{table.name}, row 1",
                f"Name one of {', '.join(BEHAVIOUR)}, or say which column it is: --value COLUMN "
                "(value in [responses]).",
            )
    table.column(value, flag="--value")
    task = task or BEHAVIOUR.get(value, "label")
    row = cells_of.match(
        table.text("stimulus_id"),
        stimulus_ids,
        table,
        "stimulus_id",
        findings,
        "the stimulus table",
    )
    if task == "reading_time":
        values: np.ndarray = _times(table, value, findings)
    else:
        values = _choices(table, value, findings)
    kept = row >= 0
    if not kept.any():
        refuse("No row belongs to a stimulus of the stimulus table.", table.name)
    known = np.array(stimulus_ids, object)
    coordinates: dict[str, Any] = {"stimulus_id": known[np.maximum(row, 0)]}
    for column in columns:
        if column not in ("stimulus_id", value):
            coordinates[column] = cells_of.typed(table, column)
    return xr.DataArray(
        values[kept],
        dims=("presentation",),
        coords={name: ("presentation", cells[kept]) for name, cells in coordinates.items()},
    )


def _choices(table: Table, column: str, findings: Findings) -> np.ndarray:
    """Words as they stand, or 1 and 0 if every cell is right or wrong."""
    cells = table.text(column)
    plain = pd.Series(cells).str.strip()
    lower = plain.str.casefold()
    empty = np.flatnonzero((plain == "").to_numpy())
    findings.each(
        "error",
        [(table.where(int(row), column), "The cell is empty.") for row in empty],
        "Delete the row, or write a word for 'no answer'.",
        rest="more empty cells",
    )
    right, wrong = lower.isin(_TRUE).to_numpy(), lower.isin(_FALSE).to_numpy()
    known = right | wrong
    known[empty] = True
    if known.all():
        return right.astype(np.int64)
    if column == "correct":
        findings.each(
            "error",
            [
                (table.where(int(row), column), f"{cells[row]!r} is neither right nor wrong.")
                for row in np.flatnonzero(~known)
            ],
            "Write 1 or 0, or true or false.",
            rest="more such cells",
        )
        return right.astype(np.int64)
    return plain.to_numpy(object)


def _times(table: Table, column: str, findings: Findings) -> np.ndarray:
    times = cells_of.numbers(table, column, findings)
    low = np.flatnonzero(times <= 0)
    findings.each(
        "warning",
        [(table.where(int(row), column), f"A time of {times[row]:g} ms.") for row in low],
        "Leave the cell empty if it was not measured.",
        rest="more times that are not positive",
    )
    typical = float(np.nanmedian(times)) if np.isfinite(times).any() else np.nan
    if 0 < typical < 10:
        findings.warning(
            f"Half of the times are below {typical:g} ms: they seem to be seconds, and would be "
            f"{1000 * typical:g} ms.",
            f"{table.name}, column {table.called.get(column, column)}",
            "Multiply them by 1000.",
        )
    elif column in table.called and not _NAMES_MILLISECONDS.search(table.called[column]):
        findings.warning(
            f"Times in {table.called[column]!r} are read as the file has them, as milliseconds.",
            f"{table.name}, column {table.called[column]}",
            "Multiply them if they have another unit.",
        )
    return times
