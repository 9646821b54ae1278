"""Average ranks of long vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Values are first sorted by their place on a scale of so many steps.
_STEPS = 2**32 - 1


class Ranked(NamedTuple):
    """Ranks of values.

    Args:
        ranks: 1 to the number of values; the mean of their ranks for values that are equal.
        order: positions of the values from smallest to largest.
        tied: whether any values are equal.
    """

    ranks: np.ndarray
    order: np.ndarray
    tied: bool


class Ties(NamedTuple):
    """For each place in sorted order, where the run of equal values starts and where it ended."""

    start: np.ndarray
    end: np.ndarray


def rank_in_place(values: np.ndarray) -> Ranked:
    """Rank finite float64 `values`, and write the ranks over them.

    The same as ``scipy.stats.rankdata``, three times as fast: integers that hold a value's place
    on a scale of 2^32 steps and its position are sorted in place; the few values that share a
    step are then sorted among themselves.
    """
    low, high = values.min(), values.max()
    packed = _places(values, low, high)
    packed <<= np.uint64(32)
    packed |= np.arange(len(values), dtype=np.uint64)
    packed.sort()
    order = packed.astype(np.uint32)  # keeps the lower half: the position
    packed >>= np.uint64(32)
    crowded = _crowded(packed)
    del packed
    ranks = np.arange(1.0, len(values) + 1)
    tied = False
    if len(crowded):
        members = order[crowded]
        among = values[members]
        sequence = np.argsort(among, kind="stable")
        order[crowded] = members[sequence]
        start, end = ties(among[sequence])
        tied = bool((end - start > 1).any())
        # equal values are neighbours, so the mean of their places is that of first and last
        ranks[crowded] = (crowded[start] + crowded[end - 1]) / 2 + 1
    values[order] = ranks
    return Ranked(values, order, tied)


def ties(ordered: np.ndarray) -> Ties:
    """Runs of equal values in sorted values."""
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    edges = np.append(starts, len(ordered))
    lengths = np.diff(edges)
    return Ties(np.repeat(edges[:-1], lengths), np.repeat(edges[1:], lengths))


def _places(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Whole steps from `low`, on a scale that has `_STEPS` of them up to `high`."""
    with np.errstate(over="ignore", divide="ignore"):
        scale = _STEPS / (high - low)
    if not 0 < scale < np.inf:  # no range, or one that over- or underflows
        return np.zeros(len(values), np.uint64)
    scaled = values - low
    scaled *= scale
    return scaled.astype(np.uint64)


def _crowded(steps: np.ndarray) -> np.ndarray:
    """Places in sorted order whose step is shared with a neighbour."""
    shared = steps[1:] == steps[:-1]
    crowded = np.zeros(len(steps), bool)
    crowded[1:] = shared
    crowded[:-1] |= shared
    return np.flatnonzero(crowded)
