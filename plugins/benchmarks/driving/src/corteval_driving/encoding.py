"""Encoding model: ridge regression from features to responses, its penalty chosen in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from corteval.errors import OptionError, UndefinedScore

#: Half powers of ten from 10^-3 to 10^10: from no penalty to predicting the mean, for features of
#: unit variance.
ALPHAS: Final[tuple[float, ...]] = tuple(10.0 ** (step / 2) for step in range(-6, 21))

#: Variation below this share of the magnitude is rounding error, and so are eigenvalues.
_ROUNDING: Final = 1e-12


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Encoding:
    """A fitted encoding model.

        prediction = offset + Σ_f weights_f (x_f - mean_f) / scale_f

    Args:
        mean, scale: (feature) of the training stimuli.
        weights: (feature, target) of standardised features.
        offset: (target) mean training response.
        alphas: (target) penalties chosen.
    """

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    offset: np.ndarray
    alphas: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(row, target) predictions from (row, feature)."""
        slopes = self.weights / self.scale[:, None]
        return np.asarray(np.asarray(features, np.float64) @ slopes) + (
            self.offset - self.mean @ slopes
        )


def fit(
    features: np.ndarray,
    responses: np.ndarray,
    *,
    counts: np.ndarray | None = None,
    alphas: Sequence[float] = ALPHAS,
) -> Encoding:
    """Ridge regression with a penalty for each target, chosen by leaving one stimulus out.

        weights = argmin Σ_i c_i (y_i - ȳ - z_i'w)² + α |w|²,   z = (x - mean) / scale
        error of i = (y_i - ŷ_i) / (1 - c_i (1/Σc + Σ_k f_ik² / (λ_k + α)))

    mean, scale (population sd) and ȳ are of the training stimuli, each counted c_i times; λ_k are
    eigenvalues of Σ_i c_i z_i z_i' and f_i is z_i on its eigenvectors. α minimises Σ_i c_i error².
    A stimulus that is drawn twice is left out with its copy, which would give it away. With counts
    of 1 it is scikit-learn's ``RidgeCV(alpha_per_target=True)`` on standardised features. Source:
    spec ``language`` 5, ``metrics`` 2.2, ``language-pitfalls`` requirement 6.

    Args:
        features: (stimulus, feature).
        responses: (stimulus, target).
        counts: (stimulus) how often each counts, such as in a bootstrap draw; once if None.
        alphas: penalties to choose from.

    Raises:
        OptionError: if shapes or penalties do not fit.
        UndefinedScore: with fewer than three distinct stimuli, or if no feature varies.
    """
    grid = np.asarray(alphas, np.float64)
    if not len(grid) or not (np.isfinite(grid) & (grid > 0)).all():
        raise OptionError(f"Ridge penalties are positive and finite, not {list(alphas)}.")
    x, y, c = _drawn(features, responses, counts)
    total = c.sum()
    mean = c @ x / total
    centred = x - mean
    scale = np.sqrt(c @ centred**2 / total)
    flat = scale <= _ROUNDING * np.abs(x).max(axis=0)
    if flat.all():
        raise UndefinedScore("Every feature is constant over the training stimuli.")
    scale = np.where(flat, np.inf, scale)  # a constant feature predicts nothing
    root = np.sqrt(c)[:, None]
    offset = c @ y / total
    z, t = root * (centred / scale), root * (y - offset)
    values, axes, loadings = _principal(z, t)
    errors = np.empty((len(grid), y.shape[1]))
    for number, alpha in enumerate(grid):
        shrunk = 1 / (values + alpha)
        leverage = c / total + axes**2 @ shrunk
        residual = t - axes @ (shrunk[:, None] * loadings)
        # with full leverage a stimulus is fitted whatever its response: its error is unknown
        kept = np.where(leverage < 1 - _ROUNDING, 1 - leverage, np.inf)
        errors[number] = ((residual / kept[:, None]) ** 2).sum(axis=0)
    chosen = grid[np.argmin(errors, axis=0)]
    shares = loadings / (values[:, None] + chosen)
    # z' axes / values are the eigenvectors
    weights = z.T @ (axes @ (shares / values[:, None]))
    return Encoding(mean=mean, scale=scale, weights=weights, offset=offset, alphas=chosen)


def at_the_edge(chosen: np.ndarray, alphas: Sequence[float]) -> tuple[str, ...]:
    """A note if penalties would have gone on below the grid.

    The largest penalty leaves the mean response and nothing else: that is an answer.
    """
    low = float(np.mean(np.asarray(chosen) == min(alphas)))
    if len(alphas) < 2 or low < 0.1:
        return ()
    return (f"the penalty is the smallest of its grid, {min(alphas):g}, in {low:.0%} of fits",)


def _drawn(
    features: np.ndarray, responses: np.ndarray, counts: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stimuli that are counted at all, in 64 bits, and how often."""
    x, y = np.asarray(features, np.float64), np.asarray(responses, np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y):
        raise OptionError(f"Features of shape {x.shape} and responses of {y.shape} do not fit.")
    c = np.ones(len(x)) if counts is None else np.asarray(counts, np.float64)
    if c.shape != (len(x),) or (c < 0).any():
        raise OptionError(f"Counts of shape {c.shape} do not fit {len(x)} stimuli, or are below 0.")
    kept = c > 0
    if kept.sum() < 3:
        raise UndefinedScore(f"An encoding model needs three stimuli; there are {kept.sum()}.")
    return (x, y, c) if kept.all() else (x[kept], y[kept], c[kept])


def _principal(z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues, rows on the eigenvectors, and these times the targets.

    From the covariance of features or the Gram matrix of stimuli, whichever is smaller.
    """
    from scipy.linalg import eigh

    if z.shape[1] <= z.shape[0]:
        values, vectors = eigh(z.T @ z, check_finite=False, driver="evd")
        kept = values > _ROUNDING * values[-1]
        values, axes = values[kept], z @ vectors[:, kept]
    else:
        values, vectors = eigh(z @ z.T, check_finite=False, driver="evd")
        kept = values > _ROUNDING * values[-1]
        values = values[kept]
        axes = vectors[:, kept] * np.sqrt(values)
    return values, axes, axes.T @ t
