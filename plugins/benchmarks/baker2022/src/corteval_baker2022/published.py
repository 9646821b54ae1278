"""Loss of accuracy on changed silhouettes, compared exactly as it was published.

What is published differs from ``baker_accuracy_delta`` in this: the last person is never drawn,
the loss of a half is the mean of those of its people, that of the model is a mean over categories,
every half has a random state of its own, and the ceiling is a median of similarities to which the
formula of Spearman and Brown was applied, although it is one for correlations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import median, spearman_brown
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.trials import Trials, aligned, column, correct, trials
from corteval_behaviour.weighted import ratio, tally, totals, weighted_mean

_NO_LOSS = (
    "The published formula has no value: a half of the people loses no accuracy when silhouettes "
    "are changed, or has no trials of one kind. Use baker_accuracy_delta."
)


@final
@dataclass(frozen=True, kw_only=True)
class PublishedAccuracyDelta:
    """Similarity of the model's loss of accuracy to that of random halves of the people.

        mean_i max(0, 1 - |d_i - d_m| / d_i),    d = accuracy(whole) - accuracy(changed)

    d_i is the mean over the people of half i, ``RandomState(i).choice(range(1, N), N // 2,
    replace=False)`` as numbers of people from 1 to N; d_m that of accuracies averaged over
    categories. Source: spec ``metrics`` 2.7, and the published benchmark.

    Args:
        whole: value of the coordinate ``condition`` for whole silhouettes; others are changed.
        splits: number of halves.
        resamples: bootstrap replicates over stimuli and people; 0 for none.
        seed: of the bootstrap.
    """

    whole: str = "whole"
    splits: int = 100
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.splits, self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`, one answer a stimulus, to `target`, trials of people.

        Raises:
            UndefinedScore: if a half loses no accuracy, or there are fewer than three people.
            AssemblyError: if an assembly has another form.
        """
        answers = correct(aligned(source, target), target)
        rows = trials(target)
        people = _People(target, rows, self.whole)
        first = np.unique(rows.stimulus, return_index=True)[1]
        categories, category = np.unique(column(target, "truth")[first], return_inverse=True)
        count = len(categories)
        table = tally(
            np.arange(len(first)),
            people.changed[first] * count + category,
            np.stack([answers[first], np.ones(len(first))]),
            (len(first), 2 * count),
        )
        states = [np.random.RandomState(i) for i in range(self.splits)]
        halves = np.stack([people.half(state) for state in states])

        def similarities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            right, shown = totals(stimuli, table, 2).reshape(2, len(stimuli), 2, count)
            whole, changed = np.moveaxis(weighted_mean(ratio(right, shown)), -1, 0)
            return _similarity((whole - changed)[:, None], people.losses(stimuli, subjects, halves))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return np.asarray(similarities(stimuli, subjects).mean(axis=-1))

        each = similarities(ones(rows.stimulus_ids), ones(rows.subjects))[0]
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_NO_LOSS,
            method=f"mean and sd over {self.splits} random halves of {len(rows.subjects)} people, "
            "as published",
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=len(first) + 4 * (len(rows.subjects) + self.splits),
        )
        return Score(value=raw.value, raw=raw, samples=xr.DataArray(each, dims=["split"]))


@final
@dataclass(frozen=True, kw_only=True)
class HumanPublishedAccuracyDelta:
    """Similarity of the losses of accuracy of two halves of the people.

        median_i 2 s_i / (1 + s_i),    s_i = max(0, 1 - |d_i - e_i| / e_i)

    d_i is the loss of half i, drawn as in `PublishedAccuracyDelta` but all by one
    ``RandomState(0)``, and e_i that of everybody else. Source: spec ``metrics`` 2.7, and the
    published benchmark.

    Args:
        whole, splits, resamples, seed: as in `PublishedAccuracyDelta`.
    """

    whole: str = "whole"
    splits: int = 100
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.splits, self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the people of `assembly`.

        Raises:
            UndefinedScore: if a half loses no accuracy, or there are fewer than three people.
        """
        rows = trials(assembly)
        people = _People(assembly, rows, self.whole)
        state = np.random.RandomState(0)
        halves = np.stack([people.half(state) for _ in range(self.splits)])

        def similarities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            first, second = (people.losses(stimuli, subjects, h) for h in (halves, 1 - halves))
            return spearman_brown(_similarity(first, second))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return median(similarities(stimuli, subjects))

        each = similarities(ones(rows.stimulus_ids), ones(rows.subjects))[0]
        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_NO_LOSS,
            method=f"median and sd over {self.splits} random halvings of {len(rows.subjects)} "
            "people, with Spearman-Brown, as published",
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=len(rows.stimulus_ids) + 4 * (len(rows.subjects) + 2 * self.splits),
        )


class _People:
    """Losses of accuracy of people, and halves of them."""

    def __init__(self, assembly: xr.DataArray, rows: Trials, whole: str) -> None:
        self.changed = _changed(assembly, whole)
        self.number = _numbered(rows.subjects)
        self.count = len(rows.subjects)
        if self.count < 3:
            raise UndefinedScore(
                f"The published halves need three people at least; there are {self.count}."
            )
        right = correct(assembly)
        self._table = tally(
            rows.stimulus,
            self.changed * self.count + rows.subject,
            np.stack([right, np.ones_like(right)]),
            (len(rows.stimulus_ids), 2 * self.count),
        )

    def half(self, state: np.random.RandomState) -> np.ndarray:
        """(subject) 1 for the people drawn; the last is never among them."""
        drawn = state.choice(range(1, self.count), self.count // 2, replace=False)
        return np.isin(self.number, drawn).astype(np.float64)

    def losses(self, stimuli: np.ndarray, subjects: np.ndarray, halves: np.ndarray) -> np.ndarray:
        """Mean loss (resample, half) over the people of each half."""
        sums = totals(stimuli, self._table, 2).reshape(2, len(stimuli), 2, self.count)
        accuracy = ratio(sums[0], sums[1])
        loss = accuracy[:, 0] - accuracy[:, 1]
        return weighted_mean(loss[:, None, :], subjects[:, None, :] * halves)


def _similarity(model: np.ndarray, people: np.ndarray) -> np.ndarray:
    """max(0, 1 - |d_h - d_m| / d_h); NaN where d_h is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity = np.maximum(0.0, 1.0 - np.abs(people - model) / people)
    return np.where(people != 0, similarity, np.nan)


def _numbered(subjects: np.ndarray) -> np.ndarray:
    """Numbers of people from 1 on, in the order of their ids, as numbers if they are numbers."""
    if all(name.isdecimal() for name in subjects.tolist()):
        subjects = subjects.astype(np.int64)
    return np.asarray(np.argsort(np.argsort(subjects)) + 1)


def _changed(assembly: xr.DataArray, whole: str) -> np.ndarray:
    """1 where a trial's silhouette is changed, 0 where it is whole."""
    conditions = column(assembly, "condition")
    changed = (conditions != whole).astype(np.int64)
    if changed.all() or not changed.any():
        raise AssemblyError(
            f"Some conditions must be {whole!r} and some not; found "
            f"{', '.join(np.unique(conditions)[:5])}. Set the option whole."
        )
    return changed


def _require(splits: int, resamples: int) -> None:
    require_resamples(resamples)
    if splits < 1:
        raise OptionError(f"Halves must be drawn at least once, not {splits} times.")
