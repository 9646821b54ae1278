"""Spearman correlation of many resamples at once."""

from __future__ import annotations

import numpy as np


def spearman(x: np.ndarray, y: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Spearman correlation, where row i stands for ``counts[i]`` equal rows.

    Args:
        x, y: (row).
        counts: (resample, row); once each if None.

    Returns:
        (resample), or a scalar without counts; NaN where fewer than two values differ.
    """
    weights = np.ones((1, len(x))) if counts is None else np.asarray(counts, np.float64)
    total = weights.sum(axis=1, keepdims=True)
    a, b = (_midranks(np.asarray(values), weights) for values in (x, y))
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = (ranks - (weights * ranks).sum(axis=1, keepdims=True) / total for ranks in (a, b))
        squares = [(weights * ranks**2).sum(axis=1) for ranks in (a, b)]
        rho = (weights * a * b).sum(axis=1) / np.sqrt(squares[0] * squares[1])
    rho = np.clip(rho, -1, 1)
    return np.asarray(rho[0] if counts is None else rho)


def _midranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(resample, row) ranks from 1, ties sharing their mean."""
    distinct, group = np.unique(values, return_inverse=True)
    together = counts @ (group[:, None] == np.arange(len(distinct)))
    return np.asarray((together.cumsum(axis=1) - (together - 1) / 2)[:, group])
