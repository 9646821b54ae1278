"""Columns of a lab's tables: ids as they stand, numbers as they are meant, ids that match."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from corteval.local.formats.tables import Table
from corteval.local.problems import Findings, refuse

#: Cells that say that there is no number.
MISSING = ("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "null", "NULL", "None", "<NA>")

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+")
_LOOKS_LIKE_A_NAME = re.compile(r"0\d")
_DIGITS = re.compile(r"\d+")
_WHOLE = re.compile(r"(\d+)\.0+")


def numbers(table: Table, column: str, findings: Findings) -> np.ndarray:
    """Cells of a column as float64; missing ones are NaN.

    A decimal comma is understood where commas cannot separate anything else. Cells that are no
    numbers are errors, and NaN.
    """
    values = table.frame[column]
    if pd.api.types.is_numeric_dtype(values.dtype):  # Parquet; booleans too
        return values.to_numpy(float, na_value=np.nan)
    cells = pd.Series(table.text(column)).str.strip()
    missing = cells.isin(MISSING).to_numpy()
    found = pd.to_numeric(cells.where(~missing, np.nan), errors="coerce").to_numpy(float, copy=True)
    odd = np.flatnonzero(np.isnan(found) & ~missing)
    if not len(odd):
        return found
    commas = cells.iloc[odd]
    if commas.str.fullmatch(_DECIMAL_COMMA).all():
        first = table.where(int(odd[0]), column)
        if table.separator == "," and commas.str.fullmatch(_THOUSANDS).all():
            findings.error(
                f"{commas.iloc[0]!r} may be a decimal number or thousands.",
                first,
                "Write numbers with a point, and thousands without a sign.",
            )
            return found
        found[odd] = pd.to_numeric(commas.str.replace(",", ".", regex=False)).to_numpy(float)
        findings.warning(
            f"{len(odd)} numbers have a decimal comma: {commas.iloc[0]!r} is read as "
            f"{found[odd[0]]:g}.",
            first,
            "Write a point if that is wrong.",
        )
        return found
    findings.each(
        "error",
        [(table.where(int(row), column), f"{cells.iloc[row]!r} is not a number.") for row in odd],
        "Correct the cell, or leave it empty if there is no value.",
        rest="more cells that are no numbers",
    )
    return found


def typed(table: Table, column: str) -> np.ndarray:
    """Cells of a further column: numbers if all of them are, else text.

    Ids stay text, and so do cells such as "007", of which a number would lose something.
    """
    if pd.api.types.is_numeric_dtype(table.frame[column].dtype):
        return table.frame[column].to_numpy(float, na_value=np.nan)
    cells = table.text(column)
    if column in ("subject", "session", "truth", "choice") or column.endswith("_id"):
        return cells
    stripped = pd.Series(cells).str.strip()
    missing = stripped.isin(MISSING)
    if missing.all() or stripped.str.lstrip("+-").str.match(_LOOKS_LIKE_A_NAME).any():
        return cells
    found = pd.to_numeric(stripped.where(~missing, np.nan), errors="coerce")
    return cells if (found.isna() & ~missing).any() else found.to_numpy(float)


def ids(table: Table, column: str, findings: Findings, *, unique: bool = True) -> np.ndarray:
    """A column of ids as text, as they stand; empty, spaced or repeated ones are told."""
    cells = table.text(column)
    empty = [row for row, cell in enumerate(cells) if not cell.strip()]
    findings.each(
        "error",
        [(table.where(row, column), "The id is empty.") for row in empty],
        "Give every row an id, or delete the row.",
        rest="more empty ids",
    )
    spaced = [row for row, cell in enumerate(cells) if cell.strip() and cell != cell.strip()]
    findings.each(
        "warning",
        [(table.where(row, column), f"{cells[row]!r} has spaces around it.") for row in spaced],
        "They belong to the id; delete them if they should not.",
        rest="more ids with spaces around them",
    )
    if unique:
        _tell_repeated(table, column, cells, findings)
    return cells


def told_apart(names: np.ndarray, table: Table) -> list[str]:
    """Ids of which none repeats: those that do are errors, and must not hide what else is wrong."""
    seen: set[str] = set()
    found = []
    for row, name in enumerate(names):
        wrong = name in seen or not name.strip()
        found.append(f"{name} (row {table.lines[row]})" if wrong else name)
        seen.add(name)
    return found


def _tell_repeated(table: Table, column: str, cells: np.ndarray, findings: Findings) -> None:
    first: dict[str, int] = {}
    folded: dict[str, int] = {}
    twice, alike = [], []
    for row, cell in enumerate(cells):
        if not cell.strip():
            continue
        if cell in first:
            twice.append(
                (
                    table.where(row, column),
                    f"{cell!r} stands in row {table.lines[first[cell]]} already.",
                )
            )
            continue
        first[cell] = row
        other = folded.setdefault(fold(cell), row)
        if other != row:
            alike.append(
                (
                    table.where(row, column),
                    f"{cell!r} differs from {cells[other]!r} in row {table.lines[other]} only by "
                    "case, spaces or Unicode form.",
                )
            )
    findings.each(
        "error",
        twice,
        "Rename or delete one of them; repeated presentations belong into the responses.",
        rest="more repeated ids",
    )
    findings.each(
        "warning",
        alike,
        "They are taken for two; correct one if both mean the same.",
        rest="more ids that are nearly alike",
    )


def fold(text: str) -> str:
    """What is left of an id where case, spaces around it and Unicode form do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def match(
    cells: np.ndarray, known: Sequence[str], table: Table, column: str, findings: Findings, of: str
) -> np.ndarray:
    """Position in `known` of each cell; -1, and an error, where it has none.

    Args:
        cells: ids, one a row of `table`.
        known: ids there are.
        table: for the places.
        column: of `table`.
        findings: told of unknown ids, with the known one that is nearly alike.
        of: what has the known ids, e.g. ``"the stimulus table"``.

    Ids that would match but for leading zeros are one error, and are given the position that is
    meant, so that nothing else is told for want of them.

    Raises:
        DatasetError: if no id is known.
    """
    codes, named = pd.factorize(cells)
    index = pd.Index(known).get_indexer(pd.Index(named))
    positions = index[codes]
    if (index >= 0).all():
        return positions
    meant = _but_for_zeros(named, known)
    if meant is not None:
        row = int(np.flatnonzero(positions < 0)[0])
        findings.error(
            f"{of} has {known[meant[codes[row]]]!r} where this has {cells[row]!r}: "
            f"{int((index < 0).sum())} of {len(named)} ids differ by leading zeros only.",
            table.where(row, column),
            "Write them alike; a spreadsheet drops zeros unless the column is text.",
        )
        return np.asarray(meant[codes])
    findings.unmatched = True
    if len(named) > 2 and (index < 0).all() and not _any_alike(named, known):
        refuse(
            f"None of {len(named)} ids is known: this has {_some(named)}; {of} has {_some(known)}.",
            table.where(0, column),
            f"Name them alike in both files; if another column is meant: --column {column}=THEIRS.",
        )
    alike = {fold(name): name for name in known}
    rows = np.flatnonzero(positions < 0)
    _, first = np.unique(codes[rows], return_index=True)
    places = []
    for row in rows[np.sort(first)]:
        near = alike.get(fold(cells[row])) or next(
            iter(difflib.get_close_matches(cells[row], known[:5000], n=1, cutoff=0.8)), ""
        )
        hint = f" (it has {near!r})" if near else f" (it has {known[0]!r}, ...)"
        places.append((table.where(int(row), column), f"{of} has no {cells[row]!r}{hint}."))
        if len(places) > 50:
            break
    findings.each("error", places, "Name them alike in both files.", rest="more unknown ids")
    return positions


def _but_for_zeros(named: np.ndarray, known: Sequence[str]) -> np.ndarray | None:
    """Position in `known` of each id if leading zeros do not count; None if one is not found."""
    short = [_without_zeros(name) for name in known]
    found = [_without_zeros(name) for name in named]
    if len(set(short)) < len(short) or len(set(found)) < len(found):
        return None
    at = pd.Index(short).get_indexer(pd.Index(found))
    return at if (at >= 0).all() else None


def _without_zeros(name: str) -> str:
    """What is left of an id where leading zeros, and ".0" after a whole number, do not count."""
    whole = _WHOLE.fullmatch(name.strip())
    return _DIGITS.sub(_plain_number, whole[1] if whole else name.strip())


def _plain_number(digits: re.Match[str]) -> str:
    return digits.group().lstrip("0") or "0"


def _any_alike(named: np.ndarray, known: Sequence[str]) -> bool:
    return bool({fold(name) for name in named} & {fold(name) for name in known})


def _some(names: Iterable[str]) -> str:
    shown = list(map(str, names))
    return ", ".join(map(repr, shown[:3])) + (", ..." if len(shown) > 3 else "")
