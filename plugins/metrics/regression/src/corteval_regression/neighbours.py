"""Each neuroid predicted by the single model unit most like it."""

from __future__ import annotations

import numpy as np

from corteval_regression.arrays import Array, as_numpy, double, like, sum_of_squares
from corteval_regression.features import (
    Features,
    Splits,
    left_out,
    place_among,
    responses,
)

#: A unit whose training variance is below this share of its mean square does not vary.
CONSTANT = 1e-13


def neuron_to_neuron_cv(x: Features | Array, y: Array, splits: Splits) -> list[np.ndarray]:
    """Held-out responses of the model unit with the largest signed training correlation.

    k(j) = argmax_k r_train(x_k, y_j); the prediction of neuroid j is x_k(j), unscaled. Units that
    are constant in training are never chosen. All correlations of a split are one matrix product,
    got from that over all stimuli by subtracting what is left out; features are read in blocks.
    Source: spec ``metrics`` 2.2.

    Args:
        x: (stimulus, feature).
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.

    Returns:
        (test row, target) of each split; NaN for a target no unit can predict.

    Raises:
        OptionError: if shapes or splits do not fit.
    """
    features = Features.of(x)
    targets = responses(features, y)
    centred = targets - targets.mean(0)
    outside = [left_out(np.asarray(train), features.stimuli) for train, _ in splits]
    left_responses = [centred[like(targets, left)] for left in outside]
    best = [np.full(targets.shape[1], -np.inf) for _ in splits]
    chosen = [np.zeros(targets.shape[1], np.int64) for _ in splits]
    for columns in features.columns():
        block = features.block(columns)
        product, squares = centred.T @ block, sum_of_squares(block)
        least = CONSTANT * (squares + features.stimuli * features.mean[columns] ** 2)
        for s, (left, rest_y) in enumerate(zip(outside, left_responses, strict=True)):
            rest = block[like(targets, left)]
            count = features.stimuli - len(left)
            # centred over all stimuli, training sums are minus those of the rest
            mean_x, sum_y = -rest.sum(0) / count, -rest_y.sum(0)
            r = product - rest_y.T @ rest - sum_y[:, None] * mean_x
            variance = squares - sum_of_squares(rest) - count * mean_x**2
            constant = variance <= least
            # the target's own spread does not change which unit is best
            r *= (constant + ~constant * abs(variance)) ** -0.5
            if bool(constant.any()):
                r[:, constant] = -np.inf
            where = as_numpy(r.argmax(1))
            value = as_numpy(r[like(targets, np.arange(len(where))), like(targets, where)])
            better = value > best[s]
            chosen[s][better], best[s][better] = where[better] + columns.start, value[better]
    found = []
    for (_, test), left, unit, value in zip(splits, outside, chosen, best, strict=True):
        place_among(left, np.asarray(test))
        rows, columns = like(targets, np.asarray(test)), like(targets, unit)
        predicted = as_numpy(double(features.values[rows][:, columns])).copy()
        predicted[:, value == -np.inf] = np.nan
        found.append(predicted)
    return found
