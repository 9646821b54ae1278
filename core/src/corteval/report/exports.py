"""Boards as tables for other programs: CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from corteval.report.origin import is_published
from corteval.sharing import private_data
from corteval.stats.board import Board, Mean
from corteval.stats.ranks import Rank

#: Beginnings by which a spreadsheet takes a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",  # after the end of a row it would begin an option
    "]": "{]}",
    "*": "{*}",
    **{character: f"\\{character}" for character in "&%$#_"},
}


def scores_csv(board: Board) -> str:
    """One row a cell, in full precision, with status and reason; models and benchmarks in order."""
    header = ("model", "benchmark", "status", "value", "low", "high", "level", "raw", "ceiling")
    rows: list[Sequence[object]] = [(*header, "normalization", "published", "private", "reason")]
    for model in board.models:
        for benchmark in board.benchmarks:
            score = board.cell(model, benchmark)
            if score is None:
                rows.append((model, benchmark, "not run", *[""] * 10))
                continue
            interval = score.interval
            rows.append(
                (
                    model,
                    benchmark,
                    score.status,
                    score.value,
                    *(
                        ("", "", "")
                        if interval is None
                        else (interval.low, interval.high, interval.level)
                    ),
                    "" if score.raw is None else score.raw.value,
                    "" if score.ceiling is None else score.ceiling.value,
                    score.normalization,
                    "yes" if is_published(score) else "no",
                    "yes" if private_data(score) else "no",
                    score.reason,
                )
            )
    return _csv(rows)


def ranks_csv(means: Sequence[Mean], ranked: Sequence[Rank]) -> str:
    """One row a model, the ranked ones first; `lacking` are benchmarks without a score."""
    columns = ("model", "rank", "rank_low", "rank_high", "mean", "low", "high")
    rows: list[Sequence[object]] = [(*columns, "probability_best", "group", "lacking")]
    for mean, rank in _in_order(means, ranked):
        if rank is None:
            places: tuple[object, ...] = ("", "", "")
            last: tuple[object, ...] = ("", "")
        else:
            places = (rank.rank, rank.low, rank.high)
            last = (rank.probability_best, rank.group)
        value = "" if rank is None else mean.value
        rows.append(
            (mean.model, *places, value, mean.low, mean.high, *last, " ".join(mean.lacking))
        )
    return _csv(rows)


def scores_latex(board: Board, benchmarks: Sequence[str], models: Sequence[str]) -> str:
    r"""A booktabs table, a row a model and a column a benchmark, with 95 % intervals below.

    It needs ``\usepackage{booktabs}`` and characters in UTF-8.
    """
    header = ["Model", *map(latex, benchmarks)]
    rows = [
        [latex(model), *(_latex_cell(board, model, benchmark) for benchmark in benchmarks)]
        for model in models
    ]
    return _tabular("l" + "c" * len(benchmarks), header, rows)


def ranks_latex(means: Sequence[Mean], ranked: Sequence[Rank]) -> str:
    """A booktabs table of means and ranks with intervals; see `scores_latex`."""
    rows = []
    for mean, rank in _in_order(means, ranked):
        name = latex(mean.model)
        if rank is None:
            rows.append([name, "not ranked", "--", f"lacks {len(mean.lacking)}"])
            continue
        places = f"{rank.rank}" + ("" if rank.low == rank.high else f" ({rank.low}--{rank.high})")
        rows.append(
            [name, places, _with_interval(mean.value, mean.low, mean.high), str(rank.group)]
        )
    return _tabular("lccc", ["Model", "Rank", "Mean", "Group of ties"], rows)


def latex(text: str) -> str:
    r"""`text` as LaTeX prints it: nothing in it is a command.

    >>> print(latex("a_b & 5 %"))
    a\_b \& 5 \%
    """
    plain = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") else c for c in text)
    return "".join(_LATEX.get(character, character) for character in plain)


def _latex_cell(board: Board, model: str, benchmark: str) -> str:
    score = board.cell(model, benchmark)
    if score is None:
        return "not run"
    if score.status != "scored":
        return score.status.replace("-", " ")
    mark = r"\textsuperscript{p}" if is_published(score) else ""
    if score.interval is None:
        return f"{_three(score.value)}{mark}"
    return _with_interval(score.value, score.interval.low, score.interval.high) + mark


def _with_interval(value: float, low: float, high: float) -> str:
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return _three(value)
    return f"{_three(value)} {{\\scriptsize ({_three(low)} to {_three(high)})}}"


def _three(value: float) -> str:
    return f"${value:.3f}$"


def _tabular(columns: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"\\begin{{tabular}}{{{columns}}}", "\\toprule", " & ".join(header) + r" \\"]
    lines += ["\\midrule", *(" & ".join(row) + r" \\" for row in rows)]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def _in_order(means: Sequence[Mean], ranked: Sequence[Rank]) -> Iterable[tuple[Mean, Rank | None]]:
    of: Mapping[str, Mean] = {mean.model: mean for mean in means}
    placed = {rank.model for rank in ranked}
    yield from ((of[rank.model], rank) for rank in ranked)
    yield from ((mean, None) for mean in means if mean.model not in placed)


def _csv(rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([[_field(value) for value in row] for row in rows])
    return file.getvalue()


def _field(value: object) -> object:
    """A text that no spreadsheet computes; NaN is empty."""
    if isinstance(value, float):
        return repr(float(value)) if math.isfinite(value) else ""
    if isinstance(value, str):
        text = re.sub(r"[\r\n]+", " ", value)
        return "'" + text if value.startswith(_FORMULA) else text
    return value
