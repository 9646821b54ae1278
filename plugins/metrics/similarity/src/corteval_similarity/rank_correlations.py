"""Rank correlations of dissimilarities, with the influence of each pair of stimuli."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import kendalltau

from corteval_similarity.ranks import Ranked, ties

#: Joint ranks are counted on a grid of at most so many steps a side, for intervals only.
_GRID = 512

#: Values that are put in order at a time.
_BLOCK = 2**18


def spearman(x: Ranked, y: Ranked) -> float:
    """Pearson correlation of ranks."""
    return float(_co_moment(x, y) / np.sqrt(_co_moment(x, x) * _co_moment(y, y)))


def spearman_influence(x: Ranked, y: Ranked, value: float) -> np.ndarray:
    """Influence of pairs up to a constant, (pair), with their effect on the ranks of all others.

    With F(X), G(Y) the ranks over the number of pairs, the influence of a pair with values
    (a, b) on E[F(X) G(Y)] is, up to a constant,

        F(a) G(b) + E[G(Y) (1{X > a} + 1{X = a} / 2)] + E[F(X) (1{Y > b} + 1{Y = b} / 2)]

    and that on var F is -t²/4, where t is the share of pairs that are tied with a.
    """
    change = x.ranks * y.ranks
    spreads = _co_moment(x, x), _co_moment(y, y)
    for this, other in ((x, y), (y, x)):
        _add_in_order(change, this, _sum_behind(this, other.ranks))
        if not this.tied:
            change += other.ranks / 2  # each is tied with itself
    change /= np.sqrt(spreads[0] * spreads[1])
    for this, spread in zip((x, y), spreads, strict=True):
        if this.tied:
            start, end = ties(_in_order(this, this.ranks))
            _add_in_order(change, this, value / 8 * (end - start) ** 2 / spread)
    change *= len(change)
    return change


def kendall(x: Ranked, y: Ranked) -> float:
    """Tau-a: the share of concordant less that of discordant pairs of values."""
    # tau-b divides by the values that are not tied, tau-a by all
    untied = np.prod([1 - _tied_share(side) for side in (x, y)])
    return float(kendalltau(x.ranks, y.ranks).statistic * np.sqrt(untied))


def kendall_influence(x: Ranked, y: Ranked, value: float) -> np.ndarray:
    """Influence of pairs up to a constant, (pair): 2 E[sign(a - X) sign(b - Y)].

    The expectation is taken over a grid of ranks, exact up to 512 distinct values.
    """
    del value
    columns = [_steps(side) for side in (x, y)]
    sizes = [int(column.max()) + 1 for column in columns]
    cells = columns[0] * sizes[1] + columns[1]
    expected = np.bincount(cells, minlength=sizes[0] * sizes[1]).reshape(sizes) / len(cells)
    for axis in (0, 1):
        below = np.cumsum(expected, axis=axis)
        expected = 2 * below - expected - below.take([-1], axis=axis)
    return np.asarray(2 * expected.ravel()[cells])


def _co_moment(x: Ranked, y: Ranked) -> float:
    """Σ (R - mean R) (S - mean S)."""
    count = len(x.ranks)
    return float(x.ranks @ y.ranks) - count * ((count + 1) / 2) ** 2


def _sum_behind(this: Ranked, values: np.ndarray) -> np.ndarray:
    """Σ of `values` where `this` ranks higher, and half where it ties; in its order.

    A constant is left out and, if there are no ties, half of the value itself.
    """
    upto = _in_order(this, values)
    np.cumsum(upto, out=upto)
    if not this.tied:
        return np.negative(upto, out=upto)
    upto = np.concatenate([[0.0], upto])
    start, end = ties(_in_order(this, this.ranks))
    return np.asarray(-(upto[start] + upto[end]) / 2)


def _in_order(side: Ranked, values: np.ndarray) -> np.ndarray:
    """`values` in the order of `side`."""
    ordered = np.empty_like(values)
    for part in _blocks(len(values)):
        ordered[part] = values[side.order[part]]
    return ordered


def _add_in_order(total: np.ndarray, side: Ranked, values: np.ndarray) -> None:
    """Add `values`, which are in the order of `side`, to `total`."""
    for part in _blocks(len(values)):
        total[side.order[part]] += values[part]


def _blocks(count: int) -> Iterator[slice]:
    """Short positions are widened wherever they index; in blocks this costs no memory."""
    return (slice(start, start + _BLOCK) for start in range(0, count, _BLOCK))


def _tied_share(side: Ranked) -> float:
    """Share of pairs of values that are equal."""
    if not side.tied:
        return 0.0
    start, end = ties(_in_order(side, side.ranks))
    return float((end - start - 1).sum() / (len(start) * (len(start) - 1)))


def _steps(side: Ranked) -> np.ndarray:
    """Place of each value on a scale of at most `_GRID` steps, equal values on one step."""
    if side.tied:
        place = np.empty(len(side.ranks), np.int64)
        ordered = _in_order(side, side.ranks)
        place[side.order] = np.cumsum(np.append(False, ordered[1:] != ordered[:-1]))
    else:
        place = side.ranks.astype(np.int64) - 1
    distinct = int(place.max()) + 1
    return place if distinct <= _GRID else place * _GRID // distinct
