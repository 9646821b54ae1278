"""``report.html``: one file with everything in it, which needs no network and no script."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from corteval import __version__, registry
from corteval.errors import CortevalError
from corteval.report.agreement import agreement, relations
from corteval.report.charts import mean_chart
from corteval.report.details import facts
from corteval.report.document import asset, clean, environment, number, plot, policy, script
from corteval.report.gathering import Gathered
from corteval.report.layer_charts import LayerCurve
from corteval.report.marks import Entries
from corteval.report.origin import is_published
from corteval.report.track import Track
from corteval.score import Score
from corteval.stats.board import Board, Mean, Missing, means
from corteval.stats.ranks import Rank, ranks

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
    layers: Sequence[LayerCurve] = (),
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
        layers: curves over layers of models on the board.
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
    css = asset("page.css")
    scripts = [plot(), script()] if board.models else []
    entries = Entries.of(gathered, track)
    about = [_about(b, board, weights, installed) | {"link": links[1].get(b)} for b in columns]
    template = environment().get_template("page.html")
    text = template.render(
        title=clean(title),
        name=clean(name),
        version=__version__,
        css=Markup(css),
        scripts=[*map(Markup, scripts)],
        policy=policy(css, *scripts),
        missing=missing,
        rows=[
            _row(model, board, columns, ranked, found, entries.marks)
            | {"link": links[0].get(model), "late": model in entries.late.models}
            for model in order
        ],
        benchmarks=about,
        raw=[b for b in about if b["raw"]],
        mixed=_mixed(about),
        counts=_counts(board, order, columns),
        published=sum(map(_shown_as_published, board.scores.values())),
        private=entries.private,
        withheld=gathered.withheld,
        damaged=gathered.damaged,
        charts=[mean_chart(ranked, found, narrow=n) for n in (False, True)] if ranked else [],
        relations=relations(board, columns),
        ranked=len(ranked),
        facts=facts(gathered, order, columns, clean, layers=layers),
        layers=layers,
        agreement=agreement(board, columns),
        track=_rules(entries),
    )
    return str(text)


def _order(board: Board, ranked: Sequence[Rank]) -> list[str]:
    placed = [rank.model for rank in ranked]
    return placed + [model for model in board.models if model not in placed]


def _row(
    model: str,
    board: Board,
    columns: Sequence[str],
    ranked: Sequence[Rank],
    found: Sequence[Mean],
    marked: Mapping[tuple[str, str], str],
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
        "cells": [_cell(board.cell(model, b)) | {"mark": marked.get((model, b))} for b in columns],
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
        "raw": bool(scored) and not any(s.normalization for s in scored),
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


def _mixed(about: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the mean is of raw and of normalised scores."""
    return len({b["raw"] for b in about if b["weight"] and b["scored"]}) > 1


def _counts(board: Board, rows: Sequence[str], columns: Sequence[str]) -> dict[str, int]:
    found = dict.fromkeys(("scored", "undefined", "not-applicable", "failed", "absent"), 0)
    for model in rows:
        for benchmark in columns:
            score = board.cell(model, benchmark)
            found["absent" if score is None else score.status] += 1
    return found


def _rules(entries: Entries) -> dict[str, Any] | None:
    track, after = entries.track, entries.late
    if track is None:
        return None
    parts = [
        {"name": clean(p.name), "depth": p.depth, "weight": p.weight, "share": p.share}
        | {"group": p.group}
        for p in track.parts
    ]
    return {
        "name": clean(track.name),
        "summary": clean(track.summary),
        "parts": parts,
        "competition": entries.competition,
        "closes": track.competition is not None and bool(track.competition.closes),
        "late_scores": len(after.cells),
        "late_models": len(after.models),
        "undated": after.undated,
    }
