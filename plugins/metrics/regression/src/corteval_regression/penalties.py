"""Ridge regression whose penalty is chosen inside each training set by leaving one stimulus out.

The residual of stimulus i when the fit leaves it out is e_i / (1 - h_i), with e_i its residual in
the fit and h_i its leverage: exact, and cheap for every penalty from one eigendecomposition.
Source: spec ``metrics`` 2.2, ``performance`` 6.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from corteval.errors import OptionError
from corteval_regression.arrays import (
    Array,
    as_numpy,
    cholesky,
    eigh,
    like,
    orthonormal,
    solve_lower,
    solve_upper,
    zeros,
)
from corteval_regression.features import (
    BUDGET,
    Features,
    Splits,
    left_out,
    place_among,
    responses,
)

#: Eigenvalues below this share of the largest are rounding errors of features that do not vary.
RANK = 1e-13

AlphaPer = Literal["all", "subject", "target"]

#: The field's grid for vision, 99 penalties from .01 to 10^7 (spec ``metrics`` 2.2).
VISION_ALPHAS: tuple[float, ...] = (
    *(0.01, 0.1, 0.5, 1.0),
    *(float(a) for a in np.linspace(10, 100, 4, endpoint=False)),
    *(
        float(a)
        for power in range(2, 6)
        for a in np.linspace(10**power, 10 ** (power + 1), 18, endpoint=False)
    ),
    *(float(a) for a in np.linspace(1e6, 1e7, 19)),
)

#: The field's grid for language (spec ``metrics``, language side 2.2).
LANGUAGE_ALPHAS: tuple[float, ...] = tuple(10.0**power for power in range(-3, 4))


class RidgeFits(NamedTuple):
    """Results of `ridgecv_cv`.

    Args:
        predictions: (test row, target) of each split.
        alphas: (split, target) the penalties chosen.
    """

    predictions: list[np.ndarray]
    alphas: np.ndarray


def ridgecv_cv(
    x: Features | Array,
    y: Array,
    splits: Splits,
    *,
    alphas: Sequence[float] = VISION_ALPHAS,
    alpha_per: AlphaPer = "all",
    subjects: np.ndarray | None = None,
) -> RidgeFits:
    """Held-out predictions of ridge regression, penalties chosen by leave-one-out in training.

    The penalty minimises the squared leave-one-out error, summed over the targets that share it;
    it is scikit-learn's ``RidgeCV``. Features are centred, not scaled.

    Args:
        x: (stimulus, feature).
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.
        alphas: penalties to choose from.
        alpha_per: targets that share a penalty: all, those of one subject, or none.
        subjects: (target), for ``"subject"``.

    Raises:
        OptionError: if shapes, splits or penalties do not fit.
    """
    grid = np.asarray(alphas, np.float64)
    if not len(grid) or not (grid > 0).all() or not np.isfinite(grid).all():
        raise OptionError(f"Ridge penalties are positive and finite, not {list(alphas)}.")
    features = Features.of(x)
    targets = responses(features, y)
    groups = _groups(alpha_per, subjects, targets.shape[1])
    if features.count >= features.stimuli and _one_factor_pays(features, targets, splits, grid):
        return _one_factor(features, targets, splits, grid, groups)
    predictions, chosen = [], []
    for train, test in splits:
        place_among(left_out(np.asarray(train), features.stimuli), np.asarray(test))
        rows = like(targets, np.asarray(train))
        offset = targets[rows].mean(0)
        axes = principal_axes(features, rows, like(targets, np.asarray(test)))
        best = _chosen(axes, targets[rows] - offset, grid, groups)
        predictions.append(
            as_numpy(predicted_on(axes, targets[rows] - offset, grid[best]) + offset)
        )
        chosen.append(grid[best])
    return RidgeFits(predictions, np.array(chosen))


class Axes(NamedTuple):
    """Training and test stimuli on the principal axes of the training features.

    Args:
        train: (training row, axis).
        test: (test row, axis).
        variance: (axis) sum of squares of `train`.
    """

    train: Array
    test: Array
    variance: Array


def principal_axes(features: Features, rows: Array, tested: Array) -> Axes:
    """From the covariance of features or the Gram matrix of stimuli, whichever is smaller."""
    if features.count < len(rows):
        block = features.centred(rows)
        mean = block.mean(0)
        block = block - mean
        values, vectors = eigh(block.T @ block)
        kept = values > RANK * values[-1]
        vectors = vectors[:, kept]
        return Axes(block @ vectors, (features.centred(tested) - mean) @ vectors, values[kept])
    inside = features.gram[rows][:, rows]
    return axes_of_gram(inside, features.gram[tested][:, rows])


def axes_of_gram(train: Array, test: Array) -> Axes:
    """From inner products of training stimuli, and of test with training stimuli.

    Args:
        train: (training row, training row).
        test: (test row, training row).
    """
    means = train.mean(0)
    centred = train - means[None, :] - means[:, None] + means.mean()
    across = test - test.mean(1)[:, None] - means[None, :] + means.mean()
    values, vectors = eigh(centred)
    kept = values > RANK * max(float(values[-1]), 0.0)
    values, vectors = values[kept], vectors[:, kept]
    root = values**0.5
    return Axes(vectors * root, (across @ vectors) / root, values)


def leave_one_out_errors(axes: Axes, targets: Array, alphas: np.ndarray) -> np.ndarray:
    """Sum over training stimuli of squared leave-one-out errors.

        e_i / (1 - h_i),   h_i = 1/n + Σ_k f_ik² / (λ_k + α)

    Args:
        axes: of the training stimuli.
        targets: (training row, target), centred.
        alphas: penalties.

    Returns:
        (alpha, target).
    """
    loadings = axes.train.T @ targets
    squares = axes.train**2
    errors = zeros(targets, len(alphas), targets.shape[1])
    step = max(1, BUDGET // (8 * len(targets)))
    for number, alpha in enumerate(alphas.tolist()):
        shrunk = 1 / (axes.variance + alpha)
        kept = 1 - 1 / len(targets) - squares @ shrunk
        # a stimulus with full leverage is fitted whatever its response: its error is unknown
        scale = (kept > 1e-12) / (abs(kept) + (kept <= 1e-12))
        for start in range(0, targets.shape[1], step):
            part = slice(start, start + step)
            error = axes.train @ (shrunk[:, None] * loadings[:, part])
            error -= targets[:, part]
            error *= scale[:, None]
            errors[number, part] = (error * error).sum(0)
    return as_numpy(errors)


def _chosen(axes: Axes, targets: Array, alphas: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(target) positions of the penalties with the least error in each group of targets."""
    best = np.zeros(len(groups), np.int64)
    alone = len(np.unique(groups)) == len(groups)
    if alone:
        return np.argmin(leave_one_out_errors(axes, targets, alphas), axis=0)
    for group in np.unique(groups):
        columns = np.flatnonzero(groups == group)
        part = targets[:, like(targets, columns)]
        if part.shape[1] > part.shape[0]:
            # a sum of squares over targets does not change when they are rotated
            part = part @ orthonormal(part.T)
        errors = leave_one_out_errors(axes, part, alphas).sum(axis=1)
        best[columns] = np.argmin(errors)
    return best


def predicted_on(axes: Axes, targets: Array, alphas: np.ndarray) -> Array:
    """(test row, target) deviations from the training mean, each target with its penalty."""
    loadings = axes.train.T @ targets
    return axes.test @ (loadings / (axes.variance[:, None] + like(targets, alphas)[None, :]))


def _one_factor_pays(
    features: Features, targets: Array, splits: Splits, alphas: np.ndarray
) -> bool:
    """Whether one eigendecomposition of all stimuli is cheaper than one of each training set."""
    n, count, width = features.stimuli, len(alphas), targets.shape[1]
    left = max(n - len(train) for train, _ in splits)
    each = len(splits) * (25 * n**3 + count * 2 * n**2 * width)
    downdate = left**2 * n + 2 * left * n * width
    once = 25 * n**3 + count * (n**3 + 2 * n**2 * width + len(splits) * downdate)
    return once < each


def _one_factor(
    features: Features, targets: Array, splits: Splits, grid: np.ndarray, groups: np.ndarray
) -> RidgeFits:
    """All splits from the eigenvectors of the Gram matrix of all stimuli.

    With R = U diag(α/(λ+α)) U' + N, where U are the eigenvectors of K with λ > 0 and N projects on
    what they and the vector of ones leave, e = R Y for all stimuli. Leaving out the set M gives,
    with L L' = R_MM, W = L⁻¹ R_MA and z = L⁻¹ e_M::

        leave-one-out error of i in A:   (e_i - W_i'z) / (R_ii - |W_i|²)
        prediction:                      Y_M - L'⁻¹ z
    """
    n = features.stimuli
    values, vectors = eigh(features.gram)
    kept = values > RANK * values[-1]
    values, vectors = values[kept], vectors[:, kept]
    centred = targets - targets.mean(0)
    loadings = vectors.T @ centred
    full = len(values) == n - 1
    null = None if full else vectors @ -vectors.T - 1 / n
    if null is not None:
        null.reshape(-1)[:: n + 1] += 1.0
    names, of_target = np.unique(groups, return_inverse=True)
    lefts = [left_out(np.asarray(train), n) for train, _ in splits]
    places = [
        place_among(left, np.asarray(test)) for left, (_, test) in zip(lefts, splits, strict=True)
    ]
    least = np.full((len(splits), len(names)), np.inf)
    alphas = np.full((len(splits), targets.shape[1]), grid[0])
    predictions = [np.full((len(test), targets.shape[1]), np.nan) for _, test in splits]
    for alpha in grid.tolist():
        shares = alpha / (values + alpha)
        half = vectors * shares**0.5
        operator = half @ half.T
        residuals = vectors @ (shares[:, None] * loadings)
        if null is not None:
            operator += null
            residuals += null @ centred
        for s, (train, _) in enumerate(splits):
            rows, left = like(targets, np.asarray(train)), like(targets, lefts[s])
            factor = cholesky(operator[left][:, left])
            if factor is None:
                continue  # this penalty is lost in rounding beside these features
            w = solve_lower(factor, operator[left][:, rows])
            z = solve_lower(factor, residuals[left])
            error = residuals[rows] - w.T @ z
            error /= (operator.diagonal()[rows] - (w * w).sum(0))[:, None]
            total = np.bincount(of_target, as_numpy((error * error).sum(0)), len(names))
            better = total < least[s]
            least[s][better] = total[better]
            columns = np.flatnonzero(better[of_target])
            if len(columns):
                some = like(targets, columns)
                predicted = targets[left][:, some] - solve_upper(factor, z[:, some])
                predictions[s][:, columns] = as_numpy(predicted)[places[s]]
                alphas[s, columns] = alpha
    if not np.isfinite(least).all():
        raise OptionError(
            f"All penalties up to {grid.max():g} are lost in rounding beside features with "
            f"eigenvalues up to {float(values.max()):.3g}. Raise them."
        )
    return RidgeFits(predictions, alphas)


def _groups(alpha_per: str, subjects: np.ndarray | None, targets: int) -> np.ndarray:
    if alpha_per == "all":
        return np.zeros(targets, np.int64)
    if alpha_per == "target":
        return np.arange(targets)
    if alpha_per != "subject":
        raise OptionError(f"A penalty is per all, subject or target, not {alpha_per!r}.")
    if subjects is None or len(subjects) != targets:
        raise OptionError(
            "A penalty per subject needs the subject of each target: coordinate 'subject' along "
            "neuroid."
        )
    return np.unique(subjects, return_inverse=True)[1]
