"""What an assembly is like, neuroid by neuroid, read once in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import pandas as pd
import xarray as xr

#: Bytes of responses, as float64, that are looked at together.
BLOCK_BYTES = 16 << 20
#: More blocks than this would read a file that is mapped over and over.
_BLOCKS = 128
SPLITS = 10


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """Facts about a neural assembly.

    Args:
        neuroids: by neuroid_id: trials (mean over stimuli), reliability, spread (standard
            deviation over stimuli of the mean over trials), missing (share of values).
        constant: (neuroid) whether all means over trials are equal.
        unanswered: (presentation, neuroid) whether there is no value at all.
        infinite: first places of infinite values by neuroid: presentation, neuroid, value.
        infinite_count: how many there are.
        fewest: trials of the stimulus that has least, over neuroids.
        most: trials of the stimulus that has most.
        low: smallest finite value.
        high: largest finite value.
    """

    neuroids: pd.DataFrame
    constant: np.ndarray
    unanswered: np.ndarray
    infinite: tuple[tuple[int, int, float], ...]
    infinite_count: int
    fewest: int
    most: int
    low: float
    high: float


def survey(assembly: xr.DataArray) -> Survey:
    """Read every value once, a block of neuroids at a time.

    Args:
        assembly: (presentation, neuroid[, time_bin][, trial]).
    """
    stimuli, count = assembly.sizes["presentation"], assembly.sizes["neuroid"]
    bins, trials = assembly.sizes.get("time_bin", 1), assembly.sizes.get("trial", 1)
    halves = halves_of_trials(trials)
    per_neuroid = 8 * stimuli * max(bins * trials, 4 * len(halves), 1)
    block = max(BLOCK_BYTES, count * per_neuroid // _BLOCKS)
    width = max(1, block // per_neuroid)
    columns: dict[str, list[np.ndarray]] = {
        name: [] for name in ("trials", "reliability", "spread", "missing", "constant")
    }
    unanswered = np.zeros((stimuli, count), bool)
    answered = np.zeros(stimuli, int)
    infinite: list[tuple[int, int, float]] = []
    infinite_count, low, high = 0, np.inf, -np.inf
    for start in range(0, count, width):
        stop = min(start + width, count)
        part = assembly.isel(neuroid=slice(start, stop)).values
        values = np.array(part, np.float64).reshape(stimuli, stop - start, bins, trials)
        endless = np.isinf(values)
        if endless.any():
            infinite_count += int(endless.sum())
            for n, p, t, k in np.argwhere(endless.swapaxes(0, 1))[: max(0, 5 - len(infinite))]:
                infinite.append((int(p), int(n) + start, float(values[p, n, t, k])))
            values[endless] = np.nan
        there = ~np.isnan(values)
        if there.any():
            low = min(low, float(np.nanmin(values)))
            high = max(high, float(np.nanmax(values)))
        given = there.sum(axis=3)
        means = np.divide(
            np.where(there, values, 0).sum(axis=3),
            given,
            out=np.full(given.shape, np.nan),
            where=given > 0,
        )
        unanswered[:, start:stop] = (given == 0).any(axis=2)
        answered = np.maximum(answered, given.max(axis=(1, 2)))
        columns["trials"].append(given.mean(axis=(0, 2)))
        columns["missing"].append(1 - there.mean(axis=(0, 2, 3)))
        flat = means.transpose(1, 0, 2).reshape(stop - start, -1)
        known = ~np.isnan(flat)
        spread = _deviation(flat, known)
        columns["constant"].append(_is_constant(flat, known))
        columns["spread"].append(spread)
        columns["reliability"].append(
            reliability(_over_bins(values), halves)
            if len(halves)
            else np.full(stop - start, np.nan)
        )
    table = pd.DataFrame(
        {
            name: np.concatenate(columns[name])
            for name in ("trials", "reliability", "spread", "missing")
        },
        index=pd.Index(assembly["neuroid_id"].values.astype(str), name="neuroid_id"),
    )
    return Survey(
        neuroids=table,
        constant=np.concatenate(columns["constant"]),
        unanswered=unanswered,
        infinite=tuple(infinite),
        infinite_count=infinite_count,
        fewest=int(answered.min(initial=trials)),
        most=int(answered.max(initial=0)),
        low=low,
        high=high,
    )


def halves_of_trials(trials: int, seed: int = 1) -> np.ndarray:
    """(split, trial) whether a trial is in the first half; no split of fewer than two trials."""
    from sklearn.model_selection import ShuffleSplit

    if trials < 2:
        return np.zeros((0, trials), bool)
    first = np.zeros((SPLITS, trials), bool)
    splitter = ShuffleSplit(SPLITS, train_size=0.5, random_state=seed)
    for split, (rows, _) in enumerate(splitter.split(np.zeros(trials))):
        first[split, rows] = True
    return first


def reliability(values: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Reliability of the mean over trials, by halves of trials.

    For each split s and neuroid n, r[s, n] is Pearson's correlation, over stimuli, of the means
    over either half of the trials; the reliability of all trials is 2 r / (1 + r), the formula of
    Spearman and Brown; of it the mean over splits is taken. A stimulus counts in a split in which
    either half has a trial of it.

    Args:
        values: (presentation, neuroid, trial), responses; NaN where a trial is missing.
        halves: (split, trial), whether a trial is in the first half.

    Returns:
        (neuroid); NaN where no split has a correlation.
    """
    there = ~np.isnan(values)
    filled = np.where(there, values, 0.0)
    chosen = np.stack([halves.T, ~halves.T], axis=0).astype(float)  # (half, trial, split)
    first, second = (
        np.divide(filled @ half, number, out=np.full(number.shape, np.nan), where=number > 0)
        for half in chosen
        for number in [there @ half]
    )
    both = ~(np.isnan(first) | np.isnan(second))
    count = np.maximum(both.sum(axis=0), 1)
    first, second = (
        np.where(both, half - np.where(both, half, 0).sum(axis=0) / count, 0.0)
        for half in (first, second)
    )
    spread = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    defined = spread > 1e-12 * np.abs(filled).max(axis=(0, 2), initial=0)[:, None] ** 2
    r = np.divide(
        (first * second).sum(axis=0), spread, out=np.full(spread.shape, np.nan), where=defined
    )
    corrected = np.divide(2 * r, 1 + r, out=np.full(r.shape, np.nan), where=1 + r > 1e-12)
    known = ~np.isnan(corrected)
    return np.divide(
        np.where(known, corrected, 0).sum(axis=1),
        known.sum(axis=1),
        out=np.full(len(corrected), np.nan),
        where=known.any(axis=1),
    )


def _over_bins(values: np.ndarray) -> np.ndarray:
    """(presentation, neuroid, trial): mean over time bins; NaN where one is missing."""
    return values[:, :, 0] if values.shape[2] == 1 else values.mean(axis=2)


def _deviation(flat: np.ndarray, known: np.ndarray) -> np.ndarray:
    count = known.sum(axis=1)
    safe = np.maximum(count, 1)
    centred = np.where(known, flat, 0)
    centred = np.where(known, flat - (centred.sum(axis=1) / safe)[:, None], 0)
    return np.where(count > 0, np.sqrt((centred**2).sum(axis=1) / safe), np.nan)


def _is_constant(flat: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Equal wherever known, but for rounding of means over trials."""
    low = np.where(known, flat, np.inf).min(axis=1)
    high = np.where(known, flat, -np.inf).max(axis=1)
    with np.errstate(invalid="ignore"):
        close = high - low <= 1e-12 * np.maximum(np.abs(high), np.abs(low))
    return close & (known.sum(axis=1) > 1)
