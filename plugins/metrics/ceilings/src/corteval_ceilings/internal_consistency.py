"""Reliability by random halves of the trials, the same halves for every stimulus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import xarray as xr

from corteval.errors import OptionError
from corteval.score import Estimate
from corteval_ceilings.halves import random_halves, reliability_of_halves, trials_of


@final
@dataclass(frozen=True, kw_only=True)
class InternalConsistency:
    """Reliability of the mean over trials, by random halves of the trials.

        ceiling = mean_s median_n 2 r_sn / (1 + r_sn)

    r_sn correlates, over stimuli, the means of two disjoint random halves of the trials of
    neuroid n. Halves are scikit-learn's ``ShuffleSplit(splits, train_size=.5, random_state)`` over
    trial numbers. Missing trials are left out of the means. ``error`` is the standard error over
    splits; ``replicates`` resample stimuli and neuroids, or subjects if there are five.
    Source: spec ``metrics`` 2.3.

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
        trials = trials_of(assembly, "Internal consistency")
        return reliability_of_halves(
            assembly,
            random_halves(trials, self.splits, self.split_seed),
            method=f"halves of {trials.shape[2]} trials",
            resamples=self.resamples,
            seed=self.seed,
        )
