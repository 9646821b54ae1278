"""Split-half reliability of recorded neuroids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.assembly import check_neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate
from corteval.stats.resampling import (
    Held,
    correlation,
    median,
    median_correlation_replicates,
    require_stimuli,
)


def spearman_brown(r: np.ndarray) -> np.ndarray:
    """Reliability of the whole from the correlation of its halves: 2r / (1 + r); NaN at r = -1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(r > -1, 2 * r / (1 + r), np.nan)


@final
@dataclass(frozen=True, kw_only=True)
class InternalConsistency:
    """Reliability of the mean over trials, by random halves of the trials.

        ceiling = mean_s median_n 2 r_sn / (1 + r_sn)

    r_sn correlates, over stimuli, the means of two disjoint random halves of the trials of
    neuroid n. Halves are scikit-learn's ``ShuffleSplit(splits, train_size=.5, random_state)`` over
    trial numbers. Missing trials are left out of the means. ``error`` is the standard error over
    splits; ``replicates`` resample stimuli and neuroids. Source: spec ``metrics`` 2.3.

    Args:
        splits: number of random halvings.
        split_seed: of the halvings.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    splits: int = 10
    split_seed: int = 1
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.splits < 1:
            raise OptionError(f"Internal consistency needs at least one split, not {self.splits}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of `assembly` (presentation, neuroid, trial).

        Raises:
            UndefinedScore: with fewer than two trials or three stimuli, or if no neuroid has a
                reliability.
        """
        trials = self._trials(assembly)
        halves = [self._halves(trials, *split) for split in self._splits(trials.shape[2])]
        reliability = np.stack([spearman_brown(correlation(a, b)) for a, b, _ in halves])
        per_split = median(reliability)
        if np.isnan(per_split).any():
            raise UndefinedScore(
                "No neuroid has a reliability: responses do not vary over stimuli."
            )
        replicates = median_correlation_replicates(
            halves,
            assembly["stimulus_id"].values.astype(str),
            assembly["neuroid_id"].values.astype(str),
            resamples=self.resamples,
            seed=self.seed,
            transform=spearman_brown,
        )
        return Estimate(
            value=float(per_split.mean()),
            error=float(per_split.std() / np.sqrt(len(halves))),
            method=f"Spearman-Brown corrected halves of {trials.shape[2]} trials; median over "
            f"neuroids, mean and standard error over {len(halves)} splits",
            quantity="reliability",
            replicates=replicates,
        )

    def _trials(self, assembly: xr.DataArray) -> np.ndarray:
        check_neural(assembly)
        if assembly.sizes.get("trial", 1) < 2:
            raise UndefinedScore("Internal consistency needs at least two trials of each stimulus.")
        require_stimuli(assembly.sizes["presentation"], 3, "Internal consistency")
        if "time_bin" in assembly.dims:
            if assembly.sizes["time_bin"] != 1:
                raise AssemblyError("Select one time bin: reliability is of one number a stimulus.")
            assembly = assembly.isel(time_bin=0)
        return np.asarray(assembly.transpose("presentation", "neuroid", "trial").values, np.float64)

    def _splits(self, trials: int) -> list[tuple[np.ndarray, np.ndarray]]:
        from sklearn.model_selection import ShuffleSplit

        splitter = ShuffleSplit(self.splits, train_size=0.5, random_state=self.split_seed)
        return list(splitter.split(np.arange(trials)))

    def _halves(self, trials: np.ndarray, first: np.ndarray, second: np.ndarray) -> Held:
        a, b = (_mean(trials[:, :, half]) for half in (first, second))
        missing = np.isnan(a) | np.isnan(b)
        if missing.any():
            raise UndefinedScore(
                f"{int(missing.any(axis=1).sum())} stimuli have no trial left in one half; use the "
                "trials that every stimulus has."
            )
        return Held(a, b, np.arange(len(trials)))


def _mean(trials: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN."""
    present = ~np.isnan(trials)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(present, trials, 0).sum(axis=2) / present.sum(axis=2))
