"""Which conditions are hard: correlation over conditions of the accuracies of model and people.

Every person may have seen images of their own, so that nothing can be compared image by image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.trials import Trials, aligned, column, correct, numeric_column, trials
from corteval_behaviour.weighted import ratio, tally, totals, weighted_correlation, weighted_mean

#: Of names in one condition: no coordinate holds it.
_JOINT = "\x1f"
_FLAT = (
    "No person's accuracies in {count} conditions vary together with those they are compared with: "
    "one or the other are all equal, or fewer than three conditions have trials of both."
)


@final
@dataclass(frozen=True, kw_only=True)
class ConditionAccuracySimilarity:
    """Mean over people of the correlation over conditions of the model's accuracies and theirs.

        mean_s r_c(a_sc, m_c)     or, as published,     mean_s r_c(a_sc, m_sc)

    a_sc is the accuracy of person s in condition c, m_c that of the model on all images of the
    condition, and m_sc that on those shown to s. The first is compared with a ceiling in which
    people take the place of the model and are many, so that their accuracies have little noise; an
    m_sc of few images has as much as a person. Source: spec ``metrics`` 2.4.

    Args:
        conditions: coordinates of trials; each combination of their values is a condition.
        below: coordinate and a number: only trials with smaller values count; None for all.
        images: of which the model's accuracies are taken, ``"all"`` or each person's ``"own"``.
        resamples: bootstrap replicates over stimuli and people; 0 for none.
        seed: of the bootstrap.
    """

    conditions: Sequence[str] = ("condition",)
    below: tuple[str, float] | None = None
    images: Literal["all", "own"] = "all"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.conditions, self.resamples)
        if self.images not in ("all", "own"):
            raise OptionError(f"images are 'all' or 'own', not {self.images!r}.")

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`, one answer a stimulus, to `target`, trials of people.

        Raises:
            UndefinedScore: with fewer than three conditions, or if accuracies do not vary.
            AssemblyError: if an assembly has another form, or lacks a coordinate.
        """
        answers = correct(aligned(source, target), target)
        kept = _kept(target, self.below)
        people = _Accuracies(target[kept], correct(target)[kept], self.conditions)
        model = _Accuracies(target[kept], answers[kept], self.conditions)

        def correlations(stimuli: np.ndarray) -> np.ndarray:
            own = model.everybody(stimuli) if self.images == "all" else model(stimuli)
            return weighted_correlation(people(stimuli), own)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(correlations(stimuli), subjects)

        rows = people.rows
        each = correlations(ones(rows.stimulus_ids))[0]
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_FLAT.format(count=people.count),
            method=f"mean and sd over {len(rows.subjects)} people of correlations over "
            f"{people.count} conditions, {int(kept.sum())} trials",
            quantity="correlation",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=people.elements,
        )
        samples = xr.DataArray(each, dims=["subject"], coords={"subject": rows.subjects})
        return Score(value=raw.value, raw=raw, samples=samples)


@final
@dataclass(frozen=True, kw_only=True)
class HumanConditionAccuracySimilarity:
    """Mean over people of the correlation of their accuracies with the mean of all others'.

        mean_s r_c(a_sc, mean_{t≠s} a_tc)

    Source: spec ``metrics`` 2.4.

    Args:
        conditions, below, resamples, seed: as in `ConditionAccuracySimilarity`.
    """

    conditions: Sequence[str] = ("condition",)
    below: tuple[str, float] | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.conditions, self.resamples)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the people of `assembly`.

        Raises:
            UndefinedScore: with one person, fewer than three conditions, or accuracies that do not
                vary.
        """
        kept = _kept(assembly, self.below)
        people = _Accuracies(assembly[kept], correct(assembly)[kept], self.conditions)
        rows = people.rows
        if len(rows.subjects) < 2:
            raise UndefinedScore("One person cannot be compared with others; there is one.")

        def correlations(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            accuracy = people(stimuli)
            return weighted_correlation(accuracy, _others(accuracy, subjects))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(correlations(stimuli, subjects), subjects)

        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_FLAT.format(count=people.count),
            method=f"each of {len(rows.subjects)} people with the mean of the others, over "
            f"{people.count} conditions; mean and sd",
            quantity="correlation",
            each=correlations(ones(rows.stimulus_ids), ones(rows.subjects))[0],
            resamples=self.resamples,
            seed=self.seed,
            elements=2 * people.elements,
        )


class _Accuracies:
    """Accuracies (resample, subject, condition) of counts of stimuli.

    Args:
        assembly: trials with their subjects and conditions.
        right: (trial) 1 for a right answer, 0 for a wrong one.
        names: coordinates of conditions.
    """

    def __init__(self, assembly: xr.DataArray, right: np.ndarray, names: Sequence[str]) -> None:
        self.rows: Trials = trials(assembly)
        columns = [column(assembly, name) for name in names]
        joint = np.array([_JOINT.join(parts) for parts in zip(*columns, strict=True)])
        conditions, condition = np.unique(joint, return_inverse=True)
        self.count = len(conditions)
        if self.count < 3:
            raise UndefinedScore(
                f"A correlation over conditions needs at least three; {', '.join(names)} tell "
                f"{self.count} apart."
            )
        self._people = len(self.rows.subjects)
        stimuli = len(self.rows.stimulus_ids)
        self.elements = stimuli + 4 * self._people * self.count
        self._table = tally(
            self.rows.stimulus,
            self.rows.subject * self.count + condition,
            np.stack([right, np.ones_like(right)]),
            (stimuli, self._people * self.count),
        )

    def __call__(self, stimuli: np.ndarray) -> np.ndarray:
        """(resample, subject, condition)."""
        part, whole = self._sums(stimuli)
        return ratio(part, whole)

    def everybody(self, stimuli: np.ndarray) -> np.ndarray:
        """(resample, 1, condition) over the trials of all."""
        part, whole = self._sums(stimuli).sum(axis=2, keepdims=True)
        return ratio(part, whole)

    def _sums(self, stimuli: np.ndarray) -> np.ndarray:
        sums = totals(stimuli, self._table, 2)
        return sums.reshape(2, len(stimuli), self._people, self.count)


def _others(accuracy: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    """Mean accuracy of everybody but each person, who is left out however often drawn."""
    known = ~np.isnan(accuracy)
    weights = subjects[:, :, None] * known
    weighted = np.where(known, accuracy, 0.0) * weights
    part = weighted.sum(axis=1, keepdims=True) - weighted
    return ratio(part, weights.sum(axis=1, keepdims=True) - weights)


def _kept(assembly: xr.DataArray, below: tuple[str, float] | None) -> np.ndarray:
    """True for the trials that count."""
    if below is None:
        return np.ones(assembly.sizes["presentation"], bool)
    name, limit = below
    kept = numeric_column(assembly, name) < limit
    if not kept.any():
        raise AssemblyError(f"No trial has {name} below {limit:g}. Set the option below.")
    return np.asarray(kept)


def _require(conditions: Sequence[str], resamples: int) -> None:
    require_resamples(resamples)
    if isinstance(conditions, str) or not conditions:
        raise OptionError(
            f"conditions are names of coordinates, such as ('condition',), not {conditions!r}."
        )
