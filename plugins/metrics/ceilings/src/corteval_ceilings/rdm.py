"""Noise bounds over subjects of comparisons between RDMs."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.stats import rankdata

from corteval_similarity import compare_rows as compare
from corteval_similarity import correlation_distances

__all__ = ["Comparison", "Pooling", "bounds", "compare", "correlation_distances", "pools"]

Comparison = Literal["spearman", "pearson", "kendall", "cosine"]
Pooling = Literal["mean", "matched"]


def pools(rdms: np.ndarray, comparison: Comparison, pooling: Pooling) -> np.ndarray:
    """Pooled RDMs of all subjects but each, and of all.

    Args:
        rdms: (subject, pair).
        comparison: see `corteval_similarity.compare_rdms`.
        pooling: ``"mean"``: mean RDM, as the field computes it. ``"matched"``: mean of RDMs
            brought to one scale first, as rsatoolbox does: z-scores for ``pearson``, ranks for
            ``spearman`` and ``kendall``, unit mean square for ``cosine``.

    Returns:
        (2, subject, pair): without the subject, and, the same for every subject, with all.
    """
    if pooling == "matched":
        rdms = _to_scale(rdms, comparison)
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
        comparison: see `corteval_similarity.compare_rdms`.
        pooling: see `pools`.

    Returns:
        (2, subject): lower, upper.
    """
    pooled = pools(rdms, comparison, pooling)
    return compare(pooled, rdms, comparison)


def _to_scale(rdms: np.ndarray, comparison: Comparison) -> np.ndarray:
    """RDMs on the scale on which they are compared; NaN where one has none."""
    if comparison in ("spearman", "kendall"):
        return np.asarray(rankdata(rdms, axis=-1))
    if comparison == "pearson":
        rdms = rdms - rdms.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.asarray(rdms / np.linalg.norm(rdms, axis=-1, keepdims=True))
