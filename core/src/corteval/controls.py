"""Controls: simple subjects that a model must beat before its score means much."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from corteval import registry
from corteval.errors import CortevalError
from corteval.intervals import Interval
from corteval.score import Score
from corteval.stats.paired import compare


@final
@dataclass(frozen=True, kw_only=True)
class Margin:
    """How far a score is above that of the best control.

    Args:
        control: its identifier.
        difference: score minus that of the control.
        interval: of the difference, on the same draws; None if the two cannot be paired.
    """

    control: str
    difference: float
    interval: Interval | None


def controls_of(model: str, benchmark: str) -> list[str]:
    """Installed controls that the card of `benchmark` names for `model`.

    ``{model}`` in a name stands for the model, so ``{model}-untrained`` is its untrained twin.
    """
    try:
        named = registry.benchmarks.card(benchmark).controls
    except CortevalError:  # no plugin, or a broken one: its use tells
        return []
    names = [name.replace("{model}", model) for name in named]
    found = []
    for name in names:
        with contextlib.suppress(CortevalError):
            found.append(registry.models.member_card(name).identifier)
    return [name for name in dict.fromkeys(found) if name.casefold() != model.casefold()]


def with_controls(models: Sequence[str], benchmarks: Sequence[str]) -> list[str]:
    """`models`, and after them the controls of any of them on any of `benchmarks`."""
    names = [name for b in benchmarks for m in models for name in controls_of(m, b)]
    return [*dict.fromkeys([*models, *names])]


def margins(scores: Iterable[Score]) -> Mapping[tuple[str, str], Margin]:
    """Margin of each scored cell, by model and benchmark, over the best control among `scores`.

    A control is compared with the other controls.
    """
    scored = {(s.model, s.benchmark): s for s in scores if s.status == "scored"}
    found = {}
    for (model, benchmark), score in scored.items():
        rivals = [scored[c, benchmark] for c in controls_of(model, benchmark)
                  if (c, benchmark) in scored]  # fmt: skip
        if rivals:
            best = max(rivals, key=lambda rival: rival.value)
            found[model, benchmark] = _margin(score, best)
    return found


def _margin(score: Score, control: Score) -> Margin:
    interval = None
    with contextlib.suppress(CortevalError):  # without common draws there is no interval
        interval = compare(score, control).interval
    return Margin(control=control.model, difference=score.value - control.value, interval=interval)
