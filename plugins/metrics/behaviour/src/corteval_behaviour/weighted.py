"""Sums, means and correlations under weights: one formula for a value and all its replicates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

#: Variation below this share of the magnitude is rounding error.
_ROUNDING = 1e-13


def tally(
    row: np.ndarray, group: np.ndarray, columns: np.ndarray, shape: tuple[int, int]
) -> sparse.csr_array:
    """Sums of several columns by row and group, ready to be weighted by row.

    Args:
        row, group: (trial) of each trial; a row is what is drawn, such as a stimulus.
        columns: (column, trial) what is summed.
        shape: number of rows and of groups.

    Returns:
        Sparse (row, column x group) for `totals`.
    """
    rows, count = shape
    places = np.arange(len(columns))[:, None] * count + group
    entries = (
        np.asarray(columns, np.float64).ravel(),
        (np.tile(row, len(columns)), places.ravel()),
    )
    return sparse.csr_array(entries, shape=(rows, len(columns) * count))


def totals(weights: np.ndarray, table: sparse.csr_array, columns: int) -> np.ndarray:
    """Weighted sums of a `tally`.

    Args:
        weights: (resample, row).
        table: of `tally`.
        columns: how many columns it sums.

    Returns:
        (column, resample, group).
    """
    sums: Any = table.T @ weights.T
    return np.asarray(np.moveaxis(sums.reshape(columns, -1, len(weights)), 2, 1))


def crossed_totals(
    stimulus: np.ndarray, subject: np.ndarray, group: np.ndarray, columns: np.ndarray, size: int
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Sums by group over trials that count as often as their stimulus and subject together.

        Σ_trials c_stimulus c_subject x

    Args:
        stimulus, subject, group: (trial) positions of each.
        columns: (column, trial) what is summed.
        size: number of groups.

    Returns:
        Function of counts of stimuli and of subjects, (resample, ...) each, one of which may have
        a single row for all resamples; it gives (column, resample, group).
    """
    stimuli, subjects = (int(a.max()) + 1 for a in (stimulus, subject))
    by_stimulus = tally(stimulus, group, columns, (stimuli, size))
    by_subject = tally(subject, group, columns, (subjects, size))
    crossed = tally(stimulus, subject * size + group, columns, (stimuli, subjects * size))
    count = len(columns)

    def sums(of_stimuli: np.ndarray, of_subjects: np.ndarray) -> np.ndarray:
        if len(of_subjects) == 1 and (of_subjects == 1).all():
            return totals(of_stimuli, by_stimulus, count)
        if len(of_stimuli) == 1 and (of_stimuli == 1).all():
            return totals(of_subjects, by_subject, count)
        parts = totals(of_stimuli, crossed, count).reshape(count, -1, subjects, size)
        return np.asarray((of_subjects[:, None, :] @ parts)[:, :, 0])

    return sums


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Share of a whole; NaN where there is no whole, as in draws that miss a group."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def weighted_mean(values: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
    """Mean over the last axis of what is not NaN; NaN where no weight is left."""
    weights = np.where(np.isnan(values), 0.0, weights)
    with np.errstate(invalid="ignore"):
        sums = (np.where(np.isnan(values), 0.0, values) * weights).sum(axis=-1)
        return np.asarray(sums / weights.sum(axis=-1))


def mean_over_pairs(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Mean over ordered pairs of two different subjects, and whatever else there is.

        Σ_{i≠j} c_i c_j v_ij / Σ_{i≠j} c_i c_j

    A subject that is drawn twice is not compared with itself.

    Args:
        values: (resample, ..., subject, subject); NaN is left out.
        counts: (resample, subject) how often each subject is drawn.

    Returns:
        (resample).
    """
    subjects = values.shape[-1]
    weights = counts[:, :, None] * counts[:, None, :] * (1 - np.eye(subjects))
    weights = weights.reshape(len(weights), *[1] * (values.ndim - 3), subjects, subjects)
    values, weights = np.broadcast_arrays(values, weights)
    return weighted_mean(values.reshape(len(values), -1), weights.reshape(len(weights), -1))


def weighted_correlation(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | float = 1.0
) -> np.ndarray:
    """Pearson correlation over the last axis; pairs with NaN are left out.

        r = Σ w (x-x̄)(y-ȳ) / sqrt(Σ w (x-x̄)² Σ w (y-ȳ)²), with weighted means

    Args:
        x, y: (..., n).
        weights: (..., n).

    Returns:
        (...); NaN where x or y is constant, or fewer than three pairs have weight.
    """
    weights = np.where(np.isnan(x) | np.isnan(y), 0.0, weights)
    x, y = np.where(weights > 0, x, 0.0), np.where(weights > 0, y, 0.0)
    total = weights.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        centred = [a - (weights * a).sum(axis=-1, keepdims=True) / total for a in (x, y)]
        variances = [(weights * c**2).sum(axis=-1) for c in centred]
        r = (weights * centred[0] * centred[1]).sum(axis=-1) / np.sqrt(variances[0] * variances[1])
    for values, variance in zip((x, y), variances, strict=True):
        floor = (_ROUNDING * np.abs(values).max(axis=-1, initial=0.0)) ** 2 * total[..., 0]
        r = np.where(variance <= floor, np.nan, r)
    r = np.where((weights > 0).sum(axis=-1) < 3, np.nan, r)
    return np.asarray(np.clip(r, -1.0, 1.0))
