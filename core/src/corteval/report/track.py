"""Competition tracks: what an edition of a suite counts, until when, and what came too late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import final

from corteval.cards import Competition, Part
from corteval.report.gathering import Gathered
from corteval.suites import Suite


@final
@dataclass(frozen=True, kw_only=True)
class TrackPart:
    """A line of a track's tree.

    Args:
        name: of the benchmark or group.
        depth: 0 on top.
        weight: among its siblings, as the card declares it.
        share: of the mean: product over the levels of weight / sum of the siblings' weights.
        group: whether it has parts.
    """

    name: str
    depth: int
    weight: float
    share: float
    group: bool


@final
@dataclass(frozen=True, kw_only=True)
class Track:
    """An edition of a suite.

    Args:
        name: identifier and edition.
        summary: what it asks, from its card.
        parts: its tree, line by line.
        competition: its dates and rules; None if it is no competition.
    """

    name: str
    summary: str
    parts: tuple[TrackPart, ...]
    competition: Competition | None = None

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """Those it counts."""
        return tuple(dict.fromkeys(part.name for part in self.parts if not part.group))


@final
@dataclass(frozen=True, kw_only=True)
class Late:
    """What came after a track had closed.

    Args:
        cells: model and benchmark of scores that were made after it.
        models: of which no score on the track was made before.
        undated: number of scores on the track of which nobody knows when they were made.
    """

    cells: frozenset[tuple[str, str]] = frozenset()
    models: frozenset[str] = frozenset()
    undated: int = 0


def track(suite: Suite) -> Track:
    """The track that `suite` is."""
    parts = suite.card.editions[suite.edition]
    return Track(
        name=suite.name,
        summary=suite.card.summary,
        parts=tuple(_lines(parts, 0, 1.0)),
        competition=suite.card.competitions.get(suite.edition),
    )


def late(gathered: Gathered, of: Track | None) -> Late:
    """Scores and models that came after `of` had closed; the last day, in UTC, still counts.

    A score was made when its record says so. A model is late if all its scores on the track,
    earlier records included, are of known date and late.
    """
    if of is None or of.competition is None or not of.competition.closes:
        return Late()
    last = date.fromisoformat(of.competition.closes)
    cells, models, undated = set(), set(), 0
    for model in gathered.board.models:
        days: list[date | None] = []
        for benchmark in of.benchmarks:
            made = _days(gathered, model, benchmark)
            days += made
            if made and made[-1] is None:
                undated += 1
            elif made and made[-1] is not None and made[-1] > last:
                cells.add((model, benchmark))
        if days and all(day is not None and day > last for day in days):
            models.add(model)
    return Late(cells=frozenset(cells), models=frozenset(models), undated=undated)


def _days(gathered: Gathered, model: str, benchmark: str) -> list[date | None]:
    """Days on which the records of a cell were made, that of the current score last."""
    score = gathered.board.scores.get((model, benchmark))
    if score is None:
        return []
    records = gathered.history.get((model, benchmark), ())
    provenance = score.provenance
    single = [provenance.started if provenance is not None else ""]
    return [_day(moment) for moment in [r.measured.started for r in records] or single]


def _day(moment: str) -> date | None:
    """The day in UTC; None if `moment` is none."""
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return found.date() if found.tzinfo is None else found.astimezone(UTC).date()


def _lines(parts: Iterable[Part], depth: int, share: float) -> Iterator[TrackPart]:
    parts = tuple(parts)
    total = sum(part.weight for part in parts)
    for part in parts:
        own = share * part.weight / total
        yield TrackPart(
            name=part.name, depth=depth, weight=part.weight, share=own, group=bool(part.parts)
        )
        yield from _lines(part.parts, depth + 1, own)
