"""Words that stand beside scores in their cells: on private data, made after the deadline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from corteval.report.document import clean
from corteval.report.gathering import Gathered
from corteval.report.track import Late, Track, late
from corteval.sharing import private_data
from corteval.stats.board import Board


@final
@dataclass(frozen=True, kw_only=True)
class Entries:
    """What is said of the entries of a board besides their scores.

    Args:
        track: that the board ranks by; None if it is none.
        late: what came after the track had closed.
        marks: words by model and benchmark; cells without any are left out.
        private: number of scores on private data, those without a value included.
    """

    track: Track | None = None
    late: Late = field(default_factory=Late)
    marks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    private: int = 0

    @classmethod
    def of(cls, gathered: Gathered, track: Track | None) -> Entries:
        """Of the current scores."""
        after = late(gathered, track)
        private = {cell for cell, s in gathered.board.scores.items() if private_data(s)}
        return cls(
            track=track,
            late=after,
            marks=_marks(gathered.board, private, after),
            private=len(private),
        )

    @property
    def competition(self) -> list[tuple[str, str]]:
        """Dates and rules of the track, as terms and what is said of them; none if it has none."""
        held = None if self.track is None else self.track.competition
        if held is None:
            return []
        days = [("Opens", held.opens), ("Closes", held.closes)]
        said = [(term, f"{day}, the whole day in UTC") for term, day in days if day]
        return [*said, *([("Rules", clean(held.rules))] if held.rules else [])]


def _marks(board: Board, private: set[tuple[str, str]], after: Late) -> dict[tuple[str, str], str]:
    found = {}
    for cell in board.scores:
        said = (("private", cell in private), ("late", cell in after.cells))
        words = [word for word, applies in said if applies]
        if words:
            found[cell] = ", ".join(words)
    return found
