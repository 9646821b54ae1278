"""What lies behind a cell of the table: raw value, ceiling, notes, records, subjects."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, final

import numpy as np
from markupsafe import Markup

from corteval.report.duels import paired_tests
from corteval.report.gathering import Gathered
from corteval.report.layer_charts import LayerCurve
from corteval.run.records import Record
from corteval.score import Score
from corteval.stats.relations import correlation_interval, line_band

#: Characters of a page that values of single subjects may take; beyond, they are left out.
MOST_OF_SUBJECTS = 400_000

#: Of the PCG64 generator of numpy (O'Neill 2014, 128 bits).
_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


@final
@dataclass(frozen=True, kw_only=True)
class SubjectSpread:
    """Raw values of one subject: over its neuroids, or whatever the score has of it.

    Args:
        subject: name.
        median, low, high: median and quartiles; None where no value is defined.
        count: number of defined values.
    """

    subject: str
    median: float | None
    low: float | None
    high: float | None
    count: int


def subjects(score: Score) -> tuple[SubjectSpread, ...]:
    """Median and quartiles of each subject in the order of names; empty if the score has none.

    Other dimensions than that of subjects, such as splits, are averaged first.
    """
    samples = score.samples
    if samples is None or "subject" not in samples.coords:
        return ()
    labels = samples["subject"]
    if labels.ndim != 1 or samples.dtype.kind not in "fiu":
        return ()
    (along,) = labels.dims
    others = [dim for dim in samples.dims if dim != along]
    values = np.asarray(samples.mean(others, skipna=True).values, dtype=float)
    names = np.asarray(labels.values).astype(str)
    return tuple(_spread(name, values[names == name]) for name in sorted(set(names.tolist())))


def _spread(name: str, values: np.ndarray) -> SubjectSpread:
    kept = values[np.isfinite(values)]
    low = middle = high = None
    if kept.size:
        low, middle, high = (float(q) for q in np.quantile(kept, [0.25, 0.5, 0.75]))
    return SubjectSpread(subject=name, median=middle, low=low, high=high, count=int(kept.size))


def when(record: Record) -> str:
    """Day and minute a record was made, as far as it says."""
    return record.measured.started[:16].replace("T", " ") or "no date"


def facts(
    gathered: Gathered,
    rows: Sequence[str],
    columns: Sequence[str],
    clean: Callable[[str], str],
    *,
    most: int = MOST_OF_SUBJECTS,
    layers: Sequence[LayerCurve] = (),
) -> Markup:
    """What the table does not show, for drill-down: as JSON that is no script.

    Args:
        gathered: scores and records.
        rows: models, as the table has them.
        columns: benchmarks.
        clean: makes a text harmless.
        most: characters that values of single subjects may take.
        layers: curves that the page shows.
    """
    notes: dict[str, int] = {}
    names: dict[str, int] = {}
    cells: list[list[Any]] = []
    size = 0
    for i, model in enumerate(rows):
        for j, benchmark in enumerate(columns):
            score = gathered.board.cell(model, benchmark)
            if score is None:
                continue
            said = [*([score.reason] if score.reason else []), *score.notes]
            records = gathered.history.get((model, benchmark), ())
            of_subjects = [
                [names.setdefault(clean(s.subject), len(names)), *map(_short, _numbers(s)), s.count]
                for s in subjects(score)
            ]
            size += len(json.dumps(of_subjects, separators=(",", ":")))
            cells.append(
                [
                    i,
                    j,
                    _short(score.raw.value if score.raw else None),
                    _short(score.ceiling.value if score.ceiling else None),
                    [notes.setdefault(clean(text), len(notes)) for text in said],
                    _history(records, clean),
                    of_subjects,
                ]
            )
    left_out = size > most
    for cell in cells:
        if left_out or not cell[6]:
            cell.pop()
    body: dict[str, Any] = {
        "cells": cells,
        "notes": [*notes],
        "names": [*names],
        "leftOut": left_out,
    }
    body["draws"] = _draws(gathered, rows)
    body["layers"] = {
        f"{rows.index(curve.model)},{columns.index(benchmark)}": n
        for n, curve in enumerate(layers)
        for benchmark in curve.benchmarks
        if benchmark in columns
    }
    body["tests"] = paired_tests(gathered.board, rows, columns, clean)
    return inert(json.dumps(body, separators=(",", ":")))


def _draws(gathered: Gathered, rows: Sequence[str]) -> dict[str, Any]:
    """What the page needs to draw models as `corteval.stats.relations` does by default.

    Numbers of 128 bits are in limbs of 16, the lowest first. ``order``: rows as the board has them.
    ``tails``: how much further than a normal distribution's the 95 % interval of Student's reaches,
    by number of models.
    """
    from scipy import stats

    state = np.random.PCG64([0, 3]).state["state"]
    numbers = {"state": state["state"], "increment": state["inc"], "multiplier": _MULTIPLIER}
    places = {model: n for n, model in enumerate(rows)}
    free = np.arange(1, max(2, len(rows)))  # degrees of freedom of two models and more
    tails = np.asarray(stats.t.ppf(0.975, free) / stats.norm.ppf(0.975))
    return {
        "resamples": _resamples(correlation_interval),
        "band": _resamples(line_band),
        "order": [places[model] for model in gathered.board.models if model in places],
        "tails": [None, None, *tails.tolist()],
        **{
            n: [value >> shift & 65535 for shift in range(0, 128, 16)]
            for n, value in numbers.items()
        },
    }


def _resamples(function: Callable[..., Any]) -> int:
    return int(signature(function).parameters["resamples"].default)


def inert(text: str) -> Markup:
    """JSON that cannot end the element it stands in."""
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _history(records: Sequence[Record], clean: Callable[[str], str]) -> int | list[list[Any]]:
    """Value and date of each record, the oldest first; of a single one that it is there."""
    if len(records) < 2:
        return len(records)
    return [
        [_short(r.score.value) if r.score.status == "scored" else r.score.status, clean(when(r))]
        for r in records
    ]


def _numbers(spread: SubjectSpread) -> tuple[float | None, float | None, float | None]:
    return spread.median, spread.low, spread.high


def _short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)
