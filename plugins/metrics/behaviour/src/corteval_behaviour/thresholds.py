"""Thresholds of a model against those of subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, require_resamples
from corteval_behaviour.psychometric import psychometric_threshold, threshold_influence
from corteval_behaviour.trials import ALL, Trials, column, correct, numbers, numeric_column, trials
from corteval_behaviour.weighted import mean_over_pairs, weighted_mean


def threshold_similarity(model: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """max(0, 1 - |t_h - t| / t_h): 1 at equality, 0 from twice the subject's threshold on.

    Source: spec ``metrics`` 2.7.

    Args:
        model, subject: t, t_h, in the same unit; t_h > 0.
    """
    return np.asarray(np.maximum(0, 1 - np.abs(subject - model) / subject))


@final
@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Mean over subjects of the similarity of the source's threshold to theirs.

    The source's threshold is fitted, see `corteval_behaviour.psychometric`. Replicates
    resample its stimuli, to first order in the fit, and subjects. Source: spec ``metrics`` 2.7.

    Args:
        at: accuracy at the threshold.
        guess: chance level.
        starts: of the fit.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    at: float = 0.75
    guess: float = 0.5
    starts: int = 10
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source` to `target`.

        Args:
            source: answers; coordinate ``level`` (units of the thresholds) and, for words,
                ``truth``. A stimulus may be answered several times.
            target: a threshold a presentation, coordinate ``subject``.

        Raises:
            UndefinedScore: if the source has no threshold.
            AssemblyError: if an assembly has another form, or a threshold is not positive.
        """
        rows = trials(source)
        fitted = _fitted(source, rows, np.ones(len(rows.stimulus), bool), self)
        human = _measured(target)
        return _scored(fitted.value, fitted, None, rows, human, self)


@final
@dataclass(frozen=True, kw_only=True)
class ThresholdElevation:
    """Mean over subjects of the similarity of the source's elevation of threshold to theirs.

        elevation = threshold(test) / threshold(baseline)

    Source: spec ``metrics`` 2.7.

    Args:
        baseline, test: values of the coordinate ``condition``.
        at, guess, starts: as in `Threshold`.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    baseline: str = "baseline"
    test: str = "test"
    at: float = 0.75
    guess: float = 0.5
    starts: int = 10
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source` to `target`, as in `Threshold`, with coordinates ``condition``.

        Raises:
            UndefinedScore: if the source lacks a threshold, or no subject has both.
            AssemblyError: if an assembly has another form, or a condition is missing.
        """
        rows = trials(source)
        conditions = column(source, "condition")
        base, test = (
            _fitted(source, rows, conditions == name, self) for name in (self.baseline, self.test)
        )
        human = _elevations(target, self.baseline, self.test)
        return _scored(test.value / base.value, test, base, rows, human, self)


@final
@dataclass(frozen=True, kw_only=True)
class HumanThreshold:
    """Mean over ordered pairs of subjects of the similarity of their thresholds.

    Args:
        resamples: bootstrap replicates over subjects; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the subjects of `assembly`, the target of `Threshold`.

        Raises:
            UndefinedScore: with fewer than two subjects.
        """
        return _among(_measured(assembly), self.resamples, self.seed)


@final
@dataclass(frozen=True, kw_only=True)
class HumanThresholdElevation:
    """Mean over ordered pairs of subjects of the similarity of their elevations of threshold.

    Args:
        baseline, test: as in `ThresholdElevation`.
        resamples: bootstrap replicates over subjects; 0 for none.
        seed: of the bootstrap.
    """

    baseline: str = "baseline"
    test: str = "test"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the subjects of `assembly`, the target of `ThresholdElevation`.

        Raises:
            UndefinedScore: with fewer than two subjects with both thresholds.
        """
        return _among(_elevations(assembly, self.baseline, self.test), self.resamples, self.seed)


class _Measured(NamedTuple):
    """A positive number of each subject."""

    subjects: np.ndarray
    values: np.ndarray


class _Fitted(NamedTuple):
    """Threshold of the source, and how it changes with the count of each stimulus."""

    value: float
    influence: np.ndarray

    def drawn(self, stimuli: np.ndarray) -> np.ndarray:
        """(resample) thresholds of counts of stimuli."""
        return np.asarray(self.value + (stimuli - 1) @ self.influence)


def _fitted(
    source: xr.DataArray, rows: Trials, chosen: np.ndarray, options: Threshold | ThresholdElevation
) -> _Fitted:
    if not chosen.any():
        raise AssemblyError(
            "No trials of the source are of the condition asked for; conditions are "
            f"{', '.join(np.unique(column(source, 'condition', ALL))[:5])}."
        )
    right, shown = correct(source)[chosen], numeric_column(source, "level")[chosen]
    levels, level = np.unique(shown, return_inverse=True)
    value, function, kept = psychometric_threshold(
        levels,
        np.bincount(level, right),
        np.bincount(level).astype(np.float64),
        at=options.at,
        guess=options.guess,
        starts=options.starts,
    )
    fitted = level < kept
    influence = threshold_influence(function, shown[fitted], right[fitted], at=options.at)
    stimulus = rows.stimulus[chosen][fitted]
    return _Fitted(value, np.bincount(stimulus, influence, minlength=len(rows.stimulus_ids)))


def _measured(target: xr.DataArray, condition: str | None = None) -> _Measured:
    values = numbers(target)
    subjects = column(target, "subject")
    if condition is not None:
        here = column(target, "condition") == condition
        values, subjects = values[here], subjects[here]
    odd = ~(np.isfinite(values) & (values > 0))
    if odd.any() or not len(values):
        raise AssemblyError(
            f"Thresholds of subjects are positive numbers; {int(odd.sum())} of {len(values)} are "
            f"not{'' if condition is None else f', in condition {condition!r}'}."
        )
    order = np.argsort(subjects, kind="stable")
    if len(np.unique(subjects)) < len(subjects):
        raise AssemblyError("A subject has more than one threshold; average them first.")
    return _Measured(subjects[order], values[order])


def _elevations(target: xr.DataArray, baseline: str, test: str) -> _Measured:
    below, above = (_measured(target, condition) for condition in (baseline, test))
    subjects, first, second = np.intersect1d(below.subjects, above.subjects, return_indices=True)
    if not len(subjects):
        raise UndefinedScore("No subject has thresholds in both conditions.")
    return _Measured(subjects, above.values[second] / below.values[first])


def _scored(
    value: float,
    test: _Fitted,
    base: _Fitted | None,
    rows: Trials,
    human: _Measured,
    options: Threshold | ThresholdElevation,
) -> Score:
    def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        drawn = test.drawn(stimuli)
        if base is not None:
            drawn = drawn / base.drawn(stimuli)
        return weighted_mean(threshold_similarity(drawn[:, None], human.values), subjects)

    each = threshold_similarity(np.array(value), human.values)
    raw = estimate(
        statistic,
        stimulus_ids=rows.stimulus_ids,
        subjects=human.subjects,
        method=f"mean and sd over {len(each)} subjects; the source has {value:.4g}",
        quantity="similarity",
        each=each,
        resamples=options.resamples,
        seed=options.seed,
        elements=len(rows.stimulus_ids) + len(each),
    )
    samples = xr.DataArray(each, dims=["subject"], coords={"subject": human.subjects})
    return Score(value=raw.value, raw=raw, samples=samples)


def _among(human: _Measured, resamples: int, seed: int) -> Estimate:
    pairs = threshold_similarity(human.values[None, :, None], human.values[None, None, :])

    def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        return mean_over_pairs(pairs, subjects)

    count = len(human.subjects)
    return estimate(
        statistic,
        subjects=human.subjects,
        undefined=f"It takes two subjects to compare; there is {count}.",
        method=f"mean and sd over ordered pairs of {count} subjects",
        quantity="similarity",
        each=pairs[0][~np.eye(count, dtype=bool)],
        resamples=resamples,
        seed=seed,
        elements=count**2,
    )
