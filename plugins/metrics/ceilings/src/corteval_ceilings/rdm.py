"""Dissimilarities of stimuli, comparisons between them, and their noise bounds over subjects."""

from __future__ import annotations

from typing import Literal

import numpy as np

Comparison = Literal["spearman", "pearson", "kendall", "cosine"]
Pooling = Literal["mean", "matched"]


def correlation_distances(patterns: np.ndarray) -> np.ndarray:
    """1 - Pearson correlation over neuroids between all pairs of stimuli.

    Args:
        patterns: (stimulus, neuroid).

    Returns:
        (pair), row by row of the upper triangle; NaN for pairs with a constant pattern.
    """
    x = np.asarray(patterns, np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    flat = norm <= 1e-13 * np.abs(patterns).max(axis=1, keepdims=True)  # rounding, not response
    with np.errstate(invalid="ignore", divide="ignore"):
        x = np.where(flat, np.nan, x / norm)
    return 1 - (x @ x.T)[np.triu_indices(len(x), 1)]


def compare(x: np.ndarray, y: np.ndarray, comparison: Comparison) -> np.ndarray:
    """Similarity of RDMs, row by row.

    ``kendall`` is tau-a: concordant minus discordant over all pairs, ties in neither.

    Args:
        x, y: (..., pair), of one shape.
        comparison: how.

    Returns:
        (...); NaN where an RDM is constant (zero, for ``cosine``).
    """
    if comparison == "kendall":
        rows = zip(x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1]), strict=True)
        return np.array([_tau_a(a, b) for a, b in rows]).reshape(x.shape[:-1])
    return np.asarray((_unit(x, comparison) * _unit(y, comparison)).sum(axis=-1))


def pools(rdms: np.ndarray, comparison: Comparison, pooling: Pooling) -> np.ndarray:
    """Pooled RDMs of all subjects but each, and of all.

    Args:
        rdms: (subject, pair).
        comparison: see `compare`.
        pooling: ``"mean"``: mean RDM, as the field computes it. ``"matched"``: mean of RDMs
            brought to one scale first, as rsatoolbox does: z-scores for ``pearson``, ranks for
            ``spearman`` and ``kendall``, unit mean square for ``cosine``.

    Returns:
        (2, subject, pair): without the subject, and, the same for every subject, with all.
    """
    if pooling == "matched":
        ranked = comparison in ("spearman", "kendall")
        rdms = _ranks(rdms) if ranked else _unit(rdms, comparison)
    others = [np.delete(rdms, subject, axis=0).mean(axis=0) for subject in range(len(rdms))]
    return np.stack([np.stack(others), np.broadcast_to(rdms.mean(axis=0), rdms.shape)])


def bounds(
    rdms: np.ndarray, *, comparison: Comparison = "spearman", pooling: Pooling = "mean"
) -> np.ndarray:
    """Similarity of each subject's RDM to the pool of the others, and to the pool of all.

    On average no model exceeds the second if the pool is what fits best under the comparison, and
    the true RDM reaches at least the first. Neither is Spearman-Brown corrected.

    Args:
        rdms: (subject, pair).
        comparison: see `compare`.
        pooling: see `pools`.

    Returns:
        (2, subject): lower, upper.
    """
    pooled = pools(rdms, comparison, pooling)
    return compare(pooled, np.broadcast_to(rdms, pooled.shape), comparison)


def influence(x: np.ndarray, y: np.ndarray, comparison: Comparison) -> np.ndarray:
    """Derivative of `compare` with respect to the weight of each pair of stimuli.

    With weights w a correlation has weighted means and squares; a rank is the weight of what lies
    below, plus half of what is equal, so ranks move too.

    Args:
        x, y: (pair).
        comparison: see `compare`.

    Returns:
        (pair), derivatives at equal weights; they sum to 0.
    """
    if comparison == "kendall":
        count = len(x)
        concordance = _concordance(x, y)
        return 2 * (concordance - concordance.mean()) / (count * (count - 1))
    a, b = _unit(x, comparison), _unit(y, comparison)
    r = (a * b).sum()
    direct = a * b - r * (a**2 + b**2) / 2
    if comparison != "spearman":
        return np.asarray(direct)
    return np.asarray(direct + _through_ranks(x, b - r * a) + _through_ranks(y, a - r * b))


def _unit(x: np.ndarray, comparison: Comparison) -> np.ndarray:
    """Rows whose inner products are the similarity."""
    x = _ranks(x) if comparison == "spearman" else np.asarray(x, np.float64)
    largest = np.abs(x).max(axis=-1, keepdims=True)
    if comparison != "cosine":
        x = x - x.mean(axis=-1, keepdims=True)
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(norm <= 1e-13 * largest, np.nan, x / norm)


def _ranks(x: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(x, axis=-1))


def _through_ranks(x: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """What the weight of each pair does by way of the ranks of the others."""
    _, place = np.unique(x, return_inverse=True)
    ranks = _ranks(x)
    per_value = np.bincount(place, gradient)
    above = per_value.sum() - np.cumsum(per_value) + per_value / 2
    return np.asarray(above[place] / np.linalg.norm(ranks - ranks.mean()))


def _tau_a(x: np.ndarray, y: np.ndarray) -> float:
    from scipy.stats import kendalltau

    pairs = len(x) * (len(x) - 1) / 2
    untied = [pairs - sum(n * (n - 1) / 2 for n in _ties(v)) for v in (x, y)]
    return float(kendalltau(x, y).statistic * np.sqrt(untied[0]) * np.sqrt(untied[1]) / pairs)


def _ties(x: np.ndarray) -> np.ndarray:
    counts = np.unique(x, return_counts=True)[1]
    return np.asarray(counts[counts > 1])


def _concordance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each element, how many others it is concordant with, less the discordant ones."""
    same = _below(x, y) + _below(-x, -y)
    return same - _below(x, -y) - _below(-x, y)


def _below(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """For each element, how many others are smaller in both x and y: merging from below."""
    place = np.unique(y, return_inverse=True)[1]
    # of equal x the larger y comes first, so that no equal x counts as smaller
    order = np.lexsort((-place, x))
    place, position = place[order], np.arange(len(x))
    found = np.zeros(len(x), np.int64)
    width = 1
    while width < len(x):
        block, left = position // (2 * width), position // width % 2 == 0
        # of equal y the right one comes first, so that no equal y counts as smaller
        merged = np.lexsort((left, place, block))
        lower = np.cumsum(left[merged]) - block[merged] * width
        found[merged] += np.where(left[merged], 0, lower)
        width *= 2
    below = np.empty_like(found)
    below[order] = found
    return below
