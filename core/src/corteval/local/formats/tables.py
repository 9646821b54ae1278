"""Tables of a lab as text: .csv, .tsv and .parquet, with the row an editor shows."""

from __future__ import annotations

import csv
import difflib
import importlib
import io
import re
import shlex
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd

from corteval.errors import OptionError
from corteval.local.description import within
from corteval.local.problems import Findings, refuse

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")

#: A text table beyond this is slow to read; an array of the same numbers is not.
MAX_TEXT_BYTES = 2 << 30
#: A compressed table beyond this does not fit many machines.
MAX_TABLE_BYTES = 8 << 30

_NAMELESS = "nameless column "


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A table whose cells are text as they stand in the file, or typed if it is Parquet.

    Args:
        name: of the file, relative to the folder.
        frame: one row a row; columns are unique text.
        lines: row of the file at which each row begins, counted from 1, header included.
        separator: of cells; "" for Parquet.
        called: standard name of a column -> what the file calls it, where that differs.
        made: columns that the file does not have.
    """

    name: str
    frame: pd.DataFrame
    lines: np.ndarray
    separator: str = ","
    called: Mapping[str, str] = field(default_factory=dict)
    made: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, row: int, column: str = "") -> str:
        """Place of a cell, for messages; `row` counts from 0."""
        place = f"{self.name}, row {self.lines[row]}"
        return f"{place}, column {self.called.get(column, column)}" if column else place

    def text(self, column: str) -> np.ndarray:
        """Cells of a column as text; whole numbers of Parquet without a decimal point."""
        values = self.frame[column]
        if pd.api.types.is_float_dtype(values.dtype):
            numbers = values.to_numpy(float, na_value=np.nan)
            if np.isfinite(numbers).all() and (numbers == np.round(numbers)).all():
                values = pd.Series(numbers.astype(np.int64))
        missing = values.isna().to_numpy()
        cells = values.astype(object).to_numpy()
        return np.array(
            ["" if gone else str(cell) for cell, gone in zip(cells, missing, strict=True)], object
        )

    def column(self, wanted: str, next_step: str = "", *, flag: str = "") -> str:
        """Name of a column that must exist.

        Args:
            wanted: the name.
            next_step: what else could be done.
            flag: by which `wanted` was named, so that it is the flag that is wrong, not the table.

        Raises:
            DatasetError: names close ones.
        """
        columns = [self.called.get(c, c) for c in self.frame.columns if c not in self.made]
        if wanted in self.frame.columns:
            return wanted
        near = [c for c in columns if c.strip().casefold() == wanted.casefold()]
        near = near or difflib.get_close_matches(wanted, columns, n=2, cutoff=0.7)
        hint = f"Rename {near[0]!r} to {wanted!r}." if near else ""
        if flag:
            meant = " or ".join(f"{flag} {shlex.quote(c)}" for c in near)
            hint = f"Did you mean {meant}?" if near else f"Name one of these: {flag} COLUMN."
            hint += f" In a description it is {flag.strip('-')} = ... in [responses]."
        elif not near:
            from corteval.local.formats.synonyms import likely  # it reads tables

            theirs = likely(self, wanted)
            hint = f"If {theirs!r} is meant: {column_is(wanted, theirs)}." if theirs else ""
        refuse(
            f"There is no column {wanted!r}; there are {', '.join(map(repr, columns[:12]))}"
            + (", ..." if len(columns) > 12 else "")
            + ".",
            f"{self.name}, row 1" if self.separator else self.name,
            " ".join(filter(None, (hint, next_step)))
            or f"Add a column {wanted!r}, or rename the one that is meant.",
        )


def read_table(folder: Path, name: str, what: str, findings: Findings) -> Table:
    """Read a table of `folder` without changing a cell.

    Args:
        folder: of the data set.
        name: of the file.
        what: it is, for messages.
        findings: told of what is odd.

    Raises:
        DatasetError: if the table is missing, empty, or no table.
        OptionError: if it needs an extra that is not installed.
    """
    path = within(folder, name, what)
    if path.suffix.lower() not in SUFFIXES:
        refuse(
            f"{what[0].upper()}{what[1:]} is a {path.suffix or 'nameless kind of'} file; tables "
            "are .csv, .tsv or .parquet.",
            name,
            "Save it as CSV (UTF-8)." if path.suffix.lower() in (".xls", ".xlsx", ".ods") else "",
        )
    if not path.is_file():
        refuse(f"{what} is a folder.", name)
    parquet = path.suffix.lower() == ".parquet"
    table = _parquet(path, name) if parquet else _delimited(path, name)
    if table.frame.empty:
        refuse("The table has no rows.", name, "Give one row below the header for each entry.")
    spaced = [c for c in table.frame.columns if c != c.strip()]
    if spaced:
        findings.warning(
            f"Columns {', '.join(map(repr, spaced))} have spaces around their names, which are "
            "not taken for part of them.",
            f"{name}, row 1",
        )
        table.frame.columns = pd.Index([c.strip() for c in table.frame.columns])
    _refuse_twice(list(table.frame.columns), name)
    nameless = [c for c in table.frame.columns if c.startswith(_NAMELESS)]
    if nameless:
        findings.warning(
            f"{', '.join(nameless).capitalize()} has no name and is left out (an index that was "
            "saved along?).",
            f"{name}, row 1",
        )
        table = replace(table, frame=table.frame.drop(columns=nameless))
    return table


def renamed(table: Table, columns: Mapping[str, str]) -> Table:
    """`table` with its columns under their standard names, as far as it has them.

    Raises:
        DatasetError: if a standard name is taken by another column.
    """
    there = set(table.frame.columns)
    called = {name: theirs for name, theirs in columns.items() if theirs in there}
    for name, theirs in called.items():
        if name in there and name != theirs and name not in called.values():
            refuse(
                f"Column {theirs!r} is to be {name!r}, but there is a column {name!r}.",
                f"{table.name}, row 1",
                f"Rename one of them, or take {name!r} out of [columns].",
            )
    frame = table.frame.rename(columns={theirs: name for name, theirs in called.items()})
    return replace(table, frame=frame, called=called)


def numbered(table: Table, findings: Findings) -> Table:
    """`table` with ids of stimuli; where it has none, its rows are numbered."""
    if "stimulus_id" in table.frame.columns:
        return table
    near = [c for c in table.frame.columns if c.strip().casefold() == "stimulus_id"]
    if near:
        return table  # a slip, told when the column is asked for
    width = len(str(len(table)))
    numbers = [f"{row:0{width}d}" for row in range(1, len(table) + 1)]
    findings.warning(
        f"There is no column 'stimulus_id'; rows are numbered {numbers[0]} to {numbers[-1]}.",
        f"{table.name}, row 1",
        "Add the column if rows may ever be added, removed or moved.",
    )
    return replace(table, frame=table.frame.assign(stimulus_id=numbers), made=("stimulus_id",))


def column_is(standard: str, theirs: str) -> str:
    """How to say that a column is a standard one: by a flag, or in a description."""
    return (
        f'--column {shlex.quote(f"{standard}={theirs}")}, or {standard} = "{theirs}" in [columns]'
    )


def columns_of(path: Path) -> list[str]:
    """Names of a table's columns, reading no more than its beginning; [] if it is none."""
    try:
        if path.suffix.lower() == ".parquet":
            parquet: Any = importlib.import_module("pyarrow.parquet")
            return list(parquet.read_schema(path).names)
        with path.open("rb") as file:
            text = file.read(1 << 16).decode("utf-8-sig", errors="replace")
        return [c.strip() for c in _header(text, _separator(path, text))]
    except Exception:  # what cannot be read is found out, and told, when it is read in earnest
        return []


def _delimited(path: Path, name: str) -> Table:
    text = _decoded(path, name)
    separator = _separator(path, text)
    header = _header(text, separator)
    header = [c if c.strip() else f"{_NAMELESS}{n}" for n, c in enumerate(header, start=1)]
    _refuse_twice([c.strip() for c in header], name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.StringIO(text),
                sep=separator,
                dtype=object,
                keep_default_na=False,
                na_filter=False,
                skip_blank_lines=False,
                index_col=False,
                low_memory=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, ValueError) as error:
        _refuse_uneven(text, separator, name, str(error))
    frame.columns = pd.Index(header)
    lines = np.arange(len(frame)) + 2
    if text.count("\n") > len(frame) + 1 or '"' in header:
        inside = np.zeros(len(frame), int)
        for column in frame.columns:
            inside += frame[column].astype(str).str.count("\n").to_numpy(int)
        lines = lines + np.concatenate([[0], np.cumsum(inside)[:-1]]) if len(frame) else lines
    blank = np.ones(len(frame), bool)
    for column in frame.columns:
        blank &= (frame[column] == "").to_numpy()
    return Table(
        name=name,
        frame=frame.loc[~blank].reset_index(drop=True),
        lines=lines[~blank],
        separator=separator,
    )


def _decoded(path: Path, name: str) -> str:
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        refuse(
            f"The table has {size} bytes; at most {MAX_TEXT_BYTES} are read as text.",
            name,
            "Save it as .parquet, or the responses as .npy.",
        )
    content = path.read_bytes()
    if not content.strip():
        refuse("The file is empty.", name, "Copy it again.")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        refuse("The file is UTF-16 ('Unicode text').", name, "Save it as CSV UTF-8.")
    if content[:2] == b"PK" or b"\0" in content[:65536]:
        refuse("The file is not text.", name, "Save the table as CSV UTF-8.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + (3 if content.startswith(b"\xef\xbb\xbf") else 0)
        row = content.count(b"\n", 0, start) + 1
        refuse(
            f"Byte {content[start : start + 1]!r} is not UTF-8.",
            f"{name}, row {row}",
            "Save it as CSV UTF-8.",
        )
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        refuse("There is a NUL character.", f"{name}, row {row}", "The file is damaged; copy it.")
    return text


def _separator(path: Path, text: str) -> str:
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").split("\n", 1)[0])
    found = max((";", "\t", ","), key=first.count)
    return found if first.count(found) else ","


def _header(text: str, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(text), delimiter=separator), [])


def _refuse_twice(header: list[str], name: str) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        columns = [str(n) for n, column in enumerate(header, start=1) if column == twice[0]]
        refuse(
            f"The name {twice[0]!r} stands over columns {' and '.join(columns)}.",
            f"{name}, row 1",
            "Rename one of them.",
        )


def _refuse_uneven(text: str, separator: str, name: str, message: str) -> None:
    """Name the row that made a parser give up."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        width = len(next(reader))
        start = reader.line_num + 1
        for cells in reader:
            if len(cells) > width:
                refuse(
                    f"The row has {len(cells)} cells, the header {width} ({cells[width]!r} is too "
                    "many).",
                    f"{name}, row {start}",
                    "Put cells that contain the separator into quotes.",
                )
            start = reader.line_num + 1
    except csv.Error as error:
        message = str(error)
    refuse(f"The table cannot be read: {message}.", name, "Is a quote opened and not closed?")


def _parquet(path: Path, name: str) -> Table:
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise OptionError(
            f'{name} needs pyarrow: pip install "corteval[parquet]", or save the table as CSV.'
        ) from error
    try:
        file = parquet.ParquetFile(path)
        meta = file.metadata
        size = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
        if size > MAX_TABLE_BYTES or meta.num_rows * meta.num_columns > MAX_TABLE_BYTES // 8:
            refuse(
                f"The table would take {size} bytes, {meta.num_rows} rows; at most "
                f"{MAX_TABLE_BYTES} are read.",
                name,
                "Save the responses as .npy.",
            )
        frame: Any = file.read().to_pandas(ignore_metadata=True)
    except (OSError, ValueError, NotImplementedError) as error:  # pyarrow's errors are of these
        refuse(f"The file is no readable Parquet: {error}.", name, "Write or copy it again.")
    frame.columns = pd.Index([str(column) for column in frame.columns])
    nested = [
        column
        for column in frame.columns
        if frame[column].dtype == object
        and frame[column].map(lambda cell: isinstance(cell, list | dict | np.ndarray)).any()
    ]
    if nested:
        refuse(f"Column {nested[0]!r} holds lists.", name, "Give each value a row (frame.explode).")
    return Table(name=name, frame=frame, lines=np.arange(len(frame)) + 1, separator="")
