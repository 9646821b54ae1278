"""How much accuracy is lost when stimuli are changed, in a model and in subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import median, spearman_brown
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.halves import chosen_halves, require_repetitions
from corteval_behaviour.trials import Trials, aligned, column, correct, trials
from corteval_behaviour.weighted import ratio, tally, totals, weighted_mean


def loss_similarity(model: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """max(0, 1 - |d_h - d_m| / d_h); NaN where subjects lose nothing (d_h <= 0).

    Source: spec ``metrics`` 2.7.

    Args:
        model, subject: d_m, d_h: accuracy on whole stimuli minus accuracy on changed ones.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        similarity = np.maximum(0, 1 - np.abs(subject - model) / subject)
    return np.where(subject > 0, similarity, np.nan)


@final
@dataclass(frozen=True, kw_only=True)
class AccuracyDelta:
    """Similarity of the source's loss of accuracy to that of random halves of the subjects.

        mean_s max(0, 1 - |d_s - d_m| / d_s),    d = accuracy(whole) - accuracy(changed)

    d_s pools the trials of half s of the subjects. Halves in which subjects lose nothing are left
    out. Source: spec ``metrics`` 2.7.

    Args:
        whole: value of the coordinate ``condition`` for whole stimuli; all others are changed.
        splits: number of random halves.
        split_seed: of the halves.
        omit_last: published mistake: the last subject is never drawn.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    whole: str = "whole"
    splits: int = 100
    split_seed: int = 0
    omit_last: bool = False
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.splits)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`, one answer a stimulus, to `target`, trials of subjects.

        Raises:
            UndefinedScore: if subjects lose no accuracy, or are fewer than two.
            AssemblyError: if there are no two kinds of stimuli.
        """
        answers = correct(aligned(source, target), target)
        rows = trials(target)
        first = np.unique(rows.stimulus, return_index=True)[1]
        changed = _changed(target, self.whole)
        halves = _halves(rows, self.splits, self.split_seed, self.omit_last)
        deltas = _deltas(correct(target), changed, rows)
        shape = len(rows.stimulus_ids), 2
        columns = np.stack([answers[first], np.ones(shape[0])])
        table = tally(rows.stimulus[first], changed[first], columns, shape)

        def similarities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            part, count = totals(stimuli, table, 2)
            whole, altered = np.moveaxis(ratio(part, count), -1, 0)
            human = deltas(stimuli, subjects, halves[:, 0])
            return loss_similarity((whole - altered)[:, None], human)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(similarities(stimuli, subjects))

        each = similarities(ones(rows.stimulus_ids), ones(rows.subjects))[0]
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_NO_LOSS,
            method=f"mean and sd over {int(np.isfinite(each).sum())} random halves of "
            f"{len(rows.subjects)} subjects",
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=shape[0] + 4 * (len(rows.subjects) + len(halves)),
        )
        return Score(value=raw.value, raw=raw, samples=xr.DataArray(each, dims=["split"]))


@final
@dataclass(frozen=True, kw_only=True)
class HumanAccuracyDelta:
    """Similarity of the losses of accuracy of two halves of the subjects, over random halvings.

    Source: spec ``metrics`` 2.7.

    Args:
        whole, splits, split_seed, omit_last: as in `AccuracyDelta`.
        aggregate: ``"mean"`` over halvings; or ``"median Spearman-Brown"``, as published, although
            that formula is one of correlations.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    whole: str = "whole"
    splits: int = 100
    split_seed: int = 0
    omit_last: bool = False
    aggregate: str = "mean"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.splits)
        if self.aggregate not in ("mean", "median Spearman-Brown"):
            raise OptionError(
                f"aggregate is 'mean' or 'median Spearman-Brown', not {self.aggregate!r}."
            )

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the subjects of `assembly`.

        Raises:
            UndefinedScore: if subjects lose no accuracy, or are fewer than two.
        """
        rows = trials(assembly)
        halves = _halves(rows, self.splits, self.split_seed, self.omit_last)
        deltas = _deltas(correct(assembly), _changed(assembly, self.whole), rows)
        corrected = self.aggregate != "mean"

        def similarities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            first, second = (deltas(stimuli, subjects, halves[:, half]) for half in (0, 1))
            similarity = loss_similarity(second, first)
            return spearman_brown(similarity) if corrected else similarity

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            each = similarities(stimuli, subjects)
            return median(each) if corrected else weighted_mean(each)

        each = similarities(ones(rows.stimulus_ids), ones(rows.subjects))[0]
        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_NO_LOSS,
            method=f"{self.aggregate} and sd over {int(np.isfinite(each).sum())} random halvings "
            f"of {len(rows.subjects)} subjects",
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=len(rows.stimulus_ids) + 4 * (len(rows.subjects) + 2 * len(halves)),
        )


_NO_LOSS = "Subjects lose no accuracy when stimuli are changed; there is no loss to compare."


def _changed(assembly: xr.DataArray, whole: str) -> np.ndarray:
    """1 where a trial's stimulus is changed, 0 where it is whole."""
    conditions = column(assembly, "condition")
    changed = (conditions != whole).astype(np.int64)
    if changed.all() or not changed.any():
        raise AssemblyError(
            f"Some conditions must be {whole!r} and some not; found "
            f"{', '.join(np.unique(conditions)[:5])}. Set the option whole."
        )
    return changed


def _halves(rows: Trials, splits: int, seed: int, omit_last: bool) -> np.ndarray:
    count = len(rows.subjects)
    drawn = count - int(omit_last)
    if drawn < 2:
        raise UndefinedScore(f"Halves of {drawn} subjects cannot be drawn.")
    halves = chosen_halves(drawn, splits, seed)
    return np.pad(halves, ((0, 0), (0, 0), (0, count - drawn))).astype(np.float64)


def _deltas(
    right: np.ndarray, changed: np.ndarray, rows: Trials
) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Loss of accuracy (resample, half), of counts of stimuli and subjects and of halves."""
    count = len(rows.subjects)
    shape = len(rows.stimulus_ids), 2 * count
    columns = np.stack([right, np.ones_like(right)])
    table = tally(rows.stimulus, changed * count + rows.subject, columns, shape)

    def deltas(stimuli: np.ndarray, subjects: np.ndarray, halves: np.ndarray) -> np.ndarray:
        sums = totals(stimuli, table, 2).reshape(2, len(stimuli), 2, count)
        part, whole = (sums * subjects[:, None, :]) @ halves.T
        accuracy = ratio(part, whole)
        return np.asarray(accuracy[:, 0] - accuracy[:, 1])

    return deltas
