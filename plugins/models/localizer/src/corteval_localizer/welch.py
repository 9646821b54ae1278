"""Welch's t of every unit from moments that accumulate while responses stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
from scipy.special import stdtr

from corteval_localizer.localizer import Alternative

#: A spread below this share of the magnitude is rounding, not response.
_ROUNDING = 1e-12


@final
class Moments(NamedTuple):
    """Count, mean and sum of squared deviations of units.

    Args:
        size: number of stimuli.
        mean, squares: (unit).
    """

    size: int
    mean: np.ndarray
    squares: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Unbiased variance (unit); 0 where it is no more than rounding."""
        found = self.squares / (self.size - 1)
        return np.where(found <= (_ROUNDING * np.abs(self.mean)) ** 2, 0.0, found)


def moments_of(values: np.ndarray) -> Moments:
    """Moments of (stimulus, unit) values, in double precision."""
    values = np.asarray(values, np.float64)
    if not len(values):
        return Moments(0, np.zeros(values.shape[1]), np.zeros(values.shape[1]))
    mean = values.mean(axis=0)
    deviations = values - mean
    return Moments(len(values), mean, np.einsum("ij,ij->j", deviations, deviations))


def merged(parts: Sequence[Moments]) -> Moments:
    """Moments of all stimuli of `parts` together.

    With δ the difference of the means of two parts of n and m stimuli,

        mean = mean_n + δ m / (n + m),    squares = squares_n + squares_m + δ² n m / (n + m)

    Source: Chan, Golub & LeVeque 1983.
    """
    whole = parts[0]
    for part in parts[1:]:
        if not part.size:
            continue
        size = whole.size + part.size
        delta = part.mean - whole.mean
        whole = Moments(
            size,
            whole.mean + delta * (part.size / size),
            whole.squares + part.squares + delta**2 * (whole.size * part.size / size),
        )
    return whole


class Tested(NamedTuple):
    """Statistics of units (unit); NaN where a unit responds to everything alike."""

    t: np.ndarray
    p: np.ndarray


def welch(positive: Moments, negative: Moments, alternative: Alternative) -> Tested:
    """Welch's t-test of every unit.

        t = (m₁ - m₂) / √(s₁²/n₁ + s₂²/n₂)
        df = (s₁²/n₁ + s₂²/n₂)² / ((s₁²/n₁)²/(n₁-1) + (s₂²/n₂)²/(n₂-1))

    as ``scipy.stats.ttest_ind(equal_var=False)``. Where both variances are 0, t is infinite if the
    means differ and NaN if they do not.

    Args:
        positive, negative: of two stimuli or more each.
        alternative: ``"two-sided"``, or ``"greater"`` for the positive mean being larger.
    """
    a, b = positive.variance / positive.size, negative.variance / negative.size
    difference = positive.mean - negative.mean
    scale = np.maximum(np.abs(positive.mean), np.abs(negative.mean))
    difference = np.where(np.abs(difference) <= _ROUNDING * scale, 0.0, difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / np.sqrt(a + b)
        freedom = (a + b) ** 2 / (a**2 / (positive.size - 1) + b**2 / (negative.size - 1))
        p = stdtr(freedom, -t) if alternative == "greater" else 2 * stdtr(freedom, -np.abs(t))
    certain = np.isinf(t)
    p = np.where(certain, np.where((alternative == "greater") & (t < 0), 1.0, 0.0), p)
    return Tested(t, np.asarray(p))
