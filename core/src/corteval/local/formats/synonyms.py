"""Names that laboratories give to what this package calls by one name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from corteval.local.formats.columns import MISSING
from corteval.local.formats.tables import Table

#: Standard name of a column -> what else it is called, in lower case.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "stimulus_id": ("image_id", "stimulus", "stim_id", "item_id", "word_id"),
    "path": ("filename", "file", "image", "image_path"),
    "text": ("sentence", "word"),
    "neuroid_id": (
        "neuroid",
        "neuron",
        "neuron_id",
        "unit",
        "unit_id",
        "electrode",
        "channel",
        "voxel",
    ),
    "subject": ("observer", "participant", "reader", "subject_id"),
    "value": ("response", "rate", "beta", "firing_rate"),
    "repetition": ("repeat", "trial", "rep"),
    "choice": ("response", "answer", "decision"),
    "reading_time_ms": ("rt", "reading_time"),
    "truth": ("correct_answer", "category"),
    "region": ("area", "roi", "brain_area", "brain_region"),
}

#: Columns that say something of a presentation, and are never responses of a neuroid.
OF_PRESENTATIONS = frozenset(
    {
        "stimulus_id",
        "path",
        "text",
        "context_id",
        "position",
        "subject",
        "session",
        "run",
        "block",
        "group",
        "condition",
        "repetition",
        "repeat",
        "trial",
        "rep",
        "time_bin_start_ms",
        "time_bin_end_ms",
        "onset",
        "duration",
        "index",
    }
)

#: Rows by which it is judged what a column holds.
_LOOKED_AT = 10_000
_FILE_NAME = re.compile(r".+\.[A-Za-z0-9]{2,5}")


def plain(name: str) -> str:
    """A name without the differences that mean nothing: case, spaces, hyphens."""
    return re.sub(r"[\s\-]+", "_", name.strip()).casefold()


def candidates(standard: str, columns: Iterable[str]) -> list[str]:
    """Columns that are synonyms of a standard name, in their order."""
    return [column for column in columns if plain(column) in SYNONYMS.get(standard, ())]


def chosen(standard: str, headers: Sequence[Sequence[str]]) -> list[str]:
    """What the tables call a standard name: nothing, one column, or several that it may be.

    Args:
        standard: name.
        headers: columns of each table that should have it; a table that has it under its standard
            name has a say in nothing.
    """
    found = [candidates(standard, there) for there in headers if standard not in there]
    found = [names for names in found if names]
    if not found:
        return []
    common = [name for name in found[0] if all(name in names for names in found)]
    return common or list(dict.fromkeys(name for names in found for name in names))


def likely(table: Table, standard: str) -> str | None:
    """The column of a table that a missing one seems to be, by its name or by its cells."""
    columns = [column for column in table.frame.columns if column not in table.made]
    named = candidates(standard, columns)
    if named:
        return named[0]
    for column in columns:
        cells = [cell for cell in table.text(column)[:20] if cell.strip()]
        if not cells:
            continue
        if standard == "path" and all(_FILE_NAME.fullmatch(cell.strip()) for cell in cells):
            return column
        if standard == "text" and all(" " in cell.strip() for cell in cells):
            return column
    return None


def share_of_numbers(table: Table, column: str) -> float:
    """Share of the cells of a column that are numbers, of those that are not empty; NaN if none."""
    values = table.frame[column].iloc[:_LOOKED_AT]
    if pd.api.types.is_numeric_dtype(values.dtype):
        return 1.0 if values.notna().any() else np.nan
    cells = values.dropna().astype(str).str.strip()
    cells = cells[~cells.isin(MISSING)]
    if cells.empty:
        return np.nan
    numbers = pd.to_numeric(cells.str.replace(",", ".", regex=False), errors="coerce")
    return float(numbers.notna().mean())


def are_words(table: Table, column: str) -> bool:
    """Whether most cells of a column are words, not numbers."""
    return share_of_numbers(table, column) < 0.5


def numeric_columns(table: Table, apart: Iterable[str] = ()) -> list[str]:
    """Columns of numbers that may be responses: none that says what was shown, nor one of `apart`.

    A column counts if half of its cells are numbers, so that a slip in one cell hides no neuroid.
    """
    left_out = OF_PRESENTATIONS | {*apart}
    return [
        column
        for column in table.frame.columns
        if column not in left_out
        and column not in table.made
        and (
            share_of_numbers(table, column) >= 0.5
            # a column that is empty is one of a neuroid that was lost, and is told as such
            or bool(np.isnan(share_of_numbers(table, column)))
        )
    ]
