"""Reliability by random halves of the trials, other halves for every stimulus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import OptionError
from corteval.score import Estimate
from corteval.stats.resampling import require_stimuli
from corteval_ceilings.halves import Halves, reliability_of_halves, trials_of

_FEWEST_STIMULI = 10


@final
@dataclass(frozen=True, kw_only=True)
class PredictorConsistency:
    """Reliability of the mean over trials where stimuli have unequal numbers of trials.

        ceiling = mean_s median_n 2 r_sn / (1 + r_sn)

    As `InternalConsistency`, but each split divides the trials that a stimulus has at random on
    its own: ``floor(trials / 2)`` into one half, the rest into the other. Stimuli with one trial
    are left out. A trial exists where any neuroid has a response. Draws follow stimulus ids, not
    the order of rows. Intervals of 95 % covered 94 % with 100 stimuli and 30 neuroids; of one
    neuroid 93 % with 200 stimuli and 86 % with 60, since replicates follow correlations to first
    order (``tests/test_calibration_across_subjects.py``). Source: spec ``metrics`` 2.3.

    Args:
        splits: number of random halvings.
        split_seed: of the halvings, by ``numpy.random.default_rng``.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    splits: int = 10
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.splits < 1:
            raise OptionError(f"Predictor consistency needs at least one split, not {self.splits}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of `assembly` (presentation, neuroid, trial).

        Raises:
            UndefinedScore: with fewer than ten stimuli of two trials, or if no neuroid has a
                reliability.
        """
        trials = trials_of(assembly, "Predictor consistency")
        present = ~np.isnan(trials).all(axis=1)
        repeated = present.sum(axis=1) >= 2
        require_stimuli(int(repeated.sum()), _FEWEST_STIMULI, "Predictor consistency with repeats")
        if not repeated.all():
            assembly = assembly.isel(presentation=repeated)
            trials, present = trials[repeated], present[repeated]
        counts = present.sum(axis=1)
        return reliability_of_halves(
            assembly,
            Halves(trials, self._chosen(present, assembly["stimulus_id"].values)),
            method=f"halves of the {counts.min()} to {counts.max()} trials of each stimulus",
            resamples=self.resamples,
            seed=self.seed,
        )

    def _chosen(self, present: np.ndarray, stimulus_ids: np.ndarray) -> np.ndarray:
        """(stimulus, trial, split) trials of the first half."""
        rank = np.argsort(np.argsort(stimulus_ids.astype(str), kind="stable"))
        generator = np.random.default_rng(self.split_seed)
        keys = generator.random((self.splits, *present.shape))[:, rank]
        order = np.argsort(np.argsort(np.where(present, keys, np.inf), axis=2), axis=2)
        chosen = order < present.sum(axis=1, keepdims=True) // 2
        return np.moveaxis(chosen, 0, -1)
