"""Empirical influence of stimuli: how far a similarity moves with the weight of each.

Bootstrap replicates follow from it to first order. The pairs of a stimulus with itself, which a
resample would hold, have no part in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from corteval_similarity.pairs import row_sums


class Compared(NamedTuple):
    """A similarity, and the influence u_i of stimulus i on it: (stimulus), None if nobody asked.

    To first order, a sample that holds stimulus i c_i times has the value
    ``value + Σ_i (c_i - 1) u_i / n``.
    """

    value: float
    influence: np.ndarray | None


class Part(NamedTuple):
    """A statistic of the data, and the influence of each stimulus on it."""

    value: float
    influence: np.ndarray


def of_pairs(change: np.ndarray) -> np.ndarray:
    """Influence of stimuli from that of their pairs: twice the mean, u_i = 2 Σ_j φ_ij / (n - 1).

    Args:
        change: φ, (pair), up to a constant.
    """
    sums = row_sums(change)
    return np.asarray(2 * (sums - sums.mean()) / (len(sums) - 1))


def of_cosine(cross: Part, first: Part, second: Part) -> np.ndarray:
    """Influence on s_xy / sqrt(s_xx s_yy), from those on s_xy, s_xx and s_yy."""
    scale = np.sqrt(first.value * second.value)
    shrinkage = first.influence / first.value + second.influence / second.value
    return np.asarray((cross.influence - cross.value / 2 * shrinkage) / scale)
