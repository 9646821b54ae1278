"""Consistency of choices between two objects: the families B.I1, B.I2, B.O1 and B.O2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import xarray as xr

from corteval.errors import OptionError
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import Statistic, estimate, ones, require_resamples
from corteval_behaviour.halves import require_repetitions
from corteval_behaviour.signal_detection import Level, Versus, sensitivity
from corteval_behaviour.two_choices import (
    TwoChoices,
    false_alarms_of_halves,
    false_alarms_of_source,
    two_choices,
)
from corteval_behaviour.weighted import ratio, weighted_correlation


@final
@dataclass(frozen=True, kw_only=True)
class Discrimination:
    """Pearson correlation of the d' of the source with that of half of the trials of subjects.

        score = mean_s r_s,    r_s = r(d'(source), d'(first half of the trials, s-th shuffle))

    d' is `sensitivity`; cells that are NaN on one side are left out. Halves shuffle the trials in
    the order they stand, one ``RandomState`` for all repetitions. Source: spec ``metrics`` 2.6.

    Args:
        level, versus, normalise: of `sensitivity`: B.I1 is (image, all), B.I2 (image, other), B.O1
            (object, all) and B.O2 (object, other).
        noise_corrected: mean_s r_s / sqrt(c_s) instead, with c_s the correlation of both halves,
            as Rajalingham et al. 2018 report; such a score needs no ceiling.
        repetitions: number of random halvings.
        split_seed: of the halvings.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    level: Level = "image"
    versus: Versus = "other"
    normalise: bool = True
    noise_corrected: bool = False
    repetitions: int = 2
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require_options(self.level, self.versus, self.normalise)
        require_resamples(self.resamples)
        require_repetitions(self.repetitions)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Consistency of `source` with `target`.

        Args:
            source: (presentation, choice) probability of each object for each image.
            target: trials of two objects: words, or 1 where the shown object was chosen and 0 where
                the other; with coordinates ``truth`` (shown object) and ``distractor`` (other).

        Raises:
            UndefinedScore: if fewer than three cells are defined on both sides, or d' is constant.
            AssemblyError: if an assembly has another form, or an object has no probability.
        """
        task = two_choices(target)
        own = false_alarms_of_source(source, task)
        halves = false_alarms_of_halves(task, self.repetitions, self.split_seed)
        kind = _Kind(self.level, self.versus, self.normalise)

        def correlations(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            model, found = kind.sensitivity(own, task, stimuli), []
            for first, second in halves:
                half = kind.sensitivity(first(subjects), task, stimuli)
                r = kind.correlation(model, half, stimuli)
                if self.noise_corrected:
                    other = kind.sensitivity(second(subjects), task, stimuli)
                    c = kind.correlation(half, other, stimuli)
                    r = ratio(r, np.sqrt(np.maximum(c, 0)))
                found.append(r)
            return np.stack(found, axis=-1)

        raw, each = _estimate(correlations, task, resamples=self.resamples, seed=self.seed)
        return Score(value=raw.value, raw=raw, samples=xr.DataArray(each, dims=["split"]))


@final
@dataclass(frozen=True, kw_only=True)
class HumanDiscrimination:
    """Pearson correlation of the d' of both halves of the trials; no Spearman-Brown correction.

    The score compares a model with one half, so this is its ceiling as it stands. Source: spec
    ``metrics`` 2.6.

    Args:
        level, versus, normalise, repetitions, split_seed: as in `Discrimination`, whose halves
            these are.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    level: Level = "image"
    versus: Versus = "other"
    normalise: bool = True
    repetitions: int = 2
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _require_options(self.level, self.versus, self.normalise)
        require_resamples(self.resamples)
        require_repetitions(self.repetitions)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Consistency of halves of `assembly`, the target of `Discrimination`.

        Raises:
            UndefinedScore: if fewer than three cells are defined in both halves.
        """
        task = two_choices(assembly)
        halves = false_alarms_of_halves(task, self.repetitions, self.split_seed)
        kind = _Kind(self.level, self.versus, self.normalise)

        def correlations(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            found = []
            for pair in halves:
                a, b = (kind.sensitivity(half(subjects), task, stimuli) for half in pair)
                found.append(kind.correlation(a, b, stimuli))
            return np.stack(found, axis=-1)

        return _estimate(correlations, task, resamples=self.resamples, seed=self.seed)[0]


class _Kind(NamedTuple):
    """Which member of the family of metrics."""

    level: Level
    versus: Versus
    normalise: bool

    def sensitivity(self, rates: np.ndarray, task: TwoChoices, weights: np.ndarray) -> np.ndarray:
        """`sensitivity` of this kind: (resample, cell) or (resample, row, cell)."""
        return sensitivity(
            rates,
            task.shown,
            weights,
            level=self.level,
            versus=self.versus,
            normalise=self.normalise,
        )

    def correlation(self, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """(resample) over all cells; those of an image count as often as it is drawn."""
        x, y = np.broadcast_arrays(x, y)
        cells: np.ndarray | float = 1.0
        if self.level == "image":
            cells = weights if self.versus == "all" else weights[:, :, None]
            cells = np.broadcast_to(cells, x.shape).reshape(len(x), -1)
        return weighted_correlation(x.reshape(len(x), -1), y.reshape(len(y), -1), cells)


def _estimate(
    correlations: Statistic, task: TwoChoices, *, resamples: int, seed: int
) -> tuple[Estimate, np.ndarray]:
    """Mean and sd over halvings, and the correlation of each."""
    ids, subjects = task.rows.stimulus_ids, task.rows.subjects

    def statistic(of_stimuli: np.ndarray, of_subjects: np.ndarray) -> np.ndarray:
        return np.asarray(correlations(of_stimuli, of_subjects).mean(axis=-1))

    each = correlations(ones(ids), ones(subjects))[0]
    made = estimate(
        statistic,
        stimulus_ids=ids,
        subjects=subjects,
        undefined=f"The d' of {len(ids)} images and {len(task.objects)} objects have fewer than "
        "three defined cells in common, or do not vary; there is nothing to correlate.",
        method=f"mean and sd over {len(each)} halvings of {len(task.alarm)} trials",
        quantity="correlation",
        each=each,
        resamples=resamples,
        seed=seed,
        elements=8 * len(ids) * len(task.objects),
    )
    return made, each


def _require_options(level: str, versus: str, normalise: bool) -> None:
    if level not in ("image", "object") or versus not in ("other", "all"):
        raise OptionError(
            f"level is 'image' or 'object', versus 'other' or 'all'; not {level!r}, {versus!r}."
        )
    if normalise and level == "object":
        raise OptionError("Only d' of images is normalised; set normalise=False for objects.")
