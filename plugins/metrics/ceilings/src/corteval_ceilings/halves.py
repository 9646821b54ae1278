"""Means of two halves of the trials, and the reliability that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.assembly import check_neural
from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Estimate
from corteval.stats.resampling import (
    Held,
    correlation,
    draw,
    median,
    median_correlation_replicates,
    require_stimuli,
    spearman_brown,
    subjects_of,
)
from corteval.stats.splits import groups_of

#: Elements of the largest temporary array (8 bytes each).
_BUDGET = 500_000


@final
class Halves(Sequence[Held]):
    """Means over chosen trials and over the remaining ones, for several choices.

    Sums over chosen trials are matrix products with the choices, of 64 bits, in blocks of stimuli.
    Those over the others are the total less these, taken when a split is asked for.

    Args:
        trials: (stimulus, neuroid, trial); NaN is missing and left out.
        chosen: (trial, split) or (stimulus, trial, split), true for the first half.

    Raises:
        AssemblyError: if a response is infinite.
    """

    def __init__(self, trials: np.ndarray, chosen: np.ndarray) -> None:
        stimuli, neuroids, count = trials.shape
        everything = np.ones((*chosen.shape[:-1], 1))
        weights = np.concatenate([np.asarray(chosen, np.float64), everything], axis=-1)
        weights = np.broadcast_to(weights, (stimuli, *weights.shape[-2:]))
        # (split, stimulus, neuroid), all trials last; counts are of stimuli alone if none lacks
        self._sums = np.empty((weights.shape[-1], stimuli, neuroids))
        self._counts = np.moveaxis(weights.sum(axis=1, keepdims=True), -1, 0)
        step = max(1, _BUDGET // (neuroids * count))
        for start in range(0, stimuli, step):
            part = slice(start, start + step)
            block, w = np.ascontiguousarray(trials[part], np.float64), weights[part]
            with np.errstate(invalid="ignore"):
                sums = block @ w
                if np.isnan(sums[..., -1]).any():
                    missing = np.isnan(block)
                    sums = np.where(missing, 0, block) @ w
                    if self._counts.shape != self._sums.shape:
                        self._counts = np.array(np.broadcast_to(self._counts, self._sums.shape))
                    present = (~missing).astype(np.float64)
                    self._counts[:, part] = np.moveaxis(present @ w, -1, 0)
            if not np.isfinite(sums).all():
                raise AssemblyError("Responses are infinite; a missing trial is NaN.")
            self._sums[:, part] = np.moveaxis(sums, -1, 0)

    def __len__(self) -> int:
        return len(self._sums) - 1

    def __getitem__(self, split: Any) -> Any:
        """Means of both halves, (stimulus, neuroid); NaN where a half has no trial."""
        split = range(len(self))[split]
        first, n = self._sums[split], self._counts[split]
        second = self._sums[-1] - first
        with np.errstate(invalid="ignore", divide="ignore"):
            second /= self._counts[-1] - n
            return Held(first / n, second, np.arange(len(first)))

    @property
    def lacking(self) -> np.ndarray:
        """(stimulus) whether some half of it has no trial."""
        of_split, of_all = self._counts[:-1], self._counts[-1:]
        return np.asarray(((of_split == 0) | (of_split == of_all)).any(axis=(0, 2)))


def random_halves(trials: np.ndarray, splits: int = 10, split_seed: int = 1) -> Halves:
    """Random halves of the trials, the same for every stimulus.

    They are scikit-learn's ``ShuffleSplit(splits, train_size=.5, random_state)`` over trial
    numbers.

    Args:
        trials: (stimulus, neuroid, trial); NaN is missing and left out.
        splits: number of random halvings.
        split_seed: of the halvings.

    Raises:
        AssemblyError: for other dimensions, or if a response is infinite.
        UndefinedScore: with fewer than two trials.
    """
    from sklearn.model_selection import ShuffleSplit

    if trials.ndim != 3:
        raise AssemblyError(f"Trials are (stimulus, neuroid, trial), not of shape {trials.shape}.")
    count = trials.shape[2]
    if count < 2:
        raise UndefinedScore(f"Halves take at least two trials; there are {count}.")
    chosen = np.zeros((count, splits), bool)
    splitter = ShuffleSplit(splits, train_size=0.5, random_state=split_seed)
    for split, (first, _) in enumerate(splitter.split(np.arange(count))):
        chosen[first, split] = True
    return Halves(trials, chosen)


def split_half_reliability(halves: Halves | np.ndarray) -> np.ndarray:
    """Spearman-Brown corrected correlation over stimuli of both halves.

    Args:
        halves: of trials; or trials (stimulus, neuroid, trial), of which `random_halves` are taken.

    Returns:
        (split, neuroid); NaN where a half is constant or lacks a stimulus.
    """
    if not isinstance(halves, Halves):
        halves = random_halves(np.asarray(halves))
    return np.stack([spearman_brown(correlation(first, second)) for first, second, _ in halves])


def trials_of(assembly: xr.DataArray, what: str) -> np.ndarray:
    """(presentation, neuroid, trial) view of the responses of `assembly`.

    Raises:
        UndefinedScore: with fewer than two trials or three stimuli.
        AssemblyError: for several time bins.
    """
    check_neural(assembly)
    if assembly.sizes.get("trial", 1) < 2:
        raise UndefinedScore(f"{what} needs at least two trials of each stimulus; there is one.")
    require_stimuli(assembly.sizes["presentation"], 3, what)
    if "time_bin" in assembly.dims:
        if assembly.sizes["time_bin"] != 1:
            raise AssemblyError(
                f"{what} is of one number a stimulus; there are {assembly.sizes['time_bin']} time "
                "bins. Select one with assembly.isel(time_bin=...)."
            )
        assembly = assembly.isel(time_bin=0)
    return np.asarray(assembly.transpose("presentation", "neuroid", "trial").values)


def reliability_of_halves(
    assembly: xr.DataArray, halves: Halves, *, method: str, resamples: int, seed: int
) -> Estimate:
    """Median over neuroids, then mean over splits, of Spearman-Brown corrected correlations.

    Args:
        assembly: says which stimuli, neuroids and subjects there are.
        halves: of its trials.
        method: how halves were made, in words.
        resamples, seed: of the bootstrap over stimuli and neuroids or subjects.

    Raises:
        UndefinedScore: if a half has no trial, or no neuroid has a reliability.
    """
    if halves.lacking.any():
        raise UndefinedScore(
            f"{int(halves.lacking.sum())} stimuli have no trial left in one half; use the trials "
            "that every stimulus has."
        )
    per_split = median(split_half_reliability(halves))
    if np.isnan(per_split).all():
        raise UndefinedScore("No neuroid has a reliability: responses do not vary over stimuli.")
    draws = draw(
        stimulus_ids=assembly["stimulus_id"].values.astype(str),
        stimulus_groups=groups_of(assembly),
        neuroid_ids=assembly["neuroid_id"].values.astype(str),
        subjects=subjects_of(assembly),
        resamples=resamples,
        seed=seed,
    )
    return Estimate(
        value=float(np.nanmean(per_split)),
        error=float(np.nanstd(per_split) / np.sqrt(len(halves))),
        method=f"Spearman-Brown corrected {method}; median over neuroids, mean and standard "
        f"error over {len(halves)} splits",
        quantity="reliability",
        replicates=median_correlation_replicates(halves, draws, transform=spearman_brown)
        if draws
        else (),
    )
