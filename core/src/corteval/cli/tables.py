"""Rendering: plain tables, facts, JSON, sizes and errors in one line."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

import click

_GAP = "  "
_NARROWEST = 24  # a last column with less room than this goes under its row
_UNDER: dict[str, Any] = {"initial_indent": "    ", "subsequent_indent": "    "}
_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}  # names stay whole
_NARROW = 20  # no terminal is taken to have fewer columns than this


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, heading: int = 1) -> None:
    """Print a table: as wide as it needs to be, except on a terminal, where it fits.

    Args:
        header, rows: names of the columns, and the cells.
        heading: columns that name a row; on a terminal too narrow for the table, each row becomes
            a block of lines under them.
    """
    rows, width = [*rows], terminal_width(sys.stdout)
    if width is not None and rows and _indent_of_last([header, *rows]) > width:
        click.echo("\n\n".join(_block(header, row, heading, width) for row in rows))
        return
    first, *lines = layout([header, *rows], width)
    click.echo("\n".join([_bold(first), *lines]))


def say(text: str) -> None:
    """Print words on stderr; on a terminal, lines break between words."""
    width = terminal_width(sys.stderr)
    if width is not None:
        text = "\n".join(_wrapped(line, width) for line in text.splitlines())
    click.echo(text, err=True)


def fact_lines(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Names and values, indented, one a line."""
    width = terminal_width(sys.stdout)
    return [_GAP + line for line in layout([*facts], width and width - len(_GAP))]


def print_json(schema: str, **content: Any) -> None:
    """Print an object that names its schema."""
    print_bare_json({"schema": schema, **content})


def print_bare_json(content: Any) -> None:
    """Print what names its schema itself."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(plain(content), indent=2, ensure_ascii=ascii_only, allow_nan=False)
    click.echo(text)


def terminal_width(stream: TextIO | None) -> int | None:
    """Columns of the terminal that `stream` is; None if it is none and lines may be long."""
    if stream is None or not stream.isatty():
        return None
    columns = os.get_terminal_size(stream.fileno()).columns or 80
    return max(shutil.get_terminal_size((columns, 24)).columns, _NARROW)


def layout(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """Lines of `rows` in aligned columns; the last column wraps to fit `width`, nothing is cut."""
    cells = [[_printable(cell) for cell in row] for row in rows]
    if not cells:
        return []
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    indent = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    lines = []
    for *row, last in cells:
        lead = "".join(cell.ljust(n) + _GAP for cell, n in zip(row, widths[:-1], strict=True))
        if width is None or indent + len(last) <= width:
            lines.append((lead + last).rstrip())
        elif width - indent >= _NARROWEST:
            first, *more = textwrap.wrap(last, width - indent, **_WORDS)
            lines += [lead + first, *(" " * indent + line for line in more)]
        else:
            lines += [lead.rstrip(), *textwrap.wrap(last, width, **_WORDS, **_UNDER)]
    return lines


def one_line(error: BaseException) -> str:
    """The cause of `error` if it has one, in one line: what a person must know first."""
    cause = error.__cause__ or error
    return _printable(f"{type(cause).__name__}: {cause}" if cause is not error else str(error))


def chain(error: BaseException | None) -> Iterator[str]:
    """`error` and what led to it, each with the line of code that raised it."""
    import traceback

    while error is not None:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename[0] != "<"]
        where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
        yield f"{type(error).__name__}: {error}{where}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def plain(content: Any) -> Any:
    """`content` as JSON types: sets sorted, non-finite numbers null, anything else its text."""
    if content is None or isinstance(content, (str, int)):
        return content
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {str(name): plain(value) for name, value in content.items()}
    if isinstance(content, (set, frozenset)):
        return sorted(map(str, content))
    if isinstance(content, (list, tuple)):
        return [plain(value) for value in content]
    return str(content)


def _indent_of_last(rows: Sequence[Sequence[str]]) -> int:
    """Width up to the last column, and with it if that is too short to wrap."""
    *widths, last = (max(len(_printable(c)) for c in column) for column in zip(*rows, strict=True))
    return sum(widths) + len(_GAP) * len(widths) + (last if last < _NARROWEST else 0)


def _block(header: Sequence[str], row: Sequence[str], heading: int, width: int) -> str:
    name = _GAP.join(map(_printable, row[:heading]))
    facts = zip(header[heading:], row[heading:], strict=True)
    return "\n".join([_bold(_wrapped(name, width)), *fact_lines(facts)])


def _bold(text: str) -> str:
    plain_text = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if plain_text else click.style(text, bold=True)


def _wrapped(line: str, width: int) -> str:
    indent = line[: len(line) - len(line.lstrip())]
    both: dict[str, Any] = {"initial_indent": indent, "subsequent_indent": indent}
    return textwrap.fill(line.lstrip(), width, **both, **_WORDS)


def _printable(text: str) -> str:
    """`text` in one line, without characters that would steer a terminal."""
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def counted(number: int, noun: str, verb: str = "") -> str:
    """A number of things in words: ``1 cell``, ``2 cells``; with `` are`` behind, ``1 cell is``."""
    if number == 1:
        return f"{number} {noun}{' is' if verb == ' are' else verb}"
    return f"{number:,} {noun}s{verb}"
