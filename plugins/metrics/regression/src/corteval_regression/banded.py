"""Banded ridge regression: groups of features with a penalty each, and what each group adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from corteval.errors import OptionError
from corteval_regression.arrays import Array, as_numpy, eigh, like
from corteval_regression.features import (
    Features,
    Splits,
    left_out,
    place_among,
    responses,
)
from corteval_regression.penalties import (
    RANK,
    Axes,
    axes_of_gram,
    leave_one_out_errors,
    predicted_on,
    ridgecv_cv,
)
from corteval_regression.standardised import each_split

#: 2^-5 to 2^19 (spec ``metrics``, language side; ``language-pitfalls`` 6). The 0 of that grid is
#: left out: with more features than stimuli it only interpolates.
ALPHAS: tuple[float, ...] = tuple(2.0**power for power in range(-5, 20))


class BandedFits(NamedTuple):
    """Results of `banded_ridge_cv`.

    Args:
        predictions: (test row, target) of each split.
        alphas: (split, band, target) penalties chosen; infinite where a band is left out.
    """

    predictions: list[np.ndarray]
    alphas: np.ndarray


def banded_ridge_cv(
    bands: Sequence[Features | Array],
    y: Array,
    splits: Splits,
    *,
    alphas: Sequence[float] = ALPHAS,
    candidates: int = 100,
    seed: int = 0,
) -> BandedFits:
    """Held-out predictions of ridge regression with a penalty for each band of features.

        B = argmin |Y_c - Σ_b X_b B_b|² + Σ_b α_b |B_b|²

    Penalties are chosen for each target by exact leave-one-out errors in training. Fits with the
    same ratios of penalties share one eigendecomposition. For two bands all pairs of `alphas` are
    tried, and each band alone; for more, `candidates` random ratios (uniform on the simplex) with
    all `alphas`.

    Args:
        bands: (stimulus, feature) of each band.
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.
        alphas: penalties to choose from.
        candidates: random ratios, with three or more bands.
        seed: of the ratios.

    Raises:
        OptionError: if shapes, splits or penalties do not fit.
    """
    parts = [Features.of(x) for x in bands]
    grid = np.asarray(alphas, np.float64)
    if len(parts) < 2:
        raise OptionError("Banded ridge needs at least two bands; use ridgecv for one.")
    if not len(grid) or not (grid > 0).all():
        raise OptionError(f"Ridge penalties are positive, not {list(alphas)}.")
    if len({part.stimuli for part in parts}) > 1:
        raise OptionError(f"Bands have {[part.stimuli for part in parts]} stimuli.")
    trials = _trials(len(parts), grid, candidates, seed)
    targets = responses(parts[0], y)
    predictions, chosen = [], []
    for train, test in splits:
        place_among(left_out(np.asarray(train), len(targets)), np.asarray(test))
        rows, tested = (like(targets, np.asarray(part)) for part in (train, test))
        offset = targets[rows].mean(0)
        centred = targets[rows] - offset
        scaled = _Scaled(parts, rows, tested)
        least = np.full(targets.shape[1], np.inf)
        found = np.zeros((len(test), targets.shape[1]))
        penalties = np.full((len(parts), targets.shape[1]), np.inf)
        for weights, choices in trials:
            axes = scaled.axes(weights)
            errors = leave_one_out_errors(axes, centred, choices)
            best = np.argmin(errors, axis=0)
            error = errors[best, np.arange(len(best))]
            columns = np.flatnonzero(error < least)
            if not len(columns):
                continue
            least[columns] = error[columns]
            alpha = choices[best[columns]]
            part = predicted_on(axes, centred[:, like(targets, columns)], alpha)
            found[:, columns] = as_numpy(part)
            with np.errstate(divide="ignore"):
                penalties[:, columns] = alpha / weights[:, None]
        predictions.append(found + as_numpy(offset))
        chosen.append(penalties)
    return BandedFits(predictions, np.array(chosen))


class VariancePartition(NamedTuple):
    """What two bands of features explain, each (target): shares of held-out variance.

    Args:
        joint, first, second: R² of both bands, and of each alone.
        unique_first, unique_second: R²(joint) - R²(the other).
        shared: R²(first) + R²(second) - R²(joint).
        omega: share of what the first explains that the second explains too,
            1 - (R²(joint) - R²(second)) / R²(first), in [0, 1]; NaN where the first explains
            nothing.
    """

    joint: np.ndarray
    first: np.ndarray
    second: np.ndarray
    unique_first: np.ndarray
    unique_second: np.ndarray
    shared: np.ndarray
    omega: np.ndarray


def variance_partition(
    first: Features | Array,
    second: Features | Array,
    y: Array,
    splits: Splits,
    *,
    alphas: Sequence[float] = ALPHAS,
    standardise: bool = False,
) -> VariancePartition:
    """Unique and shared variance of two bands, from held-out squared errors pooled over splits.

    Source: spec ``language-pitfalls`` 6, requirement 3; de Heer et al. 2017.

    Args:
        first, second: (stimulus, feature).
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.
        alphas: penalties to choose from, for each target.
        standardise: z-score features by each training set, see `standardised`.
    """
    observed = as_numpy(responses(Features.of(first), y))
    fits = partition_fits(first, second, y, splits, alphas=alphas, standardise=standardise)
    return partition_of(*(pooled_r2(fit, observed, splits) for fit in fits))


def partition_fits(
    first: Features | Array,
    second: Features | Array,
    y: Array,
    splits: Splits,
    *,
    alphas: Sequence[float] = ALPHAS,
    standardise: bool = False,
) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """Held-out predictions by both bands, by the first alone and by the second alone.

    Arguments are those of `variance_partition`; predictions are (test row, target) of each split.
    """

    def fitted(bands: Sequence[Features], some: Splits) -> tuple[list[np.ndarray], np.ndarray]:
        if len(bands) == 2:
            return banded_ridge_cv(bands, y, some, alphas=alphas)
        return ridgecv_cv(bands[0], y, some, alphas=alphas, alpha_per="target")

    a, b = Features.of(first), Features.of(second)
    joint, alone_a, alone_b = (
        (each_split(bands, splits, fitted) if standardise else fitted(bands, splits))[0]
        for bands in ([a, b], [a], [b])
    )
    return joint, alone_a, alone_b


def partition_of(joint: np.ndarray, alone_a: np.ndarray, alone_b: np.ndarray) -> VariancePartition:
    """Parts from the shares that both bands, the first and the second explain, any shape."""
    with np.errstate(divide="ignore", invalid="ignore"):
        omega = np.clip(1 - (joint - alone_b) / alone_a, 0, 1)
    return VariancePartition(
        joint=joint,
        first=alone_a,
        second=alone_b,
        unique_first=joint - alone_b,
        unique_second=joint - alone_a,
        shared=alone_a + alone_b - joint,
        omega=np.where(alone_a > 0, omega, np.nan),
    )


def pooled_r2(predictions: Sequence[np.ndarray], y: np.ndarray, splits: Splits) -> np.ndarray:
    """1 - Σ (y - ŷ)² / Σ (y - ȳ_train)², summed over the test rows of all splits.

    Args:
        predictions: (test row, target) of each split.
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.

    Returns:
        (target); NaN where the responses do not vary.
    """
    left = total = np.zeros(y.shape[1])
    for predicted, (train, test) in zip(predictions, splits, strict=True):
        left = left + ((y[test] - predicted) ** 2).sum(axis=0)
        total = total + ((y[test] - y[train].mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, 1 - left / total, np.nan)


def _trials(
    bands: int, alphas: np.ndarray, candidates: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights γ of the bands with the penalties α tried on each; α_b = α / γ_b."""
    alone = [(np.eye(bands)[band], alphas) for band in range(bands)]
    if bands > 2:
        weights = np.random.default_rng(seed).dirichlet(np.ones(bands), candidates)
        return [*alone, *((row, alphas) for row in weights)]
    pairs: dict[float, list[float]] = {}
    for first in alphas.tolist():
        for second in alphas.tolist():
            pairs.setdefault(first / second, []).append(first)
    return [*alone, *((np.array([1.0, ratio]), np.array(a)) for ratio, a in pairs.items())]


class _Scaled:
    """Axes of training stimuli for any weights of the bands, from products computed once."""

    def __init__(self, parts: Sequence[Features], rows: Array, tested: Array) -> None:
        self.wide = sum(part.count for part in parts) >= len(rows)
        if self.wide:
            self.grams = [(part.gram[rows][:, rows], part.gram[tested][:, rows]) for part in parts]
            return
        blocks = [(part.centred(rows), part.centred(tested)) for part in parts]
        means = [train.mean(0) for train, _ in blocks]
        self.train, self.test = (
            _joined([block[i] - mean for block, mean in zip(blocks, means, strict=True)])
            for i in (0, 1)
        )
        self.covariance = self.train.T @ self.train
        self.bands = np.repeat(np.arange(len(parts)), [part.count for part in parts])

    def axes(self, weights: np.ndarray) -> Axes:
        """Of features scaled by the roots of `weights` (band)."""
        if self.wide:
            train, test = (
                sum(float(w) * pair[i] for w, pair in zip(weights, self.grams, strict=True))
                for i in (0, 1)
            )
            return axes_of_gram(train, test)
        scale = like(self.covariance, np.sqrt(weights[self.bands]))
        values, vectors = eigh(self.covariance * scale[:, None] * scale[None, :])
        kept = values > RANK * max(float(values[-1]), 0.0)
        rotation = scale[:, None] * vectors[:, kept]
        return Axes(self.train @ rotation, self.test @ rotation, values[kept])


def _joined(blocks: list[Array]) -> Array:
    if isinstance(blocks[0], np.ndarray):
        return np.concatenate(blocks, axis=1)
    import torch

    return torch.cat(blocks, dim=1)
