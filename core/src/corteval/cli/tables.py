"""Rendering: plain tables, facts, JSON, sizes and errors in one line."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

_GAP = "  "
_NARROWEST = 24  # a last column with less room than this goes under its row
_UNDER: dict[str, Any] = {"initial_indent": "    ", "subsequent_indent": "    "}
_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}  # names stay whole


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: as wide as it needs to be, except on a terminal, where it fits."""
    first, *lines = layout([header, *rows], terminal_width())
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        first = click.style(first, bold=True)
    click.echo("\n".join([first, *lines]))


def fact_lines(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Names and values, indented, one a line."""
    width = terminal_width()
    return [_GAP + line for line in layout([*facts], width and width - len(_GAP))]


def print_json(schema: str, **content: Any) -> None:
    """Print an object that names its schema."""
    print_bare_json({"schema": schema, **content})


def print_bare_json(content: Any) -> None:
    """Print what names its schema itself."""
    ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
    text = json.dumps(plain(content), indent=2, ensure_ascii=ascii_only, allow_nan=False)
    click.echo(text)


def terminal_width() -> int | None:
    """Columns of the terminal on stdout; None if there is none and lines may be long."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


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


def human_size(count: int) -> str:
    """Bytes in units of 1000.

    >>> human_size(2_560_128), human_size(17)
    ('2.6 MB', '17 B')
    """
    if count < 1000:
        return f"{count} B"
    power = min(int(math.log10(count) / 3), 4)
    return f"{count / 1000**power:.1f} {'kMGT'[power - 1]}B"


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


def _printable(text: str) -> str:
    """`text` in one line, without characters that would steer a terminal."""
    text = " ".join(text.split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
