"""Pages of single models and benchmarks: what their cards and their records say."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from corteval import __version__, registry
from corteval.cards import BenchmarkCard, Card, DataCard, Family, ModelCard, human_size, total_size
from corteval.errors import CortevalError
from corteval.intervals import interval_of
from corteval.registry import Registry
from corteval.report.details import subjects, when
from corteval.report.document import asset, clean, environment, number, policy
from corteval.report.gathering import Gathered
from corteval.report.layer_charts import LayerCurve
from corteval.report.marks import Entries
from corteval.report.origin import is_published
from corteval.run.records import Record
from corteval.score import Estimate, Score

#: What is said where a card says nothing.
_UNSAID = "not said"


def model_page(
    model: str,
    gathered: Gathered,
    links: Mapping[str, str],
    installed: Collection[str],
    entries: Entries,
    layers: Sequence[LayerCurve] = (),
) -> str:
    """The page of a model: its card, its scores on all benchmarks, its records.

    Args:
        model: its name.
        gathered: scores and records.
        links: relative addresses of the pages of benchmarks.
        installed: models and families that have cards.
        entries: what is said of scores besides.
        layers: curves over its layers.
    """
    board = gathered.board
    card = _card(registry.models, model, installed)
    rows = [
        _row(benchmark, links, board.cell(model, benchmark))
        | {"records": _records(gathered.history.get((model, benchmark), ()))}
        | {"mark": entries.marks.get((model, benchmark)), "late": False}
        for benchmark in board.benchmarks
    ]
    return _rendered(
        kind="Model",
        other="Benchmark",
        name=model,
        facts=[*_model_facts(card), *_entry_facts(model, entries)],
        card=card,
        rows=rows,
        heading="Scores",
        text="On all benchmarks of this site, in order of their names.",
        layers=layers,
    )


def benchmark_page(
    benchmark: str,
    gathered: Gathered,
    links: Mapping[str, str],
    installed: Collection[str],
    entries: Entries,
) -> str:
    """The page of a benchmark: its card, data and ceiling, and all models, the best first.

    Args:
        benchmark: its name.
        gathered: scores and records.
        links: relative addresses of the pages of models.
        installed: benchmarks that have cards.
        entries: what is said of scores besides.
    """
    board = gathered.board
    card = _card(registry.benchmarks, benchmark, installed)
    scores = {model: board.cell(model, benchmark) for model in board.models}
    order = sorted(board.models, key=lambda m: _falling(scores[m]))
    rows = [
        _row(model, links, scores[model])
        | {"records": _records(gathered.history.get((model, benchmark), ()))}
        | {"mark": entries.marks.get((model, benchmark)), "late": model in entries.late.models}
        for model in order
    ]
    ceilings = [s.ceiling for s in scores.values() if s is not None and s.ceiling is not None]
    return _rendered(
        kind="Benchmark",
        other="Model",
        name=benchmark,
        facts=[
            *_benchmark_facts(card),
            *_ceiling_facts(ceilings),
            *_track_facts(benchmark, entries),
        ],
        card=card,
        rows=rows,
        heading="Models",
        text="The best first; whether two of them differ is for a paired test to say "
        "(corteval compare).",
        layers=(),
    )


def _rendered(
    *, card: Card | None, name: str, facts: Sequence[tuple[str, str]], **rest: Any
) -> str:
    css = asset("page.css")
    return str(
        environment()
        .get_template("card.html")
        .render(
            title=clean(name),
            css=Markup(css),
            policy=policy(css),
            facts=[(term, clean(text) or _UNSAID) for term, text in facts],
            installed=card is not None,
            bibtex=_lines(card.bibtex) if card is not None else "",
            version=__version__,
            **rest,
        )
    )


def _card(kind: Registry[Any], name: str, installed: Collection[str]) -> Any:
    """The card of `name`; None if it is not installed here."""
    if name.partition("@")[0].partition("/")[0] not in installed and name not in installed:
        return None
    try:
        card = kind.card(name)
    except CortevalError:
        return None
    return None if isinstance(card, Family) else card


def _model_facts(card: ModelCard | None) -> list[tuple[str, str]]:
    if card is None:
        return []
    return [
        ("What", card.summary),
        ("Takes", ", ".join(sorted(card.modalities))),
        ("Parameters", "" if card.parameters is None else f"{card.parameters:,}"),
        ("Trained on", ", ".join(sorted(card.training_data))),
        *_common(card),
    ]


def _benchmark_facts(card: BenchmarkCard | None) -> list[tuple[str, str]]:
    if card is None:
        return []
    return [
        ("What", card.summary),
        ("Target", card.target),
        ("Species", card.species),
        *(("Data", _data(name)) for name in card.data),
        ("Metric", card.metric),
        ("Ceiling by", card.ceiling or "nothing: scores are not normalised, or by a constant"),
        ("Controls", ", ".join(card.controls)),
        ("Chance", f"{card.chance:g}"),
        *_common(card),
    ]


def _entry_facts(model: str, entries: Entries) -> list[tuple[str, str]]:
    """Whether the model came in time, where that matters."""
    track = entries.track
    if track is None or track.competition is None or not track.competition.closes:
        return []
    words = "late: no score was made before it closed" if model in entries.late.models else ""
    return [(f"In {track.name}", words or "in time, or nobody knows when it came")]


def _track_facts(benchmark: str, entries: Entries) -> list[tuple[str, str]]:
    """Dates and rules of the track, if it counts the benchmark."""
    if entries.track is None or benchmark not in entries.track.benchmarks:
        return []
    return [(f"{entries.track.name}: {term}", text) for term, text in entries.competition]


def _common(card: Card) -> list[tuple[str, str]]:
    files = len(card.resources)
    size = human_size(total_size(card.resources))
    return [
        ("Licence", card.licence),
        ("Version", str(card.version)),
        *([("Downloads", f"{files} files, {size}")] if files else []),
        *([("Maintained by", ", ".join(card.maintainers))] if card.maintainers else []),
        *([("Superseded by", card.superseded_by)] if card.superseded_by else []),
    ]


def _data(name: str) -> str:
    try:
        card = registry.data_card(name)
    except CortevalError:
        return f"{name} (not installed here)"
    said = [f"{name}: {card.summary}", *_data_words(card)]
    return "; ".join(text.rstrip(".") for text in said)


def _data_words(card: DataCard) -> list[str]:
    return [f"access: {card.access}", f"licence: {card.licence}", *card.notes]


def _ceiling_facts(ceilings: Sequence[Estimate]) -> list[tuple[str, str]]:
    """The ceiling with its interval; all of them, should scores of the benchmark differ in it."""
    told = dict.fromkeys(_ceiling_words(c) for c in ceilings)
    return [("Ceiling", words) for words in told] or [("Ceiling", "none among these scores")]


def _ceiling_words(ceiling: Estimate) -> str:
    interval = interval_of(ceiling.value, ceiling.replicates)
    bounds = "no interval"
    if interval is not None:
        bounds = f"95 % interval {number(interval.low)} to {number(interval.high)}"
        bounds += f" over {interval.scope}"
    return f"{number(ceiling.value)} ({ceiling.quantity}), {bounds}; {ceiling.method or _UNSAID}"


def _row(name: str, links: Mapping[str, str], score: Score | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": clean(name),
        "link": links[name],
        "status": "not run" if score is None else score.status.replace("-", " "),
        "notes": [],
        "subjects": [],
        "digests": [],
        "low": None,
    }
    if score is None:
        return row
    interval = score.interval
    digests = {} if score.provenance is None else score.provenance.digests
    return row | {
        "value": number(score.value),
        "low": None if interval is None else number(interval.low),
        "high": None if interval is None else number(interval.high),
        "scope": "" if interval is None else interval.scope,
        "raw": None if score.raw is None else number(score.raw.value),
        "ceiling": None if score.ceiling is None else number(score.ceiling.value),
        "normalization": score.normalization,
        "published": is_published(score),
        "notes": [clean(t) for t in [*([score.reason] if score.reason else []), *score.notes]],
        "subjects": [
            {
                "name": clean(s.subject),
                "median": _told(s.median),
                "low": _told(s.low),
                "high": _told(s.high),
                "count": s.count,
            }
            for s in subjects(score)
        ],
        "digests": [(clean(role), clean(digest)) for role, digest in sorted(digests.items())],
    }


def _records(records: Sequence[Record]) -> list[dict[str, Any]]:
    return [
        {
            "digest": record.digest,
            "made": clean(when(record)),
            "value": number(record.score.value)
            if record.score.status == "scored"
            else record.score.status.replace("-", " "),
            "isolation": clean(record.isolation),
        }
        for record in records
    ]


def _falling(score: Score | None) -> tuple[bool, float]:
    """Scores from the largest down, and after them what has no value."""
    if score is None or not math.isfinite(score.value):
        return True, 0.0
    return False, -score.value


def _told(value: float | None) -> str:
    return "undefined" if value is None else number(value) or "undefined"


def _lines(text: str) -> str:
    return "\n".join(clean(line) for line in text.strip().splitlines())
