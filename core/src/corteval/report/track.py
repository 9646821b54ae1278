"""Competition tracks: what an edition of a suite counts, and how much of its mean each part is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import final

from corteval.cards import Part
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
    """

    name: str
    summary: str
    parts: tuple[TrackPart, ...]


def track(suite: Suite) -> Track:
    """The track that `suite` is."""
    parts = suite.card.editions[suite.edition]
    return Track(name=suite.name, summary=suite.card.summary, parts=tuple(_lines(parts, 0, 1.0)))


def _lines(parts: Iterable[Part], depth: int, share: float) -> Iterator[TrackPart]:
    parts = tuple(parts)
    total = sum(part.weight for part in parts)
    for part in parts:
        own = share * part.weight / total
        yield TrackPart(
            name=part.name, depth=depth, weight=part.weight, share=own, group=bool(part.parts)
        )
        yield from _lines(part.parts, depth + 1, own)
