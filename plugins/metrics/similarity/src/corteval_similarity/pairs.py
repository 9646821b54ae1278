"""Vectors over pairs of stimuli: the upper triangle of a symmetric matrix, row by row.

This is the order of ``scipy.spatial.distance.squareform``; the diagonal is zero.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import squareform

from corteval.errors import AssemblyError


def stimulus_count(pairs: np.ndarray) -> int:
    """Number n of stimuli of which there are n (n - 1) / 2 pairs.

    Raises:
        AssemblyError: if no number of stimuli has so many pairs.
    """
    count = (1 + math.isqrt(1 + 8 * len(pairs))) // 2
    if count * (count - 1) // 2 != len(pairs):
        raise AssemblyError(f"{len(pairs)} values are not the pairs of any number of stimuli.")
    return count


def times(pairs: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Product of the symmetric matrix with a vector, y_i = Σ_j D_ij v_j, without forming it.

    Args:
        pairs: D, (pair).
        vector: v, (stimulus).

    Returns:
        (stimulus).
    """
    count, start = len(vector), 0
    product = np.zeros(count)
    for row in range(count - 1):
        part = pairs[start : start + count - 1 - row]
        product[row] += part @ vector[row + 1 :]
        product[row + 1 :] += part * vector[row]
        start += len(part)
    return product


def row_sums(pairs: np.ndarray) -> np.ndarray:
    """Σ_j D_ij, (stimulus)."""
    return times(pairs, np.ones(stimulus_count(pairs)))


def among(pairs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The pairs among some stimuli, whose positions are `rows`, in their order."""
    return np.asarray(squareform(squareform(pairs)[np.ix_(rows, rows)], checks=False))
