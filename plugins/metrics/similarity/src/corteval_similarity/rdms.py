"""Representational dissimilarity matrices (RDMs) of response patterns."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import squareform

from corteval.errors import AssemblyError, UndefinedScore
from corteval_similarity.grams import ROUNDING, finite_patterns, gram, moderate

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
        AssemblyError: if they are no patterns, or not finite.
        UndefinedScore: with fewer than three units, or if a pattern is the same in all units.
    """
    patterns = finite_patterns(patterns)
    stimuli, units = patterns.shape
    if units < _FEWEST_UNITS:
        raise UndefinedScore(
            f"There {'is 1 unit' if units == 1 else f'are {units} units'}; a correlation over "
            f"units takes at least {_FEWEST_UNITS}. Use distance='euclidean' or the metric cka."
        )
    products, flat = _correlations(patterns)
    if flat.any():
        raise UndefinedScore(
            f"{int(flat.sum())} of {stimuli} stimuli evoke the same response in all {units} units "
            f"and correlate with nothing; the first is number {int(flat.argmax()) + 1}."
        )
    return _one_less(products)


def correlation_distances(patterns: np.ndarray) -> np.ndarray:
    """`correlation_rdm` of the pairs that have one, with any number of units.

    Args:
        patterns: (stimulus, unit).

    Returns:
        (pair), see `pairs`; NaN with a pattern that is the same in all units.
    """
    return _one_less(_correlations(patterns)[0])


def _correlations(patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlations (stimulus, stimulus), and which patterns have none, (stimulus)."""
    patterns = moderate(patterns, axis=1)
    means = patterns.mean(axis=1, dtype=np.float64, keepdims=True)
    products = gram(patterns, means)
    lengths = np.sqrt(products.diagonal())
    flat = lengths <= ROUNDING * np.sqrt(patterns.shape[1]) * np.abs(means[:, 0])
    lengths[flat] = np.nan
    products /= lengths
    products /= lengths[:, None]
    return products, flat


def _one_less(correlations: np.ndarray) -> np.ndarray:
    distances: np.ndarray = squareform(correlations, checks=False)
    return np.subtract(1, distances, out=distances)


def euclidean_rdm(patterns: np.ndarray) -> np.ndarray:
    """Mean over units of the squared difference, d_ij = Σ_u (x_iu - x_ju)² / units.

    Args:
        patterns: (stimulus, unit).

    Returns:
        (pair), see `pairs`.

    Raises:
        AssemblyError: if they are no patterns, not finite, or too large to be squared.
    """
    patterns = finite_patterns(patterns)
    with np.errstate(over="ignore", invalid="ignore"):
        distances = np.maximum(distances_from_products(gram(patterns)), 0) / patterns.shape[1]
    if not np.isfinite(distances).all():
        raise AssemblyError(
            f"Squares of responses overflow; the largest is {np.abs(patterns).max():.3g}. Divide "
            "them all by one number."
        )
    return distances


def distances_from_products(products: np.ndarray) -> np.ndarray:
    """d_ij = K_ii + K_jj - 2 K_ij, (pair)."""
    squares = products.diagonal().copy()
    products *= -2
    products += squares
    products += squares[:, None]
    distances: np.ndarray = squareform(products, checks=False)
    return distances
