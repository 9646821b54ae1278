"""Levels of a disturbance at which half of a subject's advantage over chance is lost."""

from __future__ import annotations

import numpy as np


def half_loss_level(levels: np.ndarray, accuracies: np.ndarray, chance: float) -> float:
    """The level at which accuracy has fallen halfway from that without disturbance to chance.

    Accuracies are replaced by the nearest that never rise with level (least squares, isotonic
    regression); between levels they are joined by straight lines. With a(0) the first of them, the
    result is the smallest level with

        a(level) = (a(0) + chance) / 2

    Args:
        levels: rising, the first without disturbance.
        accuracies: at each.
        chance: of guessing.

    Returns:
        a level; infinity if accuracy does not fall that far, NaN if it is not above chance at the
        first level.
    """
    from sklearn.isotonic import isotonic_regression

    falling = np.asarray(isotonic_regression(accuracies, increasing=False))
    if not falling[0] > chance:
        return float("nan")
    half = (falling[0] + chance) / 2
    below = np.flatnonzero(falling <= half)
    if not below.size:
        return float("inf")
    after = int(below[0])
    high, low = falling[after - 1], falling[after]
    share = (high - half) / (high - low)
    return float(levels[after - 1] + share * (levels[after] - levels[after - 1]))
