"""Growth of a score with the number of subjects, extrapolated to infinitely many.

The curve is v(x) = v0 (1 - exp(-x / tau)) with 0 <= v0 <= 1 and tau > 0. For a given tau the best
v0 has a closed form, so that a fit is a search over tau alone (variable projection), done for all
neuroids and bootstraps at once. Source: spec ``metrics``, Language 2.5, steps 4 and 5.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

#: Fits that are worked on together.
_BLOCK = 10000

#: Neuroids whose curves are followed together.
_NEUROIDS = 2_000

#: Points of the first search, even in log(1 / tau).
_GRID = 80

#: To this log(1 / tau) is known after refinement.
_CLOSE = 1e-9

#: The curve ends where one more subject adds less than this; it is looked at up to this many.
_INCREMENT = 5e-4
_FARTHEST = 1000


class Saturation(NamedTuple):
    """Asymptote v0 and scale tau of fitted curves, of the shape of the fits; NaN without fit."""

    v0: np.ndarray
    tau: np.ndarray


class Extrapolation(NamedTuple):
    """Ceiling of each neuroid, all (neuroid).

    Args:
        ceiling: median of v0 over bootstraps.
        tau: median of tau over bootstraps.
        endpoint: first number of subjects at which one more adds less than 5e-4 to the median
            curve.
        low, high: distance from the ceiling of the 2.5th and 97.5th percentile of the curves there.
        failed: how many bootstraps have no fit.
    """

    ceiling: np.ndarray
    tau: np.ndarray
    endpoint: np.ndarray
    low: np.ndarray
    high: np.ndarray
    failed: np.ndarray


def fit_saturation(x: np.ndarray, y: np.ndarray) -> Saturation:
    """Least-squares fits of v0 (1 - exp(-x / tau)), 0 <= v0 <= 1, tau > 0.

    The squared error over tau, v0 being the best for each tau, may have two minima where scores
    are noisy; a log grid finds the lower one, which is refined to rounding error. Published fits
    (``scipy.optimize.curve_fit`` from v0 = 0.5, tau = 1) stop within about 1e-6 of it, or at times
    in the other one. Where scores do not rise above 0 the best curve is v0 = 0.

    Args:
        x: (point) numbers of subjects, positive.
        y: (..., point) scores; NaN is left out, and under two of them there is no fit.

    Returns:
        v0 and tau, (...).
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    flat = y.reshape(-1, len(x)).T
    v0, tau = np.empty(flat.shape[1]), np.empty(flat.shape[1])
    for start in range(0, flat.shape[1], _BLOCK):
        part = slice(start, start + _BLOCK)
        v0[part], tau[part] = _fit(x, flat[:, part])
    return Saturation(v0.reshape(y.shape[:-1]), tau.reshape(y.shape[:-1]))


def fit_as_published(x: np.ndarray, y: np.ndarray) -> Saturation:
    """The same by ``scipy.optimize.curve_fit``, one by one, from v0 = 0.5 and tau = 1.

    For published numbers only: it takes milliseconds a fit, and now and then stops on the plateau
    where tau is near 0 and the curve is the mean score. tau may be negative.

    Args:
        x: (point) numbers of subjects.
        y: (..., point) scores; NaN is left out.

    Returns:
        v0 and tau, (...); NaN where the search gives up.
    """
    from scipy.optimize import OptimizeWarning, curve_fit

    def curve(subjects: np.ndarray, v0: float, tau: float) -> np.ndarray:
        return v0 * (1 - np.exp(-subjects / tau))

    flat = y.reshape(-1, len(x))
    found = np.full((2, len(flat)), np.nan)
    bounds = ([0, -np.inf], [1, np.inf])
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", OptimizeWarning)
        for row, scores in enumerate(flat):
            present = ~np.isnan(scores)
            with contextlib.suppress(RuntimeError, ValueError):
                found[:, row] = curve_fit(
                    curve, x[present], scores[present], p0=(0.5, 1.0), bounds=bounds
                )[0]
    v0, tau = found.reshape(2, *y.shape[:-1])
    return Saturation(v0, tau)


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `fit_saturation`, with y (point, fit)."""
    present = ~np.isnan(y)
    y, weight = np.where(present, y, 0), present.astype(np.float64)
    grid = np.linspace(np.log(1e-6 / x.max()), np.log(40 / x.min()), _GRID)
    curves = -np.expm1(-np.exp(grid)[:, None] * x)
    both, squares = curves @ y, curves**2 @ weight
    v = np.clip(both / np.maximum(squares, np.finfo(float).tiny), 0, 1)
    best = np.argmin(v * (v * squares - 2 * both), axis=0)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    rate = np.exp(_lowest(x, y, weight, low, high, grid[best]))
    v0, _ = _project(x, y, weight, rate)
    fitted = present.sum(axis=0) >= 2
    return np.where(fitted, v0, np.nan), np.where(fitted, 1 / rate, np.nan)


def _project(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, rate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Best v0 at rate 1 / tau, and the slope of half the squared error in log rate, over v0."""
    scaled = x[:, None] * rate
    decay = np.exp(-scaled) * weight
    curve = weight - decay
    with np.errstate(invalid="ignore"):  # no point at all
        v0 = np.clip((y * curve).sum(axis=0) / (curve * curve).sum(axis=0), 0, 1)
    return v0, -((y - v0 * curve) * scaled * decay).sum(axis=0)


def _lowest(
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    otherwise: np.ndarray,
) -> np.ndarray:
    """Log rate between `low` and `high` where the slope is 0; `otherwise` if it keeps its sign.

    Chandrupatla's method: inverse quadratic interpolation where the last three points allow it,
    else halving, so that the kink of the slope where v0 reaches 1 does no harm. Source:
    Chandrupatla 1997, Advances in Engineering Software 28.
    """
    found = otherwise.copy()
    slopes = [_project(x, y, weight, np.exp(at))[1] for at in (low, high)]
    left = np.flatnonzero((slopes[0] < 0) & (slopes[1] > 0))
    # points a and b enclose the root, a is the newer; c is the one before
    y, weight, a, b, fa, fb = (part[..., left] for part in (y, weight, low, high, *slopes))
    share = np.full(len(left), 0.5)
    while len(left):
        new = a + share * (b - a)
        slope = _project(x, y, weight, np.exp(new))[1]
        same = (slope < 0) == (fa < 0)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = new, slope
        nearest = np.abs(fa) < np.abs(fb)
        found[left] = np.where(nearest, a, b)
        with np.errstate(invalid="ignore", divide="ignore"):
            least = _CLOSE / np.abs(b - a)
            place, level = (a - b) / (c - b), (fa - fb) / (fc - fb)
            fits = (level**2 < place) & ((1 - level) ** 2 < 1 - place)
            quadratic = fa / (fb - fa) * fc / (fb - fc)
            quadratic += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        share = np.clip(np.where(fits, quadratic, 0.5), least, 1 - least)
        going = np.flatnonzero((least < 0.5) & (np.where(nearest, fa, fb) != 0))
        y, weight, a, b, fa, fb, share = (
            part[..., going] for part in (y, weight, a, b, fa, fb, share)
        )
        left = left[going]
    return found


def extrapolate(
    x: np.ndarray, scores: np.ndarray, fit: Callable[..., Saturation] = fit_saturation
) -> Extrapolation:
    """Ceilings from bootstrapped scores at several numbers of subjects.

    Bootstraps without fit are left out of medians and percentiles, and counted; published code
    gives such a neuroid no ceiling.

    Args:
        x: (point) numbers of subjects.
        scores: (point, bootstrap, neuroid); NaN where there is none.
        fit: `fit_saturation` or `fit_as_published`.
    """
    found = fit(x, np.moveaxis(scores, 0, -1))
    v0, rate = found.v0, 1 / found.tau
    failed = np.isnan(v0).sum(axis=0)
    ceiling, low, high = (np.full(v0.shape[1], np.nan) for _ in range(3))
    endpoint, tau = np.full(v0.shape[1], np.nan), np.full(v0.shape[1], np.nan)
    fitted = failed < len(v0)
    ceiling[fitted], tau[fitted] = (np.nanmedian(a[:, fitted], axis=0) for a in found)
    for start in range(0, v0.shape[1], _NEUROIDS):
        left = start + np.flatnonzero(fitted[start : start + _NEUROIDS])
        decay = np.exp(-rate[:, left])
        curve, median = np.zeros_like(decay), np.zeros(len(left))
        for subjects in range(_FARTHEST - 1):
            if not len(left):
                break
            following = v0[:, left] - (v0[:, left] - curve) * decay
            rise = _median(following) - median
            ends = rise < _INCREMENT
            if ends.any():
                endpoint[left[ends]] = subjects
                bounds = np.nanpercentile(curve[:, ends], [2.5, 97.5], axis=0)
                low[left[ends]] = ceiling[left[ends]] - bounds[0]
                high[left[ends]] = bounds[1] - ceiling[left[ends]]
            median, left = (median + rise)[~ends], left[~ends]
            curve, decay = following[:, ~ends], decay[:, ~ends]
    return Extrapolation(ceiling, tau, endpoint, low, high, failed)


def _median(values: np.ndarray) -> np.ndarray:
    """Median over the first axis without NaN, by the fast way if there is none."""
    quick = np.median(values, axis=0)
    return np.asarray(np.nanmedian(values, axis=0) if np.isnan(quick).any() else quick)


def slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Derivative of the fitted v0 with respect to each score, by Gauss and Newton.

    Args:
        x: (point) numbers of subjects.
        y: (..., point) scores; NaN is left out.

    Returns:
        (..., point); 0 where v0 is at a bound or there is no fit.
    """
    v0, tau = (part[..., None] for part in fit_saturation(x, y))
    with np.errstate(invalid="ignore", divide="ignore"):
        decay = np.where(np.isnan(y), np.nan, np.exp(-x / tau))
        by_v0, by_rate = 1 - decay, decay * x / tau
        a, b, c = (
            np.nansum(one * other, axis=-1, keepdims=True)
            for one, other in ((by_v0, by_v0), (by_v0, by_rate), (by_rate, by_rate))
        )
        both = (c * by_v0 - b * by_rate) / (a * c - b**2)
        found = np.where(c > 1e-12 * a, both, by_v0 / a)  # a saturated curve has no rate
    inside = (v0 > 0) & (v0 < 1) & np.isfinite(found)
    return np.where(inside, found, 0)
