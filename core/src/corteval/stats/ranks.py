"""Ranks with their uncertainty: rank intervals, probability of being best, groups of ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from corteval.stats.board import Mean


@final
@dataclass(frozen=True, kw_only=True)
class Rank:
    """Place of a model.

    Args:
        model: its name.
        rank: 1 is the best; equal values share the better place.
        low, high: interval of the rank, over what the intervals of scores are over; all places if
            a score behind it has no interval.
        probability_best: share of replicates in which it is first, shared among equals; NaN if a
            score behind it has no interval.
        group: number of its group of ties, from 1: models that the paired tests cannot tell from
            the best of the group; 0 if a score behind it has no interval.
    """

    model: str
    rank: int
    low: int
    high: int
    probability_best: float
    group: int


def ranks(means: Sequence[Mean], *, level: float = 0.95, alpha: float = 0.05) -> list[Rank]:
    """Ranks of the models that have a mean, the best first.

    Replicate by replicate models are ordered anew; the interval of a rank holds the middle `level`
    of the places. Groups go from the best down: the best model that is in none yet leads one, and
    all that are not worse than it by a paired test, at `alpha` after Holm's correction within the
    group, are in it. Source: spec ``statistics`` S6.
    """
    ranked = sorted(
        (m for m in means if m.draws.size and np.isfinite(m.value)), key=lambda m: -m.value
    )
    if not ranked:
        return []
    draws = np.stack([m.draws for m in ranked])  # (model, replicate)
    values = np.array([m.value for m in ranked])
    places = _places(draws)
    lows, highs = np.quantile(
        places, [(1 - level) / 2, (1 + level) / 2], axis=1, method="inverted_cdf"
    )
    first = (places == 1).astype(float)
    best = (first / first.sum(axis=0)).mean(axis=1)
    own = _places(values[:, None])[:, 0]
    groups = _groups(values, draws, alpha)  # of those that have intervals, see below
    return [
        Rank(
            model=mean.model,
            rank=int(own[n]),
            low=1 if mean.exact else int(min(lows[n], own[n])),
            high=len(ranked) if mean.exact else int(max(highs[n], own[n])),
            probability_best=float("nan") if mean.exact else float(best[n]),
            group=0 if mean.exact else groups[n],
        )
        for n, mean in enumerate(ranked)
    ]


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values: max over the smaller ones of (n - rank + 1) p, at most 1.

    Source: Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    ordered = sorted(p_values, key=lambda name: p_values[name])
    adjusted: dict[str, float] = {}
    largest = 0.0
    for place, name in enumerate(ordered):
        largest = max(largest, min(1.0, (len(ordered) - place) * p_values[name]))
        adjusted[name] = largest
    return {name: adjusted[name] for name in p_values}


def paired_p_value(first: np.ndarray, second: np.ndarray) -> float:
    """Two-sided p-value of no difference, from paired replicates; see `paired.compare`."""
    difference = first - second
    rarer = min((1 + (difference <= 0).sum()), (1 + (difference >= 0).sum()))
    return float(min(1.0, 2 * rarer / (len(difference) + 1)))


def _places(values: np.ndarray) -> np.ndarray:
    """(model, replicate) places, 1 for the largest; equals share the better one."""
    ordered = np.sort(values, axis=0)
    count = len(values)
    return np.stack(
        [
            count - np.searchsorted(ordered[:, k], values[:, k], side="right") + 1
            for k in range(values.shape[1])
        ],
        axis=1,
    )


def _groups(values: np.ndarray, draws: np.ndarray, alpha: float) -> list[int]:
    """Number of the group of each model, whose values fall."""
    groups = [0] * len(values)
    number = 0
    while 0 in groups:
        number += 1
        leader = groups.index(0)
        rest = [n for n in range(leader + 1, len(values)) if groups[n] == 0]
        tests = {str(n): paired_p_value(draws[leader], draws[n]) for n in rest}
        adjusted = holm(tests)
        groups[leader] = number
        for n in rest:
            if adjusted[str(n)] > alpha:
                groups[n] = number
    return groups
