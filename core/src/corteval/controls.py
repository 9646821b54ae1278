"""Controls: simple subjects that a model must beat before its score means much."""

from __future__ import annotations

import contextlib
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from corteval import model_options, registry
from corteval.errors import CortevalError
from corteval.intervals import Interval
from corteval.model import LayerCommitment
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
        beaten, of: how many of the controls the score is above, and how many there are.
    """

    control: str
    difference: float
    interval: Interval | None
    beaten: int = 0
    of: int = 1

    @property
    def percentile(self) -> float:
        """Share of the controls that the score is above, in per cent."""
        return 100 * self.beaten / self.of


@final
@dataclass(frozen=True, kw_only=True)
class Untrained:
    """Scores of a model's untrained twins, which differ in the seed of their weights.

    Args:
        model, benchmark: identifiers.
        mean, sd: over twins; the standard deviation is that of a sample, NaN of a single one.
        twins: how many.
        trained: score of the model itself, if it has one.
    """

    model: str
    benchmark: str
    mean: float
    sd: float
    twins: int
    trained: float | None


#: Features that a control has at most, of those matched in number: as many as the luminances that
#: random projections are made of, so that more of them are linear combinations of the same.
MOST_FEATURES = 4096

_TWIN = re.compile(r"(?P<model>.+)-untrained(-seed\d+)?")


def controls_of(model: str, benchmark: str, *, build: bool = True) -> list[str]:
    """Installed controls that the card of `benchmark` names for `model`.

    In a name ``{model}`` stands for the model, so ``{model}-untrained`` is its untrained twin, and
    ``{features}`` for the number of units with which it answers the benchmark's target, or
    `MOST_FEATURES` if it has more.

    Args:
        model, benchmark: identifiers.
        build: the model, to count its units; else the control is named only if they are known.
    """
    try:
        card = registry.benchmarks.card(benchmark)
    except CortevalError:  # no plugin, or a broken one: its use tells
        return []
    found = []
    for template in card.controls:
        name = template.replace("{model}", model_options.bare(model))
        if "{features}" in name:
            count = _count_units(model, card.target, build=build)
            if not count:
                continue
            name = name.replace("{features}", str(min(count, MOST_FEATURES)))
        with contextlib.suppress(CortevalError):
            found.append(registry.models.member_card(name).identifier)
    return [name for name in dict.fromkeys(found) if name.casefold() != model.casefold()]


#: Units of a model by name and target; None of one that has no layers or cannot be built.
_COUNTED: dict[tuple[str, str], int | None] = {}


def _count_units(model: str, target: str, *, build: bool) -> int | None:
    key = (model, target)
    if key not in _COUNTED and build:
        _COUNTED[key] = None
        with contextlib.suppress(Exception):  # a model that cannot be built says so when scored
            built = registry.models.create(model)
            if isinstance(built, LayerCommitment):
                _COUNTED[key] = built.count_units(target)
    return _COUNTED.get(key)


def absent_controls(benchmarks: Sequence[str]) -> list[str]:
    """Controls that the cards of `benchmarks` name by a full name and nobody has installed."""
    found: dict[str, None] = {}
    for benchmark in benchmarks:
        with contextlib.suppress(CortevalError):
            for name in registry.benchmarks.card(benchmark).controls:
                if "{model}" not in name and name.partition("/")[0] not in registry.models:
                    found[name] = None
    return [*found]


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
        names = controls_of(model, benchmark, build=False)
        rivals = [scored[c, benchmark] for c in names if (c, benchmark) in scored]
        if rivals:
            best = max(rivals, key=lambda rival: rival.value)
            found[model, benchmark] = _margin(score, best, rivals)
    return found


def untrained(scores: Iterable[Score]) -> list[Untrained]:
    """Mean and spread over the untrained twins of each model, where two or more are scored.

    A twin is called ``<model>-untrained`` or ``<model>-untrained-seed<number>``.
    """
    scored = {(s.model, s.benchmark): s.value for s in scores if s.status == "scored"}
    groups: dict[tuple[str, str], list[float]] = {}
    for (model, benchmark), value in scored.items():
        twin = _TWIN.fullmatch(model)
        if twin:
            groups.setdefault((twin["model"], benchmark), []).append(value)
    return [
        Untrained(
            model=model,
            benchmark=benchmark,
            mean=statistics.fmean(values),
            sd=statistics.stdev(values),
            twins=len(values),
            trained=scored.get((model, benchmark)),
        )
        for (model, benchmark), values in groups.items()
        if len(values) > 1
    ]


def _margin(score: Score, control: Score, rivals: Sequence[Score]) -> Margin:
    interval = None
    with contextlib.suppress(CortevalError):  # without common draws there is no interval
        interval = compare(score, control).interval
    return Margin(
        control=control.model,
        difference=score.value - control.value,
        interval=interval,
        beaten=sum(score.value > rival.value for rival in rivals),
        of=len(rivals),
    )
