"""Joint bootstrap over stimuli and neuroids.

Draws depend on ids and seed alone, not on the order of rows or on what is computed from them, so
a metric and a ceiling that are given the same ids and seed resample together: replicate ``b`` of
both saw the same stimuli and the same neuroids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from corteval.errors import UndefinedScore

Ids = Sequence[str] | np.ndarray

#: Elements of the largest temporary array (8 bytes each).
_BUDGET = 20_000_000

#: Variation below this share of the magnitude is rounding error, not response.
_ROUNDING = 1e-13


class Held(NamedTuple):
    """What one split holds out.

    Args:
        predicted, observed: (row, neuroid).
        rows: positions of the rows among all stimuli.
    """

    predicted: np.ndarray
    observed: np.ndarray
    rows: np.ndarray


def draw_stimuli(stimulus_ids: Ids, resamples: int, seed: int) -> np.ndarray:
    """How often each stimulus is drawn, with replacement.

    Returns:
        (resample, stimulus) counts; each row sums to the number of stimuli.
    """
    count = len(stimulus_ids)
    generator = np.random.default_rng([seed, 0])
    chances = np.full(count, 1 / count)
    counts = generator.multinomial(count, chances, size=resamples)
    return counts[:, _rank(stimulus_ids)].astype(np.float64)


def draw_neuroids(neuroid_ids: Ids, resamples: int, seed: int) -> np.ndarray:
    """Positions of the neuroids drawn, with replacement.

    Returns:
        (resample, draw) positions in `neuroid_ids`.
    """
    count = len(neuroid_ids)
    generator = np.random.default_rng([seed, 1])
    by_rank = np.argsort(_rank(neuroid_ids))
    return by_rank[generator.integers(count, size=(resamples, count))]


def correlation(x: np.ndarray, y: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Pearson correlation over rows, per column.

    r = Σ w (x-x̄)(y-ȳ) / sqrt(Σ w (x-x̄)² Σ w (y-ȳ)²), with weighted means.

    Args:
        x, y: (row, neuroid).
        weights: (resample, row); one resample of equal weights if None.

    Returns:
        (resample, neuroid), or (neuroid) without weights; NaN where x or y is constant.
    """
    x, y = (np.asarray(a, np.float64) for a in (x, y))
    scales = [np.abs(a).max(axis=0) for a in (x, y)]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)  # keeps the moments below well conditioned
    w = np.ones((1, len(x))) if weights is None else weights
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample may draw no row at all
        w = w / w.sum(axis=1, keepdims=True)
        mx, my = w @ x, w @ y
        squares = w @ x**2, w @ y**2
        vx, vy = squares[0] - mx**2, squares[1] - my**2
        r = np.clip((w @ (x * y) - mx * my) / np.sqrt(vx * vy), -1, 1)
        for variance, square, scale in zip((vx, vy), squares, scales, strict=True):
            # what is left of a constant is rounding error
            constant = variance <= np.maximum(_ROUNDING * square, (_ROUNDING * scale) ** 2)
            r = np.where(constant, np.nan, r)
    return np.asarray(r[0] if weights is None else r)


def median_correlation_replicates(
    splits: Sequence[Held],
    stimulus_ids: Ids,
    neuroid_ids: Ids,
    *,
    resamples: int,
    seed: int,
    transform: Callable[[np.ndarray], np.ndarray] = lambda r: r,
) -> tuple[float, ...]:
    """Bootstrap of mean_split median_neuroid transform(r).

    Stimuli and neuroids are drawn with replacement; fitted models are kept as they are.

    Args:
        splits: held-out predictions and observations.
        stimulus_ids: of all stimuli, in the order `Held.rows` counts.
        neuroid_ids: of the columns.
        resamples: number of replicates.
        seed: see the module.
        transform: applied to correlations, e.g. Spearman-Brown.
    """
    stimuli = draw_stimuli(stimulus_ids, resamples, seed)
    neuroids = draw_neuroids(neuroid_ids, resamples, seed)
    step = max(1, _BUDGET // (len(neuroid_ids) * 4))
    replicates = np.full((len(splits), resamples), np.nan)
    for start in range(0, resamples, step):
        part = slice(start, start + step)
        for row, split in zip(replicates, splits, strict=True):
            r = transform(
                correlation(split.predicted, split.observed, stimuli[part][:, split.rows])
            )
            row[part] = median(np.take_along_axis(r, neuroids[part], axis=1))
    return tuple(_mean(replicates).tolist())


def median(values: np.ndarray) -> np.ndarray:
    """Median over the last axis of what is not NaN; NaN where nothing is left."""
    if not np.isnan(values).any():
        return np.asarray(np.median(values, axis=-1))
    kept = np.sort(values, axis=-1)  # NaN sort last
    count = np.sum(~np.isnan(values), axis=-1)
    low, high = (np.maximum(count - 1, 0) // 2, np.maximum(count, 1) // 2)
    ends = [np.take_along_axis(kept, i[..., None], axis=-1)[..., 0] for i in (low, high)]
    return np.asarray((ends[0] + ends[1]) / 2)


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not NaN: a resample may miss all rows of a split."""
    present = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(present, values, 0).sum(axis=0) / present.sum(axis=0))


def require_stimuli(count: int, needed: int, what: str) -> None:
    """Refuse a comparison over too few stimuli.

    Raises:
        UndefinedScore
    """
    if count < needed:
        raise UndefinedScore(f"{what} needs at least {needed} stimuli; there are {count}.")


def _rank(ids: Ids) -> np.ndarray:
    """Rank of each id in sorted order."""
    return np.argsort(np.argsort(np.asarray(ids, dtype=str), kind="stable"), kind="stable")
