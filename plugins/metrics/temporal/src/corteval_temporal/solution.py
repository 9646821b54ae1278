"""When an image is solved: performance per image, and its first crossing of a threshold."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, ndtri

#: Performance per image and distractor lies within this, as d'.
CAP = 5.0

#: Log odds beyond this have no chance that a float could hold.
_LARGEST_LOG_ODDS = 700.0


def i1(logits: np.ndarray, truth: np.ndarray, *, normalized: bool = False) -> np.ndarray:
    """Performance per image: how well its object is told from every other, as d'.

        FA(i, k) = p_k / (p_k + p_truth),    NaN for k = truth
        d'(i, k) = z(1 - FA(i, k)) - z(mean_j FA(j, truth of i) over images j of object k)
        I1(i)    = mean_k d'(i, k), each clipped to ±5

    z is the quantile of the normal distribution. Distractors of which there is no image are left
    out. Source: spec ``metrics`` 2.6; Rajalingham et al. (2018).

    Args:
        logits: (..., image, object) log probabilities up to a constant per image.
        truth: (image) index of the image's object; -1 if it is none of those.
        normalized: subtract the mean over images of each (truth, k) before the mean over k.

    Returns:
        (..., image); NaN where the object is unknown or no distractor has an image.
    """
    logits, truth = np.asarray(logits, np.float64), np.asarray(truth)
    known = truth >= 0
    shown = (truth[:, None] == np.arange(logits.shape[-1])) * 1.0  # (image, object)
    index = np.broadcast_to(truth[:, None], (*logits.shape[:-1], 1))
    of_truth = np.take_along_axis(logits, np.where(index < 0, 0, index), axis=-1)
    log_odds = np.clip(logits - of_truth, -_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS)
    images = shown.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # (..., k, truth): mean over images of k; hits are kept beside, exact where alarms near 1
        alarms, hits = (
            (shown.T @ expit(sign * log_odds)) / images[:, None] for sign in (1.0, -1.0)
        )
    of_object = np.swapaxes(_z(alarms, hits), -1, -2)[..., np.where(known, truth, 0), :]
    d_prime = np.clip(_z(expit(-log_odds), expit(log_odds)) - of_object, -CAP, CAP)
    d_prime = np.where((shown > 0) | ~known[:, None], np.nan, d_prime)
    if normalized:
        d_prime -= _mean_per_object(d_prime, shown)
    return _mean(d_prime)


def solution_times(i1: np.ndarray, threshold: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Time at which each image first reaches its threshold.

    Between the first bin that reaches it, h, and the best bin before, b (the first of them if
    there are several), I1 is taken to be a line::

        t = t_b + (threshold - I1_b) / (I1_h - I1_b) (t_h - t_b)

    An image that reaches it in the first bin is solved at the time of that bin. Source: spec
    ``metrics`` 2.7.

    Args:
        i1: (bin, image); NaN reaches nothing.
        threshold: (image), in units of `i1`.
        time: (bin), increasing.

    Returns:
        (image), in units of `time`; infinite where no bin reaches the threshold.
    """
    time = np.asarray(time, np.float64)
    reached = i1 >= threshold
    hit = reached.argmax(axis=0)
    earlier = np.arange(len(time))[:, None] < hit
    before = np.where(earlier & ~np.isnan(i1), i1, -np.inf)
    best, images = before.argmax(axis=0), np.arange(i1.shape[1])
    low, high = before[best, images], i1[hit, images]
    with np.errstate(invalid="ignore"):  # low is infinite where nothing is before
        share = np.where(np.isfinite(low), (threshold - low) / (high - low), 1.0)
    times = time[best] + share * (time[hit] - time[best])
    return np.where(reached.any(axis=0), times, np.inf)


def _z(rate: np.ndarray, complement: np.ndarray) -> np.ndarray:
    """Quantile of `rate`, from whichever of it and 1 - it is smaller, so that none is infinite."""
    return np.where(rate < complement, ndtri(rate), -ndtri(complement))


def _mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is not NaN."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(there, values, 0).sum(axis=-1) / there.sum(axis=-1))


def _mean_per_object(values: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Mean of values (..., image, k) over the images of each object, for every image."""
    there = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means = (shown.T @ np.where(there, values, 0)) / (shown.T @ there)
    return np.asarray(shown @ np.nan_to_num(means))
