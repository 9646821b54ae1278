"""Rows and columns of an assembly: neuroids by their table, presentations by their stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from corteval.local.description import Description
from corteval.local.formats import columns as cells_of
from corteval.local.formats import tables
from corteval.local.formats.arrays import check_size
from corteval.local.formats.repeats import by_stimulus
from corteval.local.problems import Findings, refuse
from corteval.stimuli import StimulusSet


def neuroid_table(description: Description, findings: Findings) -> dict[str, np.ndarray] | None:
    """Columns of the table of neuroids."""
    name = description.responses.neuroids
    if name is None:
        return None
    table = tables.read_table(description.folder, name, "the table of neuroids", findings)
    table = tables.renamed(table, description.columns)
    table.column("neuroid_id")
    names = cells_of.ids(table, "neuroid_id", findings)
    columns = {"neuroid_id": np.array(cells_of.told_apart(names, table), object)}
    for column in table.frame.columns:
        if column != "neuroid_id":
            columns[column] = cells_of.typed(table, column)
    return columns


def along(dim: str, columns: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Columns as coordinates along `dim`."""
    return {name: (dim, cells) for name, cells in columns.items()}


def made_ids(count: int) -> np.ndarray:
    """Ids of neuroids that have no table."""
    width = len(str(count - 1))
    return np.array([f"neuroid-{number:0{width}d}" for number in range(count)], object)


def refuse_missing(missing: Sequence[str], where: str) -> None:
    """Say which stimuli have no presentation.

    Raises:
        DatasetError: always.
    """
    refuse(
        f"{len(missing)} stimuli were never shown: {', '.join(map(repr, missing[:5]))}"
        + (", ..." if len(missing) > 5 else "")
        + ".",
        where,
        "Take them out of the stimulus table, or add their responses.",
    )


def rows_by_stimulus(
    values: np.ndarray,
    order: list[str],
    shown: list[str],
    stimuli: StimulusSet,
    where: str,
) -> tuple[np.ndarray, list[str]]:
    """Rows in the order of stimuli; repeated presentations become repetitions."""
    if len(set(shown)) == len(shown):
        row = {stimulus_id: number for number, stimulus_id in enumerate(shown)}
        return values[[row[stimulus_id] for stimulus_id in stimuli.stimulus_ids]], order
    if "repetition" in order:
        refuse(
            "Stimuli are presented in several rows, and there is an axis of repetitions too.",
            where,
            "Keep one of them: a row for each presentation, or an axis of repetitions.",
        )
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    most = int(pd.Series(shown).value_counts().iloc[0])
    check_size(values[:1].nbytes * most * len(stimuli), 0, where)
    return by_stimulus(values, shown, stimuli), [*order, "repetition"]
