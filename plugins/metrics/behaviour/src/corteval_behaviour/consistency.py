"""Error consistency: do two observers err on the same stimuli, beyond what accuracies explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.shares import per_group
from corteval_behaviour.trials import Groups, Trials, aligned, correct, groups, trials
from corteval_behaviour.weighted import mean_over_pairs, ratio, tally, totals, weighted_mean


def kappa(agreement: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Agreement beyond that of independent observers of the same accuracies.

        κ = (o - e) / (1 - e),    e = a b + (1 - a)(1 - b)

    Source: Geirhos, Meding & Wichmann 2020; spec ``metrics`` 2.7.

    Args:
        agreement: o, share of stimuli on which both are right or both are wrong.
        first, second: a, b, accuracies of both.

    Returns:
        -1 to 1; NaN where e = 1: both are always right, or both always wrong.
    """
    expected = first * second + (1 - first) * (1 - second)
    with np.errstate(invalid="ignore", divide="ignore"):
        # e = 1 is exact when it matters: accuracies of 0 and 1 are quotients without rounding
        return np.asarray(np.where(expected < 1, (agreement - expected) / (1 - expected), np.nan))


def error_consistency(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """`kappa` of two observers' answers.

    Args:
        first, second: (..., trial) 1 where the answer is right, 0 where it is wrong.

    Returns:
        (...); NaN where both are always right, or both always wrong: kappa is undefined.

    Raises:
        OptionError: for other values, no trials, or other numbers of trials.
    """
    first, second = (np.asarray(side, np.float64) for side in (first, second))
    for answers in (first, second):
        if not answers.size:
            raise OptionError(f"There are no trials: answers have shape {answers.shape}.")
        odd = ~np.isin(answers, (0.0, 1.0))
        if odd.any():
            raise OptionError(
                f"Answers are 1 (right) or 0 (wrong); {int(odd.sum())} of {answers.size} are "
                f"others, such as {answers[odd][0]:g}. Leave out trials without an answer."
            )
    if not first.ndim or first.shape != second.shape:
        raise OptionError(
            f"Answers have shapes {first.shape} and {second.shape}; needed is one answer of each "
            "observer to each trial."
        )
    agreement = np.asarray(first == second).mean(axis=-1)
    return kappa(agreement, first.mean(axis=-1), second.mean(axis=-1))


@final
@dataclass(frozen=True, kw_only=True)
class ErrorConsistency:
    """Mean over subjects and conditions of the kappa of the source with each subject.

    Signed: a source that errs where subjects do not scores below 0. Pairs whose kappa is undefined,
    since both are always right or always wrong, are left out. Source: spec ``metrics`` 2.7.

    Args:
        absolute: published mistake: the absolute value of the mean, which rewards a source for
            erring where subjects do not.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    absolute: bool = False
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Consistency of `source`, one answer a stimulus, with `target`, trials of subjects.

        Raises:
            UndefinedScore: if no kappa is defined.
            AssemblyError: if an assembly has another form; see `corteval_behaviour.trials`.
        """
        answers = correct(aligned(source, target), target)
        rows = trials(target)
        cells = groups(target, rows)
        kappas = _kappas_with_source(answers, correct(target), rows, cells)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            mean = weighted_mean(kappas(stimuli), subjects[:, cells.subject])
            return np.abs(mean) if self.absolute else mean

        each = kappas(ones(rows.stimulus_ids))[0]
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=f"No kappa of {len(each)} is defined: the source and each subject are always "
            "right or always wrong.",
            method=f"mean and sd of {int(np.isfinite(each).sum())} kappas over "
            f"{len(rows.subjects)} subjects and {len(cells.conditions)} conditions"
            + (", absolute value of the mean" if self.absolute else ""),
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=8 * len(each),
        )
        samples = per_group(each, rows, cells)
        return Score(value=raw.value, raw=raw, samples=samples, notes=_notes(answers, target))


@final
@dataclass(frozen=True, kw_only=True)
class HumanErrorConsistency:
    """Mean kappa over all pairs of subjects and conditions, on the stimuli both answered.

    Source: spec ``metrics`` 2.7.

    Args:
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Consistency of the subjects of `assembly` with one another.

        Raises:
            UndefinedScore: with fewer than two subjects that share stimuli, or if no kappa is
                defined.
            AssemblyError: if a subject answers a stimulus twice in one condition.
        """
        rows = trials(assembly)
        if len(rows.subjects) < 2:
            raise UndefinedScore("Consistency among subjects needs at least two; there is one.")
        cells = groups(assembly, rows)
        kappas = _kappas_of_pairs(correct(assembly), rows, cells)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return mean_over_pairs(kappas(stimuli), subjects)

        pairs = np.triu_indices(len(rows.subjects), 1)
        each = kappas(ones(rows.stimulus_ids))[0][:, *pairs]
        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=f"No kappa among {len(rows.subjects)} subjects is defined: they share no "
            "stimuli, or are always right or always wrong.",
            method=f"mean and sd of {int(np.isfinite(each).sum())} kappas over pairs of "
            f"{len(rows.subjects)} subjects and {len(cells.conditions)} conditions",
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=2 * len(rows.stimulus_ids) * len(rows.subjects) + 8 * each.size,
        )


def _notes(answers: np.ndarray, target: xr.DataArray) -> tuple[str, ...]:
    """What a reader must know of the source's answers (trial) and the target's subjects."""
    notes = []
    if answers.all() or not answers.any():
        notes.append(
            f"the source is {'right' if answers.all() else 'wrong'} in all trials: kappa is 0 "
            "whatever the subjects do"
        )
    if "subject" not in target.coords:
        notes.append(
            "the target has no coordinate 'subject': its trials are taken as those of one subject"
        )
    return tuple(notes)


def _kappas_with_source(
    answers: np.ndarray, human: np.ndarray, rows: Trials, cells: Groups
) -> Callable[[np.ndarray], np.ndarray]:
    """Kappa of each group, (resample, group), of counts of stimuli."""
    columns = np.stack([np.ones_like(human), answers, human, answers == human])
    shape = len(rows.stimulus_ids), len(cells.subject)
    table = tally(rows.stimulus, cells.of_trial, columns, shape)

    def kappas(stimuli: np.ndarray) -> np.ndarray:
        count, model, subject, agreeing = totals(stimuli, table, 4)
        return kappa(*(ratio(part, count) for part in (agreeing, model, subject)))

    return kappas


def _kappas_of_pairs(
    human: np.ndarray, rows: Trials, cells: Groups
) -> Callable[[np.ndarray], np.ndarray]:
    """Kappa of each pair, (resample, condition, subject, subject), of counts of stimuli."""
    trial = np.stack([rows.stimulus, cells.of_trial])
    if np.unique(trial, axis=1).shape[1] < trial.shape[1]:
        raise AssemblyError(
            "A subject answers a stimulus more than once in a condition; which of these answers "
            "is to be compared? Keep one."
        )
    blocks = []
    for condition in range(len(cells.conditions)):
        here = cells.condition[cells.of_trial] == condition
        stimuli, stimulus = np.unique(rows.stimulus[here], return_inverse=True)
        right, wrong = np.zeros((2, len(stimuli), len(rows.subjects)))
        right[stimulus, rows.subject[here]] = human[here]
        wrong[stimulus, rows.subject[here]] = 1 - human[here]
        blocks.append((stimuli, right, wrong))

    def kappas(stimuli: np.ndarray) -> np.ndarray:
        found = []
        for positions, right, wrong in blocks:
            both, neither, one = (
                (a.T * stimuli[:, None, positions]) @ b
                for a, b in ((right, right), (wrong, wrong), (right, wrong))
            )
            other = one.transpose(0, 2, 1)
            count = both + neither + one + other
            parts = both + neither, both + one, both + other
            found.append(kappa(*(ratio(part, count) for part in parts)))
        return np.stack(found, axis=1)

    return kappas
