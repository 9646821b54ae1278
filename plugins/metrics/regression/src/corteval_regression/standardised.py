"""Features on one scale, as the training stimuli have it, before a penalty is shared by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from corteval_regression.arrays import Array, as_numpy, like
from corteval_regression.features import Features, Splits

#: Variation below this share of a feature's magnitude is rounding, not variation.
_ROUNDING = 1e-12

#: What a fit does with one split: features of each band, that split -> (predictions, penalties).
FitOne = Callable[[Sequence[Features], Splits], tuple[list[np.ndarray], np.ndarray]]


def standardised(x: Features | Array, train: np.ndarray) -> Features:
    """Features z-scored by mean and standard deviation (of the population) over training rows.

        z_ij = (x_ij - mean_train x_j) / sd_train x_j

    Features that are constant in training are left out: ridge regression gives them no weight.

    Args:
        x: (stimulus, feature).
        train: rows.

    Returns:
        (stimulus, feature), float64.
    """
    values = Features.of(x).values
    whole = np.asarray(as_numpy(values), np.float64)
    rows = whole[train]
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    varies = spread > _ROUNDING * np.abs(rows).max(axis=0)
    if not varies.any():  # every prediction is the mean then
        return Features.of(like(values, np.zeros((len(whole), 1))))
    scaled = (whole[:, varies] - mean[varies]) / spread[varies]
    return Features.of(like(values, scaled))


def each_split(
    bands: Sequence[Features | Array], splits: Splits, fit: FitOne
) -> tuple[list[np.ndarray], np.ndarray]:
    """Predictions and penalties of `fit` on features standardised anew for each split.

    Args:
        bands: (stimulus, feature) of each band.
        splits: (training rows, test rows) of each split.
        fit: see `FitOne`.

    Returns:
        (test row, target) of each split, and penalties with splits along the first axis.
    """
    predictions, penalties = [], []
    for split in splits:
        scaled = [standardised(band, np.asarray(split[0])) for band in bands]
        predicted, chosen = fit(scaled, [split])
        predictions += predicted
        penalties.append(chosen)
    return predictions, np.concatenate(penalties)
