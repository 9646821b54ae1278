"""How results show themselves in notebooks: as data frames, and as HTML that is inert and plain.

The HTML has no script, no colour of its own and no style sheet, so that it reads on light and on
dark paper; names are text whatever is in them, and are not typeset as formulas. What is missing is
a word. Cards show themselves too, so that this module is as light as theirs: pandas is imported
when a frame is asked for.
"""

from __future__ import annotations

import html
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from importlib import import_module
from typing import Any, ClassVar, TypeVar, final

#: Rows of a table beyond which it says how many are left out.
MOST_ROWS = 60

#: Classes by which notebooks know not to typeset formulas.
_INERT = "tex2jax_ignore mathjax_ignore"
_LINE = "border-bottom:1px solid rgba(128,128,128,.45)"
_CELL = f"padding:.2em .7em;vertical-align:top;overflow-wrap:break-word;{_LINE}"
_QUIET = "opacity:.75"
_TITLE = "text-align:left;caption-side:top;white-space:nowrap;font-weight:bold;color:inherit"
#: Characters of a text that are shown; names are shorter.
_LONGEST = 500


class Tabular(ABC):
    """What is a row of a table. Abstract: a final subclass says which, and what it lacks."""

    __slots__ = ()

    #: Column -> word for a value that there is not.
    words: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def row(self) -> Mapping[str, Any]:
        """Values by column."""

    def to_frame(self) -> Any:
        """A data frame of one row."""
        return frame([self.row()])

    def _repr_html_(self) -> str:
        return facts(type(self).__name__, self.row(), missing=self.words)


T = TypeVar("T", bound=Tabular)


@final
class Rows(list[T]):
    """A list that is a table."""

    def to_frame(self) -> Any:
        """A data frame, one row each."""
        return frame([item.row() for item in self])

    def _repr_html_(self) -> str:
        rows = [item.row() for item in self]
        return table(rows, missing=self[0].words if self else {})


def frame(rows: Sequence[Mapping[str, Any]], columns: Iterable[str] = ()) -> Any:
    """A data frame of `rows`, which may differ in columns; `columns` are those of an empty one."""
    names = dict.fromkeys(name for row in rows for name in row) or columns
    return import_module("pandas").DataFrame([dict(row) for row in rows], columns=[*names])


def facts(
    title: str, values: Mapping[str, Any], *, missing: Mapping[str, str] | None = None
) -> str:
    """HTML of names and values, one a line."""
    words = missing or {}
    lines = "".join(
        f'<tr><th scope="row" style="text-align:left;{_CELL}">{text(name)}</th>'
        f'<td style="text-align:left;{_CELL}">{text(value, words.get(name))}</td></tr>'
        for name, value in values.items()
    )
    return block(_table(title, "", lines))


def table(
    rows: Sequence[Mapping[str, Any]],
    *,
    title: str = "",
    missing: Mapping[str, str] | None = None,
    most: int = MOST_ROWS,
    empty: str = "There is nothing to show.",
) -> str:
    """HTML of `rows`, the first `most` of them; the first column names a row.

    Args:
        rows: values by column.
        title: above the table.
        missing: column -> word for a value that there is not.
        most: rows that are shown.
        empty: said if there are none.
    """
    if not rows:
        return block(f"<p>{text(title)}: {text(empty)}</p>" if title else f"<p>{text(empty)}</p>")
    words = missing or {}
    first, *others = columns = [*dict.fromkeys(name for row in rows for name in row)]
    side = {n: _side([row.get(n) for row in rows[:most]]) for n in columns}
    head = "".join(
        f'<th scope="col" style="text-align:{side[n]};{_CELL}">{text(n)}</th>' for n in columns
    )
    lines = []
    for row in rows[:most]:
        cells = "".join(
            f'<td style="text-align:{side[n]};{_CELL}">{text(value, words.get(n))}</td>'
            for n, value in ((n, row.get(n)) for n in others)
        )
        name = text(row[first], words.get(first))
        lines.append(
            f'<tr><th scope="row" style="text-align:left;font-weight:normal;{_CELL}">{name}</th>'
            f"{cells}</tr>"
        )
    made = _table(title, f"<thead><tr>{head}</tr></thead>", "".join(lines))
    left = len(rows) - most
    if left > 0:
        made += f'<p style="{_QUIET}">{left} more rows are not shown; to_frame() has them all.</p>'
    return block(made)


def block(*parts: str) -> str:
    """HTML in which notebooks typeset nothing."""
    return f'<div class="{_INERT}" style="overflow-x:auto">{"".join(parts)}</div>'


def text(value: Any, missing: str | None = None) -> str:
    """`value` as words, escaped; characters that steer are replaced.

    >>> text(float("nan")), text(()), text("<b>"), text(0.25)
    ('not known', 'none', '&lt;b&gt;', '0.2500')
    """
    return html.escape(_plain(_words(value, missing)))


def _words(value: Any, missing: str | None) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return missing or "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.4g}"
    if isinstance(value, Mapping):
        joined = ", ".join(f"{name}: {_words(v, None)}" for name, v in value.items())
    elif isinstance(value, AbstractSet):
        joined = ", ".join(sorted(_words(v, None) for v in value))
    elif isinstance(value, tuple | list):
        joined = ", ".join(_words(v, None) for v in value)
    else:
        joined = str(value)
    return " ".join(joined.split()) or missing or "none"


def _plain(words: str) -> str:
    """Without characters that steer, and not endless."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def _side(values: Iterable[Any]) -> str:
    """Where a column's text stands: numbers below numbers."""
    numbers = any(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    return "right" if numbers else "left"


def _table(title: str, head: str, lines: str) -> str:
    above = f'<caption style="{_TITLE}">{text(title)}</caption>' if title else ""
    return (
        f'<table style="border-collapse:collapse;color:inherit">{above}{head}'
        f"<tbody>{lines}</tbody></table>"
    )
