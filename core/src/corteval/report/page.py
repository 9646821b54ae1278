"""``report.html``: one file with everything in it, which needs no network and no script."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from corteval import __version__, registry
from corteval.errors import CortevalError
from corteval.report.charts import mean_chart, scatter
from corteval.report.gathering import Gathered
from corteval.score import Score
from corteval.stats.board import Board, Mean, Missing, means
from corteval.stats.ranks import Rank, ranks

#: Models that two benchmarks must share to be set against each other.
_FEWEST = 3

_WORDS = {
    "undefined": "undefined",
    "not-applicable": "not applicable",
    "failed": "failed",
    "absent": "not run",
}


def page(
    gathered: Gathered,
    *,
    title: str = "Corteval",
    name: str = "all benchmarks",
    weights: Mapping[str, float] | None = None,
    missing: Missing = "not-ranked",
) -> str:
    """The page; the same bytes for the same records.

    Args:
        gathered: scores and history.
        title: heading.
        name: of the suite whose mean ranks models.
        weights: of its benchmarks; None weighs all on the board alike.
        missing: what becomes of models that lack a score.
    """
    board = gathered.board
    weights = weights or dict.fromkeys(board.benchmarks, 1 / max(1, len(board.benchmarks)))
    found = means(board, weights, missing=missing) if board.models else []
    ranked = ranks(found)
    order = _order(board, ranked)
    columns = [*[b for b in weights if b in board.benchmarks]]
    columns += [b for b in board.benchmarks if b not in columns]
    css, script = _asset("page.css"), _asset("page.js")
    template = _environment().get_template("page.html")
    text = template.render(
        title=clean(title),
        name=clean(name),
        version=__version__,
        css=Markup(css),
        script=Markup(script),
        policy=_policy(css, script),
        missing=missing,
        rows=[_row(model, board, columns, ranked, found) for model in order],
        benchmarks=[_about(b, board, weights) for b in columns],
        counts=_counts(board, order, columns),
        withheld=gathered.withheld,
        damaged=gathered.damaged,
        chart=mean_chart(ranked, found) if ranked else None,
        relations=_relations(board, columns),
        ranked=len(ranked),
        facts=_facts(gathered, order, columns),
    )
    return str(text)


def clean(text: str) -> str:
    """`text` without characters that steer: controls and marks of direction become �."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co") else c
        for c in text
    )


def _order(board: Board, ranked: Sequence[Rank]) -> list[str]:
    placed = [rank.model for rank in ranked]
    return placed + [model for model in board.models if model not in placed]


def _row(
    model: str,
    board: Board,
    columns: Sequence[str],
    ranked: Sequence[Rank],
    found: Sequence[Mean],
) -> dict[str, Any]:
    rank = next((r for r in ranked if r.model == model), None)
    mean = next((m for m in found if m.model == model), None)
    places = None
    if rank is not None:
        places = f"{rank.low}–{rank.high}" if rank.low < rank.high else str(rank.low)
    return {
        "model": clean(model),
        "rank": None if rank is None else rank.rank,
        "places": places,
        "group": None if rank is None else rank.group,
        "mean": None if rank is None or mean is None else _number(mean.value),
        "low": None if mean is None else _number(mean.low),
        "high": None if mean is None else _number(mean.high),
        "lacking": len(mean.lacking) if mean else 0,
        "cells": [_cell(board.scores.get((model, b))) for b in columns],
    }


def _cell(score: Score | None) -> dict[str, Any]:
    if score is None:
        return {"status": "absent", "text": _WORDS["absent"], "low": None}
    if score.status != "scored":
        return {"status": score.status, "text": _WORDS[score.status], "low": None}
    interval = score.interval
    return {
        "status": "scored",
        "text": _number(score.value),
        "low": None if interval is None else _number(interval.low),
        "high": None if interval is None else _number(interval.high),
    }


def _number(value: float) -> str | None:
    """Three decimals, without the zero before the point."""
    if not math.isfinite(value):
        return None
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _about(benchmark: str, board: Board, weights: Mapping[str, float]) -> dict[str, Any]:
    """What is known of a benchmark, from its card and from its scores."""
    scored = [s for (_, b), s in board.scores.items() if b == benchmark and s.status == "scored"]
    facts: dict[str, Any] = {
        "name": clean(benchmark),
        "weight": weights.get(benchmark, 0.0),
        "scored": len(scored),
        "normalization": scored[0].normalization if scored else "",
        "ceiling": None,
        "ceiling_method": "",
        "summary": "",
        "target": "",
        "metric": "",
        "data": "",
        "controls": "",
    }
    ceilings = [s.ceiling for s in scored if s.ceiling is not None]
    if ceilings:
        facts["ceiling"] = _number(ceilings[0].value)
        facts["ceiling_method"] = clean(ceilings[0].method)
    try:
        card = registry.benchmarks.card(benchmark)
    except CortevalError:
        return facts
    return facts | {
        "summary": clean(card.summary),
        "target": clean(card.target),
        "metric": card.metric,
        "data": ", ".join(card.data),
        "controls": ", ".join(card.controls),
    }


def _counts(board: Board, rows: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    found = dict.fromkeys(("scored", "undefined", "not-applicable", "failed", "absent"), 0)
    for model in rows:
        for benchmark in columns:
            score = board.scores.get((model, benchmark))
            found["absent" if score is None else score.status] += 1
    return found


def _relations(board: Board, columns: Sequence[str]) -> list[dict[str, Any]]:
    """The pairs of benchmarks that agree least and most, as scatter plots."""
    values = board.values(benchmarks=columns)
    pairs = []
    for i in range(len(columns)):
        for j in range(i + 1, len(columns)):
            both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
            x, y = values[both, i], values[both, j]
            if both.sum() >= _FEWEST and x.std() > 0 and y.std() > 0:
                pairs.append((float(np.corrcoef(x, y)[0, 1]), i, j))
    if not pairs:
        return []
    pairs.sort()
    shown = [pairs[-1], pairs[0]] if len(pairs) > 1 else pairs
    found = []
    for r, i, j in shown:
        both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
        names = [clean(m) for m, kept in zip(board.models, both, strict=True) if kept]
        labels = (clean(columns[i]), clean(columns[j]))
        found.append(
            {
                "labels": labels,
                "r": f"{r:.2f}",
                "models": int(both.sum()),
                "chart": scatter(values[both, i], values[both, j], names, labels),
            }
        )
    return found


def _facts(gathered: Gathered, rows: Sequence[str], columns: Sequence[str]) -> Markup:
    """What the table does not show, for drill-down: as JSON that is no script."""
    board = gathered.board
    notes: dict[str, int] = {}
    cells = []
    for i, model in enumerate(rows):
        for j, benchmark in enumerate(columns):
            score = board.scores.get((model, benchmark))
            if score is None:
                continue
            said = [*([score.reason] if score.reason else []), *score.notes]
            cells.append(
                [
                    i,
                    j,
                    _short(score.raw.value if score.raw else None),
                    _short(score.ceiling.value if score.ceiling else None),
                    [notes.setdefault(clean(text), len(notes)) for text in said],
                    len(gathered.history.get((model, benchmark), ())),
                ]
            )
    text = json.dumps({"cells": cells, "notes": [*notes]}, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _short(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 4)


def _asset(name: str) -> str:
    return (resources.files("corteval.report") / "assets" / name).read_text("utf-8")


def _policy(css: str, script: str) -> str:
    """Nothing but this style and this script may be used, and nothing loaded."""
    return (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("corteval.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
