"""Joint bootstrap over stimuli and neuroids or subjects.

Draws depend on ids and seed alone, not on the order of rows or on what is computed from them, so
a metric and a ceiling, or two models, that are given the same ids and seed resample together:
replicate ``b`` of both saw the same stimuli and the same neuroids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import GROUPS, Replicates

Ids = Sequence[str] | np.ndarray

#: From this many subjects on, subjects are drawn instead of neuroids (spec ``statistics`` S2).
FEWEST_SUBJECTS = 5

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


class Draws(NamedTuple):
    """How often each stimulus and each neuroid is drawn in one way of resampling.

    Args:
        scope: what is drawn, as `Replicates.scope` names it.
        sizes: how many there are of each.
        stimuli: (resample, stimulus) counts; None if stimuli stay as they are.
        neuroids: (resample, neuroid) counts; None if neuroids stay as they are. Drawing subjects
            draws all their neuroids.
        seed: of the draws.
        digest: of ids, seed and number of draws.
    """

    scope: str
    sizes: tuple[int, ...]
    stimuli: np.ndarray | None
    neuroids: np.ndarray | None
    seed: int = 0
    digest: str = ""

    @property
    def resamples(self) -> int:
        """Number of draws."""
        return len(_given(self.stimuli if self.neuroids is None else self.neuroids))


def draw(
    *,
    stimulus_ids: Ids | None = None,
    stimulus_groups: Ids | None = None,
    neuroid_ids: Ids | None = None,
    subjects: Ids | None = None,
    resamples: int,
    seed: int,
) -> list[Draws]:
    """Each factor drawn alone and, if there are two, both together.

    Stimuli count as independent unless their groups are given. Where sentences of a passage shared
    four fifths of what differs between sentences, intervals over single sentences covered 82 %
    (five a passage) and 66 % (ten) instead of 95, and the paired test erred in 18 and 29 % instead
    of 5; over passages it was 93 and 94, 7 and 6 % (``tests/test_calibration_intervals.py``).

    Args:
        stimulus_ids: draw stimuli.
        stimulus_groups: of each stimulus, such as its story: whole groups are drawn, three at
            least. Their number is the effective one, (Σ n_g)² / Σ n_g², with n_g stimuli in g.
        neuroid_ids: draw neuroids, unless stimuli are drawn and there is one neuroid only; or
        subjects: of each neuroid: from `FEWEST_SUBJECTS` on, draw subjects instead.
        resamples: number of draws; none at all gives no draws.
        seed: of the draws.
    """
    if resamples < 1:
        return []
    stimuli = units = None
    found = []
    if stimulus_ids is not None:
        way = _of_stimuli(stimulus_ids, stimulus_groups, resamples, seed)
        stimuli = way.stimuli
        found.append(way)
    if subjects is not None and len(set(subjects)) >= FEWEST_SUBJECTS:
        names, of_subject = np.unique(np.asarray(subjects, str), return_inverse=True)
        units = draw_counts(names, resamples, [seed, 2])[:, of_subject]
        about = _digest(names, resamples, seed)
        found.append(Draws("subjects", (len(names),), None, units, seed, about))
    elif neuroid_ids is not None and (len(neuroid_ids) > 1 or not found):
        units = draw_counts(neuroid_ids, resamples, [seed, 1])
        about = _digest(neuroid_ids, resamples, seed)
        found.append(Draws("neuroids", (len(neuroid_ids),), None, units, seed, about))
    if len(found) == 2:
        first, second = found
        scope, sizes = f"{first.scope}×{second.scope}", (*first.sizes, *second.sizes)
        both = f"{first.digest}×{second.digest}"
        found.append(Draws(scope, sizes, stimuli, units, seed, both))
    return found


def draw_counts(ids: Ids, resamples: int, seed: int | Sequence[int]) -> np.ndarray:
    """How often each of `ids` is drawn, with replacement.

    Returns:
        (resample, id) counts, int32; each row sums to the number of ids.
    """
    count = len(ids)
    chances, rank = np.full(count, 1 / count), _rank(ids)
    generator = np.random.default_rng(seed)
    counts = np.empty((resamples, count), np.int32)
    rows = max(1, _BUDGET // count)
    for start in range(0, resamples, rows):  # numbers of 8 bytes are never held for all
        block = counts[start : start + rows]
        block[:] = generator.multinomial(count, chances, size=len(block))[:, rank]
    return counts


def subjects_of(target: object) -> np.ndarray | None:
    """Subject of each neuroid: coordinate ``subject`` or ``animal`` along ``neuroid``, if any."""
    coords = getattr(target, "coords", {})
    for name in ("subject", "animal"):
        if name in coords and coords[name].dims == ("neuroid",):
            return np.asarray(coords[name].values).astype(str)
    return None


def correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Pearson correlation over rows, per column.

    r = Σ (x-x̄)(y-ȳ) / sqrt(Σ (x-x̄)² Σ (y-ȳ)²)

    Args:
        x, y: (row, neuroid).

    Returns:
        (neuroid); NaN where x or y is constant.
    """
    return _product(_standard(x), _standard(y))


def correlation_influence(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much each row moves the correlation of its column.

    u_i = z_x z_y - r (z_x² + z_y²) / 2

    with z standardised over rows: r changes by u_i / n per unit of weight of row i, to first order.

    Args:
        x, y: (row, neuroid).

    Returns:
        (row, neuroid).
    """
    return _influence(_standard(x), _standard(y))


def spearman_brown(r: np.ndarray) -> np.ndarray:
    """Reliability of the whole from the correlation of its halves: 2r / (1 + r); NaN at r = -1."""
    r = np.asarray(r, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(r > -1, 2 * r / (1 + r), np.nan)


def _product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Correlation of columns that are `_standard`."""
    return np.asarray(np.einsum("ij,ij->j", x, y).clip(-1, 1))


def _influence(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """As `correlation_influence`, of columns that are `_standard`."""
    root = np.sqrt(len(x))
    a, b = x * root, y * root
    product = a * b
    return np.asarray(product - product.mean(axis=0) * (a * a + b * b) / 2)


def _standard(values: np.ndarray) -> np.ndarray:
    """Columns centred and of unit length; NaN where they are constant."""
    values = np.asarray(values, np.float64)
    centred = values - values.mean(axis=0)
    squares = np.einsum("ij,ij->j", centred, centred)
    scale = np.abs(values).max(axis=0)
    # what is left of a constant is rounding error
    constant = squares <= len(values) * (_ROUNDING * scale) ** 2
    centred /= np.sqrt(np.where(constant, np.nan, squares))
    return np.asarray(centred)


def median_correlation_replicates(
    splits: Sequence[Held],
    draws: Sequence[Draws],
    *,
    transform: Callable[[np.ndarray], np.ndarray] = lambda r: r,
    groups: np.ndarray | None = None,
) -> tuple[Replicates, ...]:
    """Bootstrap of mean_split median_neuroid transform(r); fitted models are kept as they are.

    A draw of stimuli enters each r to first order, by `correlation_influence`. Recomputing r from
    the few distinct rows that a draw leaves of a small test set would overstate its variance by a
    third; intervals of this form cover as they should (``tests/test_calibration.py``).

    Args:
        splits: held-out predictions and observations.
        draws: from one call of `draw`, over the stimuli that `Held.rows` counts and the columns.
        transform: applied to correlations, e.g. Spearman-Brown.
        groups: of each neuroid, e.g. its subject: the statistic becomes the mean over groups of
            the median in each.
    """
    resamples = max((way.resamples for way in draws), default=0)
    stimuli = next((way.stimuli for way in draws if way.stimuli is not None), None)
    values = np.full((len(draws), len(splits), resamples), np.nan)
    step = max(1, _BUDGET // (splits[0].observed.shape[1] * 4))
    for number, split in enumerate(splits):
        x, y = _standard(split.predicted), _standard(split.observed)
        r = _product(x, y)
        fixed = transform(r)
        influence = None if stimuli is None else _influence(x, y)
        for start in range(0, resamples, step):
            part = slice(start, min(start + step, resamples))
            moved = fixed
            if stimuli is not None and influence is not None:
                # to first order: some may exceed 1
                weights = (stimuli[part][:, split.rows] - 1.0) / len(split.rows)
                moved = transform(r + weights @ influence)
            for row, way in zip(values[:, number], draws, strict=True):
                units = None if way.neuroids is None else way.neuroids[part]
                row[part] = central(fixed if way.stimuli is None else moved, units, groups)
    return tuple(
        replicates(way, mean(rows), median=groups is None)
        for way, rows in zip(draws, values, strict=True)
    )


def replicates(way: Draws, values: np.ndarray, *, median: bool = False) -> Replicates:
    """Record of `values` (resample), kept to seven digits; see `Replicates` for `median`."""
    rounded = tuple(float(f"{v:.7g}") for v in np.asarray(values, np.float64).tolist())
    return Replicates(
        scope=way.scope,
        sizes=way.sizes,
        values=rounded,
        median=median,
        seed=way.seed,
        draw=way.digest,
    )


def central(
    values: np.ndarray, counts: np.ndarray | None = None, groups: np.ndarray | None = None
) -> np.ndarray:
    """Median over the last axis, or the mean over `groups` of the median in each.

    Args:
        values: (..., neuroid); NaN is left out.
        counts: (..., neuroid) how often each neuroid is counted; once if None.
        groups: (neuroid).

    Returns:
        (...); NaN where nothing is left.
    """
    if groups is not None:
        names = np.unique(groups)
        columns = [np.flatnonzero(groups == name) for name in names]
        parts = [
            median(values[..., c], None if counts is None else counts[..., c]) for c in columns
        ]
        # a group that is drawn k times counts k times
        weight = 1.0 if counts is None else np.stack([counts[..., c[0]] for c in columns])
        return mean(np.stack(np.broadcast_arrays(*parts)), weight)
    return median(values, counts)


def median(values: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Median over the last axis of what is not NaN; NaN where nothing is left.

    Drawn values are interpolated: value k of the sorted ones, drawn c_k times, stands in the middle
    of its share of the draws, (c_1 + ... + c_k - c_k / 2) / Σ c, and the median is where the line
    through these points crosses one half. Drawn once each, that is the usual median. The usual
    median of a draw jumps from value to value; the variance over draws would be a fifth too large
    for a dozen neuroids.

    Args:
        values: (..., neuroid).
        counts: (..., neuroid) how often each value is drawn; once if None.
    """
    if counts is None:
        if not np.isnan(values).any():
            return np.asarray(np.median(values, axis=-1))
        counts = np.ones(values.shape, np.int64)
    missing = np.isnan(values)
    if missing.any():
        counts = np.where(missing, 0, counts)
    order = np.argsort(values, axis=-1)  # NaN sort last
    if order.ndim > 1:
        order, values, counts = np.broadcast_arrays(order, values, counts)
        counts = np.take_along_axis(counts, order, axis=-1)
    else:
        counts = counts[..., order]
        order, values = (np.broadcast_to(a, counts.shape) for a in (order, values))
    # twice the draws up to each value; of one that is not drawn, up to the last that is
    reached = np.cumsum(counts, axis=-1, dtype=np.result_type(counts, np.int32))
    total = reached[..., -1:].copy()
    reached *= 2

    def at(column: np.ndarray) -> list[np.ndarray]:
        """Twice the draws up to a value, those of itself, and the value."""
        found = [np.take_along_axis(a, column, axis=-1) for a in (reached, counts, order)]
        return [*found[:2], np.take_along_axis(values, found[2], axis=-1)]

    here = (reached < total).sum(axis=-1, keepdims=True)  # reaches one half, so it is drawn
    upto, own, value = at(here)
    place = upto - own - total  # twice; 0 at one half
    after = place < 0  # where the other point of the line is
    limit = np.where(after, upto + 1, upto - 2 * own)
    other = (reached < limit).sum(axis=-1, keepdims=True)
    # a value drawn more often than all others together reaches beyond one half on one side
    alone = (place == 0) | np.where(after, upto == 2 * total, upto == 2 * own)
    upto, own, other_value = at(np.where(alone, here, other))
    place_of_other = upto - own - total
    low, high = np.where(after, value, other_value), np.where(after, other_value, value)
    start, gap = np.where(after, place, place_of_other), np.abs(place_of_other - place)
    share = np.where(gap > 0, -start / np.where(gap > 0, gap, 1), 0.0).clip(0, 1)
    return np.asarray(np.where(total > 0, low + share * (high - low), np.nan)[..., 0])


def mean(values: np.ndarray, weights: np.ndarray | float = 1.0) -> np.ndarray:
    """Mean over the first axis of what is not NaN; NaN where nothing is left."""
    weights = np.where(np.isnan(values), 0, weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        total = weights.sum(axis=0)
        return np.asarray((np.where(np.isnan(values), 0, values) * weights).sum(axis=0) / total)


def require_stimuli(count: int, needed: int, what: str) -> None:
    """Refuse a comparison over too few stimuli.

    Raises:
        UndefinedScore
    """
    if count < needed:
        raise UndefinedScore(f"{what} needs at least {needed} stimuli; there are {count}.")


def _of_stimuli(ids: Ids, groups: Ids | None, resamples: int, seed: int) -> Draws:
    """Stimuli drawn, or whole groups of them."""
    if groups is None:
        counts = draw_counts(ids, resamples, [seed, 0])
        return Draws("stimuli", (len(ids),), counts, None, seed, _digest(ids, resamples, seed))
    named, of_stimulus, sizes = np.unique(
        np.asarray(groups, str), return_inverse=True, return_counts=True
    )
    if len(of_stimulus) != len(ids):
        raise OptionError(f"There are {len(ids)} stimuli and groups of {len(of_stimulus)}.")
    if len(named) < 3:
        raise UndefinedScore(
            f"The stimuli form {len(named)} groups: how groups differ takes three at least. Name "
            "finer ones, or draw single stimuli."
        )
    counts = draw_counts(named, resamples, [seed, 5])[:, of_stimulus]
    effective = max(2, round(len(ids) ** 2 / float((sizes.astype(np.float64) ** 2).sum())))
    members = [f"{group}/{name}" for group, name in zip(named[of_stimulus], ids, strict=True)]
    about = _digest(members, resamples, seed)
    return Draws(GROUPS, (effective,), counts, None, seed, about)


def _digest(ids: Ids, resamples: int, seed: int) -> str:
    content = json.dumps([sorted(np.asarray(ids, str).tolist()), resamples, seed])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _given(counts: np.ndarray | None) -> np.ndarray:
    if counts is None:
        raise TypeError("These draws have no counts.")
    return counts


def _rank(ids: Ids) -> np.ndarray:
    """Rank of each id in sorted order."""
    return np.argsort(np.argsort(np.asarray(ids, dtype=str), kind="stable"), kind="stable")
