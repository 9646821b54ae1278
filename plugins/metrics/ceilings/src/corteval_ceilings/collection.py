"""Scores of all pools of subjects, summed up for each neuroid as they come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from corteval.stats.splits import Split
from corteval_ceilings.pools import Fit, Predicted, Recordings, predictions
from corteval_ceilings.subsets import Level


class Collected(NamedTuple):
    """Mean scores of neuroids at each number of subjects; NaN where there is none.

    Args:
        subjects: (level) numbers of subjects, the held-out one included.
        plain: (level, neuroid) means over all scores.
        bootstraps: (level, bootstrap, neuroid) means over scores drawn with replacement.
        without: (level, subject, neuroid) means over scores of pools without the subject.
        moved: (level, stimulus, neuroid) derivative of `plain` with respect to the weight of each
            stimulus in test sets; no stimulus unless asked for.
    """

    subjects: np.ndarray
    plain: np.ndarray
    bootstraps: np.ndarray
    without: np.ndarray
    moved: np.ndarray


def collect(
    data: Recordings,
    plan: Sequence[Level],
    splits: Sequence[Split],
    *,
    fit: Fit = "linear",
    alpha: float = 1.0,
    bootstraps: int = 100,
    derivatives: bool = False,
) -> Collected:
    """Predict every held-out subject from every pool, and average the scores of each neuroid.

    The scores of a neuroid at one level are those of all subsets in which its subject was held out
    and of all splits, in this order. Each bootstrap draws as many of them with replacement, level
    after level, by a ``RandomState(0)`` that starts afresh for every neuroid: neuroids of one
    subject share their draws, so that means are products of counts and scores. Scores that are NaN
    are left out of means.

    Args:
        data: of all subjects.
        plan: from `levels`.
        splits: training and test rows.
        fit, alpha: see `predictions`.
        bootstraps: how many.
        derivatives: whether to follow how stimuli move the scores.
    """
    stimuli, neuroids = len(data.responses[0]), data.columns[-1].stop
    subjects = len(data.columns)
    weights = [_weights(plan, s, subjects, len(splits), bootstraps) for s in range(subjects)]
    sums = np.zeros((len(plan), 1 + bootstraps + subjects, neuroids))
    lost = np.zeros((1, 1, neuroids))  # weights of scores that are NaN; whole once there is one
    moved = np.zeros((len(plan), stimuli if derivatives else 0, neuroids), np.float32)
    for number, split in enumerate(splits):
        for level, found in predictions(data, plan, split, fit=fit, alpha=alpha):
            places = _entries(plan[level])
            scores: list[list[np.ndarray]] = [[] for _ in range(subjects)]
            entries: list[list[int]] = [[] for _ in range(subjects)]
            for one in _followed(found, moved[level], split, data, derivatives):
                scores[one.held_out].append(one.r)
                entries[one.held_out].append(places[one.call])
            for subject in filter(entries.__getitem__, range(subjects)):
                columns, r = data.columns[subject], np.stack(scores[subject])
                w, missing = weights[subject][level][:, entries[subject], number], np.isnan(r)
                if missing.any():
                    lost = lost if lost.shape == sums.shape else np.zeros_like(sums)
                    lost[level, :, columns] += w @ missing.astype(np.float64)
                    r = np.where(missing, 0, r)
                sums[level, :, columns] += w @ r
    for subject, columns in enumerate(data.columns):
        totals = np.array([w.sum(axis=(1, 2)) for w in weights[subject]])[:, :, None]
        totals = totals - lost[:, :, columns]
        with np.errstate(invalid="ignore", divide="ignore"):
            sums[:, :, columns] /= totals
            moved[:, :, columns] /= totals[:, :1].astype(np.float32)
    return Collected(
        subjects=np.array([level.subjects for level in plan]),
        plain=sums[:, 0],
        bootstraps=sums[:, 1 : 1 + bootstraps],
        without=sums[:, 1 + bootstraps :],
        moved=moved,
    )


def _entries(level: Level) -> Sequence[int]:
    """Of each call, how many of its subject came before."""
    seen: Counter[int] = Counter()
    places = []
    for call in level.calls:
        places.append(seen[call.held_out])
        seen[call.held_out] += 1
    return places


def _weights(
    plan: Sequence[Level], subject: int, subjects: int, splits: int, bootstraps: int
) -> Sequence[np.ndarray]:
    """Of each level, how often each score counts: (mean, entry, split).

    The means are the plain one, the bootstraps, and those without each subject in the pool.
    """
    pools = [[call.pool for call in level.calls if call.held_out == subject] for level in plan]
    drawn = [np.zeros((bootstraps, len(of_level) * splits)) for of_level in pools]
    generator = np.random.RandomState(0)
    for bootstrap in range(bootstraps):
        for counts in drawn:
            size = counts.shape[1]
            if size:
                counts[bootstrap] = np.bincount(generator.choice(size, size), minlength=size)
    found = []
    for of_level, counts in zip(pools, drawn, strict=True):
        weights = np.ones((1 + bootstraps + subjects, len(of_level), splits))
        weights[1 : 1 + bootstraps] = counts.reshape(bootstraps, len(of_level), splits)
        for other in range(subjects):
            weights[1 + bootstraps + other, [other in pool for pool in of_level]] = 0
        found.append(weights)
    return found


def _followed(
    found: Iterator[Predicted], moved: np.ndarray, split: Split, data: Recordings, wanted: bool
) -> Iterator[Predicted]:
    """The same predictions; the derivatives of their correlations are added to `moved`.

    With centred p and o of unit norm, dr/dw_i = p_i o_i - r (p_i^2 + o_i^2) / 2.
    """
    if not wanted:
        yield from found
        return
    gains: dict[int, np.ndarray] = {}
    for one in found:
        gain = one.observed - (0.5 * one.r) * one.predicted
        gain *= one.predicted
        gain -= (0.5 * one.r) * one.observed**2
        gain[:, np.isnan(one.r)] = 0
        if one.held_out in gains:
            gains[one.held_out] += gain
        else:
            gains[one.held_out] = gain
        yield one
    for subject, gain in gains.items():
        columns = data.columns[subject]
        moved[split.test, columns] += gain.astype(np.float32)
