"""``report.html``: one file with everything in it, which needs no network and no script."""

from __future__ import annotations

import base64
import hashlib
import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from corteval import __version__, registry
from corteval.errors import CortevalError, UndefinedScore
from corteval.report.charts import mean_chart, scatter
from corteval.report.details import facts
from corteval.report.gathering import Gathered
from corteval.report.matrix import heat_map, matrix
from corteval.report.origin import is_published
from corteval.report.track import Track
from corteval.score import Score
from corteval.stats.board import Board, Mean, Missing, means
from corteval.stats.ranks import Rank, ranks
from corteval.stats.relations import correlation_interval

#: Models that two benchmarks must share to be set against each other.
_FEWEST = 3

#: Benchmarks from which on there is a matrix of all pairs.
_FEWEST_IN_MATRIX = 2

#: Pairs of benchmarks up to which all are shown; of more, the first and the last.
_MOST_PAIRS = 6

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
    track: Track | None = None,
    links: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
) -> str:
    """The page; the same bytes for the same records.

    Args:
        gathered: scores and history.
        title: heading.
        name: of the suite whose mean ranks models.
        weights: of its benchmarks; None weighs all on the board alike.
        missing: what becomes of models that lack a score.
        track: the edition that `name` and `weights` are of, to show its rules.
        links: relative addresses of pages of models, and of benchmarks; none on a single page.
    """
    board = gathered.board
    weights = weights or dict.fromkeys(board.benchmarks, 1 / max(1, len(board.benchmarks)))
    found = means(board, weights, missing=missing) if board.models else []
    ranked = ranks(found)
    order = _order(board, ranked)
    columns = [*[b for b in weights if b in board.benchmarks]]
    columns += [b for b in board.benchmarks if b not in columns]
    # to ask for a card there is not takes long: the registry looks for close names
    installed = frozenset(registry.benchmarks)
    css, script = asset("page.css"), asset("page.js")
    template = environment().get_template("page.html")
    text = template.render(
        title=clean(title),
        name=clean(name),
        version=__version__,
        css=Markup(css),
        script=Markup(script),
        policy=policy(css, script),
        missing=missing,
        rows=[
            _row(model, board, columns, ranked, found) | {"link": links[0].get(model)}
            for model in order
        ],
        benchmarks=[
            _about(b, board, weights, installed) | {"link": links[1].get(b)} for b in columns
        ],
        counts=_counts(board, order, columns),
        published=sum(map(_shown_as_published, board.scores.values())),
        withheld=gathered.withheld,
        damaged=gathered.damaged,
        chart=mean_chart(ranked, found) if ranked else None,
        relations=_relations(board, columns),
        ranked=len(ranked),
        facts=facts(gathered, order, columns, clean),
        agreement=_agreement(board, columns),
        track=_rules(track),
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
    places = low = high = None
    if mean is not None and mean.low != mean.high:  # else of scores without intervals
        low, high = number(mean.low), number(mean.high)
    if rank is not None:
        places = f"{rank.low}–{rank.high}" if rank.low < rank.high else str(rank.low)
        places = places if rank.group else "unknown"
    return {
        "model": clean(model),
        "rank": None if rank is None else rank.rank,
        "places": places,
        "group": None if rank is None else rank.group,
        "mean": None if rank is None or mean is None else number(mean.value),
        "low": low,
        "high": high,
        "lacking": len(mean.lacking) if mean else 0,
        "cells": [_cell(board.scores.get((model, b))) for b in columns],
    }


def _cell(score: Score | None) -> dict[str, Any]:
    if score is None:
        return {"status": "absent", "text": _WORDS["absent"], "low": None, "published": False}
    if score.status != "scored":
        text = _WORDS[score.status]
        return {"status": score.status, "text": text, "low": None, "published": False}
    interval = score.interval
    return {
        "status": "scored",
        "text": number(score.value),
        "low": None if interval is None else number(interval.low),
        "high": None if interval is None else number(interval.high),
        "published": is_published(score),
    }


def _shown_as_published(score: Score) -> bool:
    return score.status == "scored" and is_published(score)


def number(value: float) -> str | None:
    """Three decimals, without the zero before the point."""
    if not math.isfinite(value):
        return None
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def _about(
    benchmark: str, board: Board, weights: Mapping[str, float], installed: Collection[str]
) -> dict[str, Any]:
    """What is known of a benchmark, from its card and from its scores."""
    cells = (board.scores.get((model, benchmark)) for model in board.models)
    scored = [s for s in cells if s is not None and s.status == "scored"]
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
        facts["ceiling"] = number(ceilings[0].value)
        facts["ceiling_method"] = clean(ceilings[0].method)
    if benchmark.partition("@")[0] not in installed:
        return facts
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
    """Pairs of benchmarks as scatter plots, the most alike first: all, or the two at the ends."""
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
    shown = pairs[::-1] if len(pairs) <= _MOST_PAIRS else [pairs[-1], pairs[0]]
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
                "interval": _interval_of_r(values[both, i], values[both, j]),
                "chart": scatter(values[both, i], values[both, j], names, labels),
            }
        )
    return found


def _agreement(board: Board, columns: Sequence[str]) -> dict[str, Any] | None:
    """Rank correlations of all pairs of benchmarks, as a heat map and a table."""
    found = matrix(board, columns)
    if len(found.benchmarks) < _FEWEST_IN_MATRIX:
        return None
    names = [clean(b) for b in found.benchmarks]
    return {
        "names": names,
        "chart": heat_map(found, names),
        "rows": [*zip(names, found.pairs, strict=True)],
        "left_out": found.left_out,
    }


def _rules(track: Track | None) -> dict[str, Any] | None:
    if track is None:
        return None
    parts = [
        {"name": clean(p.name), "depth": p.depth, "weight": p.weight, "share": p.share}
        | {"group": p.group}
        for p in track.parts
    ]
    return {"name": clean(track.name), "summary": clean(track.summary), "parts": parts}


def _interval_of_r(x: np.ndarray, y: np.ndarray) -> str:
    """Its 95 % interval over models in words; empty if there are too few to draw from."""
    try:
        interval = correlation_interval(x, y)
    except UndefinedScore:
        return ""
    return f"{interval.low:.2f} to {interval.high:.2f}"


def asset(name: str) -> str:
    """Text of a file that pages are made of."""
    return (resources.files("corteval.report") / "assets" / name).read_text("utf-8")


def policy(css: str, script: str | None) -> str:
    """Nothing but this style and this script, if any, may be used, and nothing loaded."""
    scripts = "" if script is None else f"script-src '{_hash(script)}'; "
    return (
        f"default-src 'none'; style-src '{_hash(css)}'; {scripts}"
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def environment() -> Environment:
    """Of the templates; what they are given is escaped."""
    return Environment(
        loader=PackageLoader("corteval.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
