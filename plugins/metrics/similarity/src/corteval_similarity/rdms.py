"""Representational dissimilarity matrices (RDMs) of response patterns."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import squareform

from corteval.errors import UndefinedScore
from corteval_similarity.grams import ROUNDING, gram

#: With two units a correlation is 1 or -1 whatever the responses.
_FEWEST_UNITS = 3


def correlation_rdm(patterns: np.ndarray) -> np.ndarray:
    """One less the Pearson correlation over units, d_ij = 1 - r(x_i, x_j).

    Source: spec ``metrics`` 2.5.

    Args:
        patterns: (stimulus, unit).

    Returns:
        (pair), see `pairs`.

    Raises:
        UndefinedScore: with fewer than three units, or if a pattern is the same in all units.
    """
    stimuli, units = patterns.shape
    if units < _FEWEST_UNITS:
        raise UndefinedScore(
            f"There {'is 1 unit' if units == 1 else f'are {units} units'}; a correlation over "
            f"units takes at least {_FEWEST_UNITS}. Compare by another distance."
        )
    means = patterns.mean(axis=1, dtype=np.float64, keepdims=True)
    products = gram(patterns, means)
    lengths = np.sqrt(products.diagonal())
    flat = np.flatnonzero(lengths <= ROUNDING * np.sqrt(units) * np.abs(means[:, 0]))
    if len(flat):
        raise UndefinedScore(
            f"{len(flat)} of {stimuli} stimuli evoke the same response in all {units} units and "
            f"correlate with nothing; the first is number {flat[0] + 1}."
        )
    products /= lengths
    products /= lengths[:, None]
    distances: np.ndarray = squareform(products, checks=False)
    return np.subtract(1, distances, out=distances)


def euclidean_rdm(patterns: np.ndarray) -> np.ndarray:
    """Mean over units of the squared difference, d_ij = Σ_u (x_iu - x_ju)² / units.

    Args:
        patterns: (stimulus, unit).

    Returns:
        (pair), see `pairs`.
    """
    return np.maximum(distances_from_products(gram(patterns)), 0) / patterns.shape[1]


def distances_from_products(products: np.ndarray) -> np.ndarray:
    """d_ij = K_ii + K_jj - 2 K_ij, (pair)."""
    squares = products.diagonal().copy()
    products *= -2
    products += squares
    products += squares[:, None]
    distances: np.ndarray = squareform(products, checks=False)
    return distances
