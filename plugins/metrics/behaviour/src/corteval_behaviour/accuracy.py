"""Accuracy, and how far that of a model lies from that of subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.shares import Share, similarity_among_subjects, similarity_of_shares
from corteval_behaviour.trials import aligned, correct, groups, trials
from corteval_behaviour.weighted import ratio, tally, totals, weighted_mean


@final
@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Share of the stimuli to which the source's answer is right.

    Args:
        resamples: bootstrap replicates over stimuli; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Accuracy of `source` on the stimuli of `target`.

        Args:
            source: one answer a stimulus, as words, as probabilities of choices, or as 1 and 0.
            target: its stimuli, with the right answers as the coordinate ``truth``; a source of 1
                and 0 needs none. Trials of several subjects may be given: each stimulus counts
                once.

        Raises:
            AssemblyError: if an assembly has another form, or a stimulus has two truths.
        """
        if target.isnull().any():
            raise AssemblyError("The target has trials without an answer; leave them out.")
        answers = correct(aligned(source, target), target)
        rows = trials(target)
        first = np.unique(rows.stimulus, return_index=True)[1]
        right = answers[first]
        if not np.array_equal(right[rows.stimulus], answers):
            raise AssemblyError("The target has two truths for one stimulus.")
        count = len(right)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return np.asarray(stimuli @ right / stimuli.sum(axis=1))

        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            method=f"share of {count} stimuli, standard error over stimuli",
            quantity="accuracy",
            error=float(right.std(ddof=1) / np.sqrt(count)) if count > 1 else None,
            resamples=self.resamples,
            seed=self.seed,
            elements=count,
        )
        samples = xr.DataArray(
            right,
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", rows.stimulus_ids)},
        )
        return Score(value=raw.value, raw=raw, samples=samples)


@final
@dataclass(frozen=True, kw_only=True)
class HumanAccuracy:
    """Mean over subjects of their accuracy.

    Args:
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Accuracy of the subjects of `assembly`.

        Raises:
            UndefinedScore: with fewer than two subjects, which tell nothing of other subjects.
        """
        rows = trials(assembly)
        count = len(rows.subjects)
        if count < 2:
            raise UndefinedScore("The accuracy of subjects needs at least two; there is one.")
        shape = len(rows.stimulus_ids), count
        right = correct(assembly)
        table = tally(rows.stimulus, rows.subject, np.stack([right, np.ones_like(right)]), shape)

        def shares(stimuli: np.ndarray) -> np.ndarray:
            part, whole = totals(stimuli, table, 2)
            return ratio(part, whole)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(shares(stimuli), subjects)

        each = shares(ones(rows.stimulus_ids))[0]
        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            method=f"mean and standard error over {count} subjects",
            quantity="accuracy",
            error=float(each.std(ddof=1) / np.sqrt(count)),
            resamples=self.resamples,
            seed=self.seed,
            elements=sum(shape),
        )


@final
@dataclass(frozen=True, kw_only=True)
class AccuracyDistance:
    """Mean over subjects of 1 - |a_m - a_h| / max(a_h, 1 - a_h).

    a_h is a subject's accuracy and a_m that of the source on the same trials. Source: spec
    ``metrics`` 2.7.

    Args:
        by_condition: compare within each condition, and average over them too.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    by_condition: bool = False
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`, one answer a stimulus, to `target`, trials of subjects.

        Raises:
            AssemblyError: if an assembly has another form; see `corteval_behaviour.trials`.
        """
        answers = correct(aligned(source, target), target)
        rows = trials(target)
        everything = np.ones_like(answers)
        return similarity_of_shares(
            rows,
            groups(target, rows, by_condition=self.by_condition),
            model=Share(answers, everything),
            subject=Share(correct(target), everything),
            resamples=self.resamples,
            seed=self.seed,
        )


@final
@dataclass(frozen=True, kw_only=True)
class HumanAccuracyDistance:
    """Mean over ordered pairs of subjects of the similarity of their accuracies.

    The measure is asymmetric, so each pair is compared both ways. Source: spec ``metrics`` 2.7.

    Args:
        by_condition: as in `AccuracyDistance`.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    by_condition: bool = False
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the subjects of `assembly`.

        Raises:
            UndefinedScore: with fewer than two subjects in every condition.
        """
        rows = trials(assembly)
        right = correct(assembly)
        return similarity_among_subjects(
            rows,
            groups(assembly, rows, by_condition=self.by_condition),
            Share(right, np.ones_like(right)),
            resamples=self.resamples,
            seed=self.seed,
        )
