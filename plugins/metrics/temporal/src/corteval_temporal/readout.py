"""Linear readouts of objects from responses, fitted in every time bin."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri, softmax

#: Weight λ of the penalty, as published: 1 / (1e-3 · 2160 images).
PENALTY = 0.463

_RATE = 1e-4
_EPOCHS = 40
_BATCH = 64
_LOSS_ENOUGH = 1e-4
_DECAYS = (0.9, 0.999)
_EPSILON = 1e-8

#: Neuroids per image from which the change to the span of the images pays.
_WIDE = 4

#: Standard deviation of a normal distribution cut at ±2.
_CUT_NORMAL = 0.87962566103423978

#: Variation below this share of the magnitude is rounding error.
_ROUNDING = 1e-12


def trained_logits(
    train: np.ndarray, objects: np.ndarray, test: np.ndarray, *, seed: int = 0
) -> np.ndarray:
    """Logits of a softmax classifier after the field's short training by Adam.

        loss = mean_i -log softmax(W x_i + b)_{object of i} + λ/2 (|W|² + |b|²)

    At most 40 epochs of batches of 64 at a rate of 1e-4; a bin is left as it is after an epoch
    whose last batch had a loss, without penalty, below 1e-4. Weights start at draws from a normal
    distribution of variance 1 / neuroids cut at two standard deviations, biases at 1. Training ends
    long before the optimum, so the result depends on rate, epochs and number of neuroids; see
    `converged_logits`. Source: spec ``metrics`` 2.7.

    Args:
        train: (bin, image, neuroid), standardised.
        objects: (image) index of each training image's object, from 0.
        test: (bin, image, neuroid), standardised.
        seed: of first weights and batches, which all bins have in common.

    Returns:
        (bin, image, object) for `test`.
    """
    bins, images, neuroids = train.shape
    generator = np.random.default_rng(seed)
    low, high = 0.022750131948179195, 0.9772498680518208  # normal distribution at ±2
    start = np.ones((neuroids + 1, int(objects.max()) + 1))
    start[:-1] = ndtri(generator.uniform(low, high, start[:-1].shape))
    start[:-1] /= _CUT_NORMAL * np.sqrt(neuroids)
    weights = np.repeat(start[None], bins, axis=0)
    wanted = np.eye(start.shape[1])[objects]
    train = _with_ones(train)
    slope, square = np.zeros_like(weights), np.zeros_like(weights)
    rate = np.full((bins, 1, 1), _RATE)
    steps = 0
    for _ in range(_EPOCHS):
        order = generator.permutation(images)
        for first in range(0, images, _BATCH):
            rows = order[first : first + _BATCH]
            x = train[:, rows]
            chances = softmax(x @ weights, axis=-1)
            gradient = x.swapaxes(1, 2) @ ((chances - wanted[rows]) / len(rows))
            gradient += PENALTY * weights
            steps += 1
            slope += (1 - _DECAYS[0]) * (gradient - slope)
            square += (1 - _DECAYS[1]) * (gradient**2 - square)
            correction = np.sqrt(1 - _DECAYS[1] ** steps) / (1 - _DECAYS[0] ** steps)
            weights -= rate * correction * slope / (np.sqrt(square) + _EPSILON)
        loss = -np.log((chances * wanted[rows]).sum(axis=-1)).mean(axis=-1)
        rate[loss < _LOSS_ENOUGH] = 0.0
        if not rate.any():
            break
    return np.asarray(_with_ones(test) @ weights)


def converged_logits(train: np.ndarray, objects: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Logits of the classifier that minimises the loss of `trained_logits`: no chance, no rate.

    The loss is strictly convex, so its minimum is one. It is found by scikit-learn's
    ``LogisticRegression`` with C = 1 / (λ images); the bias is a weight of a constant response, as
    it is penalised too. With many more neuroids than images, weights are sought in the span of the
    images, where the minimum lies.

    Args:
        train, objects, test: as for `trained_logits`.

    Returns:
        (bin, image, object) for `test`.
    """
    from sklearn.linear_model import LogisticRegression

    images = train.shape[1]
    found = []
    for x, unseen in zip(_with_ones(train), _with_ones(test), strict=True):
        if x.shape[1] > _WIDE * images:
            basis, coordinates = np.linalg.qr(x.T)
            x, unseen = coordinates.T, unseen @ basis
        # of two objects scikit-learn fits the difference of their weights, whose square counts half
        strength = (2 if objects.max() == 1 else 1) / (PENALTY * images)
        fit = LogisticRegression(C=strength, fit_intercept=False, tol=1e-7, max_iter=10_000)
        logits = fit.fit(x, objects).decision_function(unseen)
        found.append(logits if logits.ndim == 2 else np.stack([-logits / 2, logits / 2], axis=1))
    return np.stack(found)


def standardize(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both shifted and scaled so that `train` has mean 0 and variance 1 over images.

    Neuroids that are constant in `train` are shifted only.

    Args:
        train, test: (bin, image, neuroid).
    """
    mean, spread = train.mean(axis=1, keepdims=True), train.std(axis=1, keepdims=True)
    constant = spread <= _ROUNDING * np.abs(mean)
    spread = np.where(constant, 1.0, spread)
    return (train - mean) / spread, (test - mean) / spread


def _with_ones(responses: np.ndarray) -> np.ndarray:
    """A constant response of 1 after the last neuroid."""
    ones = np.ones((*responses.shape[:-1], 1))
    return np.concatenate([responses, ones], axis=-1)
