"""Similarity of measured values: exp(-scale |a - b|)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.halves import chosen_halves, require_repetitions
from corteval_behaviour.tables import mean_over_subjects, table
from corteval_behaviour.trials import answers_to, numbers
from corteval_behaviour.weighted import weighted_mean


def value_delta(first: np.ndarray, second: np.ndarray, scale: float = 0.75) -> np.ndarray:
    """exp(-scale |a - b|): 1 at equality, towards 0 with distance.

    Source: spec ``metrics`` 2.7 (scale 0.75: Ferguson 2024).

    Args:
        first, second: a, b, in the same unit.
        scale: how fast similarity falls, per unit.
    """
    return np.asarray(np.exp(-scale * np.abs(np.asarray(first) - np.asarray(second))))


@final
@dataclass(frozen=True, kw_only=True)
class ValueDelta:
    """Mean over measured values of `value_delta` of the source and the mean of the subjects.

    Args:
        scale: of `value_delta`.
        resamples: bootstrap replicates over values and subjects; 0 for none.
        seed: of the bootstrap.
    """

    scale: float = 0.75
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        _require_scale(self.scale)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source` to `target`.

        Args:
            source: a number a presentation; ``stimulus_id`` names what was measured.
            target: numbers of subjects; see `corteval_behaviour.tables.table`.

        Raises:
            AssemblyError: if an assembly has another form, or a number is not finite.
        """
        measured = table(target)
        model = numbers(answers_to(measured.stimulus_ids, source))
        if not np.isfinite(model).all():
            raise AssemblyError(f"{int((~np.isfinite(model)).sum())} source values are not finite.")

        def similarities(subjects: np.ndarray) -> np.ndarray:
            return value_delta(model, mean_over_subjects(measured.values, subjects), self.scale)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(similarities(subjects), stimuli)

        each = similarities(ones(measured.subjects))[0]
        raw = estimate(
            statistic,
            stimulus_ids=measured.stimulus_ids,
            subjects=measured.subjects,
            method=f"mean and sd over {len(each)} values, means of {len(measured.subjects)} "
            "subjects",
            quantity="similarity",
            each=each,
            resamples=self.resamples,
            seed=self.seed,
            elements=8 * len(each),
        )
        samples = xr.DataArray(
            each,
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", measured.stimulus_ids)},
        )
        return Score(value=raw.value, raw=raw, samples=samples)


@final
@dataclass(frozen=True, kw_only=True)
class HumanValueDelta:
    """Mean over random halvings of the subjects of `value_delta` of the means of both halves.

    Args:
        scale: of `value_delta`.
        splits: number of random halvings.
        split_seed: of the halvings.
        resamples: bootstrap replicates over values and subjects; 0 for none.
        seed: of the bootstrap.
    """

    scale: float = 0.75
    splits: int = 100
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.splits)
        _require_scale(self.scale)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the subjects of `assembly`.

        Raises:
            UndefinedScore: with fewer than two subjects.
        """
        measured = table(assembly)
        shape = len(measured.stimulus_ids), len(measured.subjects)
        if shape[1] < 2:
            raise UndefinedScore(f"Halves of {shape[1]} subjects cannot be drawn.")
        halves = chosen_halves(shape[1], self.splits, self.split_seed)

        def similarities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            each = []
            for first, second in halves:
                a, b = (
                    mean_over_subjects(measured.values, subjects * half) for half in (first, second)
                )
                each.append(weighted_mean(value_delta(a, b, self.scale), stimuli))
            return np.stack(each, axis=-1)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(similarities(stimuli, subjects))

        return estimate(
            statistic,
            stimulus_ids=measured.stimulus_ids,
            subjects=measured.subjects,
            undefined="No value was measured in both halves of the subjects.",
            method=f"mean and sd over {self.splits} random halvings of {shape[1]} subjects",
            quantity="similarity",
            each=similarities(ones(measured.stimulus_ids), ones(measured.subjects)),
            resamples=self.resamples,
            seed=self.seed,
            elements=8 * shape[0] + self.splits,
        )


def _require_scale(scale: float) -> None:
    if not scale > 0:
        raise OptionError(f"The scale of value_delta is positive, not {scale}.")
