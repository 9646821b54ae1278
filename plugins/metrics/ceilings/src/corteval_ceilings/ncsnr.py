"""Noise ceiling from the signal-to-noise ratio of single trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate
from corteval.stats.resampling import Draws, central, draw, mean, replicates, subjects_of
from corteval.stats.splits import groups_of
from corteval_ceilings.halves import trials_of

#: Elements of the largest temporary array (8 bytes each).
_BUDGET = 500_000

#: Variation below this share of the magnitude is rounding error, not response.
_ROUNDING = 1e-13


class Moments(NamedTuple):
    """Trials of each stimulus.

    Args:
        trials: how many, (stimulus, neuroid), or (stimulus, 1) if all neuroids have as many.
        mean: (stimulus, neuroid); 0 without trial.
        variance: unbiased, (stimulus, neuroid); 0 with fewer than two trials.
    """

    trials: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


class NoiseCeiling(NamedTuple):
    """Signal-to-noise ratio of single trials, and noise ceiling of their mean, (..., neuroid)."""

    ncsnr: np.ndarray
    ceiling: np.ndarray


def moments(trials: np.ndarray) -> Moments:
    """Moments over the trials of each stimulus.

    Args:
        trials: (stimulus, neuroid, trial); NaN is missing and left out.

    Raises:
        AssemblyError: for other dimensions.
    """
    if trials.ndim != 3:
        raise AssemblyError(f"Trials are (stimulus, neuroid, trial), not of shape {trials.shape}.")
    shape = trials.shape[:2]
    counts, means, variances = (np.empty(shape) for _ in range(3))
    step = max(1, _BUDGET // (trials.shape[1] * trials.shape[2]))
    for start in range(0, shape[0], step):
        part = slice(start, start + step)
        # trials in front, so that sums run along stimuli and neuroids
        block = np.array(np.moveaxis(trials[part], 2, 0), np.float64, order="C")
        missing = np.isnan(block)
        count = len(block) - missing.sum(axis=0)
        block[missing] = 0
        means[part] = centre = block.sum(axis=0) / np.maximum(count, 1)
        block -= centre
        block[missing] = 0
        variances[part] = np.square(block, out=block).sum(axis=0) / np.maximum(count - 1, 1)
        counts[part] = count
    alike = (counts == counts[:, :1]).all()
    return Moments(counts[:, :1].copy() if alike else counts, means, variances)


def noise_ceiling(
    of: Moments | np.ndarray, *, trials: int | None = None, counts: np.ndarray | None = None
) -> NoiseCeiling:
    """Noise ceiling of each neuroid.

        noise variance  = mean over stimuli of the unbiased variance over their trials
        signal variance = max(0, variance of all responses - noise variance)
        ncsnr = sqrt(signal variance / noise variance)
        NC    = ncsnr^2 / (ncsnr^2 + 1/n)

    The natural scenes data set z-scores each neuroid first, so that the variance of all responses
    is 1; both ratios are the same with and without. Stimuli of one trial have no variance and
    count in the variance of all responses only. With A stimuli of one trial, B of two and C of
    three, 1/n is (A/1 + B/2 + C/3) / (A + B + C). NC, a share and not per cent, is the share of
    the variance of trial means that is signal. Source: Allen et al. 2022, Nature Neuroscience 25.

    Args:
        of: trials (stimulus, neuroid, trial), or their `moments`.
        trials: n, how many trials are averaged; None for as many as there are.
        counts: (resample, stimulus) how often each stimulus is counted; once if None.

    Returns:
        (neuroid), or (resample, neuroid) with counts; NaN where responses do not vary.
    """
    if not isinstance(of, Moments):
        of = moments(np.asarray(of))
    w = np.ones((1, len(of.mean))) if counts is None else np.asarray(counts, np.float64)
    n = of.trials

    def summed(factor: np.ndarray, values: np.ndarray) -> np.ndarray:
        return (w * factor.T) @ values if factor.shape[1] == 1 else w @ (factor * values)

    repeated, present = (n > 1).astype(np.float64), (n > 0).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        # near the mean, which keeps the squares well conditioned
        centred = of.mean - (n * of.mean).sum(axis=0) / n.sum(axis=0)
        noise = (w @ of.variance) / (w @ repeated)
        within = summed(np.maximum(n - 1, 0), of.variance)
        total, middle = w @ n, summed(n, centred)
        variance = (within + summed(n, centred**2) - middle**2 / total) / (total - 1)
        rounding = (_ROUNDING * np.abs(of.mean).max(axis=0)) ** 2
        variance = np.where(variance <= rounding, np.nan, variance)
        ratio = np.maximum(variance - noise, 0) / noise
        if trials is None:
            one_over_n = w @ (present / np.maximum(n, 1)) / (w @ present)
        else:
            one_over_n = np.full((1, 1), 1 / trials)
        ceiling = np.where(np.isinf(ratio), 1.0, ratio / (ratio + one_over_n))
    both = NoiseCeiling(np.sqrt(ratio), ceiling)
    return both if counts is not None else NoiseCeiling(both.ncsnr[0], both.ceiling[0])


@final
@dataclass(frozen=True, kw_only=True)
class NoiseCeilingSNR:
    """Noise ceiling of trial means, by the variance within and between stimuli.

        ceiling = median_n NC_n,    see `noise_ceiling`

    It is a reliability: a correlation r with trial means normalises as r^2/NC. With `root` it is
    the correlation sqrt(NC) that the noiseless response would have, and r normalises as
    r/sqrt(NC); dividing r^2 by it is a known mistake. ``error`` is the standard deviation of the
    replicates over stimuli.

    Args:
        root: take sqrt(NC) before the median.
        aggregate: over neuroids: ``"median"``, or ``"mean"``, as some published RDM ceilings.
        trials: how many trials are averaged; None for as many as there are.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    root: bool = False
    aggregate: Literal["median", "mean"] = "median"
    trials: int | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.aggregate not in ("median", "mean"):
            raise OptionError(f"Neuroids are put together by median or mean, not {self.aggregate}.")
        if self.trials is not None and self.trials < 1:
            raise OptionError(f"At least one trial is averaged, not {self.trials}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Noise ceiling of `assembly` (presentation, neuroid, trial).

        Raises:
            UndefinedScore: with fewer than two trials or three stimuli, or if no neuroid has a
                noise ceiling.
        """
        of = moments(trials_of(assembly, "A noise ceiling"))
        value = self._over_neuroids(self._per_neuroid(of)).item()
        if np.isnan(value):
            raise UndefinedScore(
                "No neuroid has a noise ceiling: responses do not vary, or no stimulus has two "
                "trials."
            )
        found = self._replicates(
            of,
            draw(
                stimulus_ids=assembly["stimulus_id"].values.astype(str),
                stimulus_groups=groups_of(assembly),
                neuroid_ids=assembly["neuroid_id"].values.astype(str),
                subjects=subjects_of(assembly),
                resamples=self.resamples,
                seed=self.seed,
            ),
        )
        what = "sqrt(NC) with NC" if self.root else "NC"
        return Estimate(
            value=value,
            error=float(np.nanstd(found[0].values)) if found else None,
            method=f"{self.aggregate} over neuroids of {what} = ncsnr^2/(ncsnr^2 + 1/n); error: "
            "standard deviation over resampled stimuli",
            quantity="correlation" if self.root else "reliability",
            replicates=found,
        )

    def _per_neuroid(self, of: Moments, counts: np.ndarray | None = None) -> np.ndarray:
        ceiling = noise_ceiling(of, trials=self.trials, counts=counts).ceiling
        return np.sqrt(ceiling) if self.root else ceiling

    def _over_neuroids(self, values: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
        if self.aggregate == "median":
            return central(values, counts)
        return mean(np.atleast_2d(values).T, 1.0 if counts is None else counts.T)

    def _replicates(self, of: Moments, draws: Sequence[Draws]) -> tuple[Replicates, ...]:
        fixed, found = self._per_neuroid(of), []
        step = max(1, _BUDGET // of.mean.shape[1])
        for way in draws:
            values = np.empty(self.resamples)
            for start in range(0, self.resamples, step):
                part = slice(start, start + step)
                drawn = None if way.stimuli is None else way.stimuli[part]
                units = None if way.neuroids is None else way.neuroids[part]
                per_neuroid = fixed if drawn is None else self._per_neuroid(of, drawn)
                values[part] = self._over_neuroids(per_neuroid, units)
            found.append(replicates(way, values, median=self.aggregate == "median"))
        return tuple(found)
