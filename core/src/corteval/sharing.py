"""What of a score may leave the lab: scores on private data are kept, or told without details."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from corteval.score import Estimate, Score

REDACTED = "private data: values of single neuroids, stimuli and subjects are left out"


def private_data(score: Score) -> tuple[str, ...]:
    """Identifiers of the private data sets that `score` was computed on."""
    known = {} if score.provenance is None else score.provenance.access
    return tuple(sorted(name for name, access in known.items() if access == "private"))


def shareable(scores: Iterable[Score]) -> list[Score]:
    """The scores that a report for others may show: none on private data."""
    return [score for score in scores if not private_data(score)]


def redacted(score: Score) -> Score:
    """`score`, without anything of single neuroids, stimuli and subjects if data are private.

    Value, interval and ceiling stay, and the digests that say what they were computed on.
    """
    if not private_data(score):
        return score
    return replace(
        score,
        samples=None,
        reason="told only where the data are, since they are private" if score.reason else "",
        raw=_without_replicates(score.raw),
        further={name: replace(part, replicates=()) for name, part in score.further.items()},
        ceiling=_without_replicates(score.ceiling),
        notes=(*(note for note in score.notes if note != REDACTED), REDACTED),
    )


def _without_replicates(estimate: Estimate | None) -> Estimate | None:
    return None if estimate is None else replace(estimate, replicates=())
