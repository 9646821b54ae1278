"""Contrast between the stimuli with the highest and with the lowest predictions."""

from __future__ import annotations

import numpy as np

from corteval.errors import OptionError

#: Predictions are compared to this many decimals of their standard deviation: equal stimuli have
#: predictions that differ by rounding.
_DECIMALS = 9


def check_share(share: float) -> float:
    """Return `share` if the upper and the lower share of stimuli do not overlap.

    Raises:
        OptionError: if they do, or are empty.
    """
    if not 0 < share <= 0.5:
        raise OptionError(
            f"The share of stimuli chosen lies above 0 and at most at .5, not {share}."
        )
    return share


def extremes(
    by: np.ndarray, of: np.ndarray, share: float, counts: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of `of` over the stimuli with the highest and with the lowest values of `by`.

    Of n stimuli, m = max(1, share n) are at either end; of a stimulus at the border the part that
    is lacking counts. Stimuli with one value of `by` share what falls to them equally, so that the
    result is the mean over all ways to break the tie, and does not depend on the order of rows.

    Args:
        by, of: (stimulus).
        share: of the stimuli at either end.
        counts: (resample, stimulus) how often each stimulus is there; once if None.

    Returns:
        highest and lowest, each (resample), or scalars of one resample if counts is None; NaN
        where no stimulus is there.
    """
    drawn = np.ones((1, len(by))) if counts is None else counts
    spread = by.std()
    values = np.round((by - by.mean()) / spread, _DECIMALS) if spread > 0 else np.zeros(len(by))
    order = np.argsort(-values, kind="stable")
    starts = np.flatnonzero(np.diff(values[order], prepend=np.inf))
    weights = np.asarray(drawn, np.float64)[:, order]
    size = np.add.reduceat(weights, starts, axis=1)
    total = np.add.reduceat(weights * of[order], starts, axis=1)
    present = weights.sum(axis=1, keepdims=True)
    m = np.maximum(1, share * present)
    above = np.cumsum(size, axis=1) - size
    below = present - above - size
    mean = total / np.maximum(size, 1e-300)
    found = []
    for before in (above, below):
        taken = np.clip(m - before, 0, size)
        with np.errstate(invalid="ignore"):
            found.append(np.where(present[:, 0] > 0, (taken * mean).sum(axis=1) / m[:, 0], np.nan))
    high, low = found
    return (high[0], low[0]) if counts is None else (high, low)


def contrast(
    by: np.ndarray, of: np.ndarray, share: float, counts: np.ndarray | None = None
) -> np.ndarray:
    """Highest minus lowest of `extremes`, for each neuroid.

    Args:
        by, of: (stimulus, neuroid).
        share, counts: of `extremes`.

    Returns:
        (neuroid), or (resample, neuroid).
    """
    columns = [
        np.subtract(*extremes(by[:, n], of[:, n], share, counts)) for n in range(by.shape[1])
    ]
    return np.stack(columns, axis=-1)
