"""Ridge and least-squares regression for all splits from one factorisation of all data.

The residuals of a fit with intercept to all n stimuli are e = R Y with::

    R = I - 11'/n - X_c (C + αI)⁻¹ X_c'        (in terms of features)
    R = α (K + αI)⁻¹ - 11'/n                    (in terms of stimuli)

where C = X_c'X_c and K = X_c X_c'. Leaving out any set M changes nothing but a solve of its own
size: the refitted residuals there are R_MM⁻¹ e_M, so predictions are Y_M - R_MM⁻¹ e_M. Source:
spec ``performance`` 6.2.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corteval.errors import OptionError
from corteval_regression.arrays import (
    Array,
    as_numpy,
    cholesky,
    inverse,
    least_squares,
    like,
    solve,
    solve_lower,
)
from corteval_regression.features import (
    BUDGET,
    Features,
    Splits,
    left_out,
    place_among,
    responses,
)
from corteval_regression.penalties import predicted_on, principal_axes

#: Least squares from products is trusted up to this ratio of the factor's diagonal, squared: the
#: condition of the features enters products squared, and a tenth of the digits must remain.
CONDITION = 1e-11


def ridge_cv(
    x: Features | Array, y: Array, splits: Splits, *, alpha: float = 1.0
) -> list[np.ndarray]:
    """Held-out predictions of ridge regression with an intercept and one fixed penalty.

    B = argmin |Y_c - X_c B|² + α |B|², centred by training means; features are not scaled.

    Args:
        x: (stimulus, feature).
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.
        alpha: penalty.

    Returns:
        (test row, target) of each split.

    Raises:
        OptionError: if shapes, splits or the penalty do not fit.
    """
    if not 0 < alpha < np.inf:
        raise OptionError(f"The ridge penalty is positive and finite, not {alpha}.")
    features = Features.of(x)
    targets = responses(features, y)
    shared = _from_features if features.count < features.stimuli else _from_stimuli
    found = shared(features, targets, splits, alpha)
    return list(_by_axes(features, targets, splits, alpha)) if found is None else found


def linear_cv(x: Features | Array, y: Array, splits: Splits) -> list[np.ndarray]:
    """Held-out predictions of ordinary least squares with an intercept.

    With more features than training stimuli, the solution of smallest norm. Collinear features
    are treated as scikit-learn does, by singular values.

    Args:
        x: (stimulus, feature).
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.

    Returns:
        (test row, target) of each split.

    Raises:
        OptionError: if shapes or splits do not fit.
    """
    features = Features.of(x)
    targets = responses(features, y)
    fewest = min(len(train) for train, _ in splits)
    found = None
    if features.count < fewest - 1:
        found = _from_features(features, targets, splits, 0.0)
    elif features.count >= features.stimuli:
        found = _from_stimuli(features, targets, splits, 0.0)
    return list(_by_singular_values(features, targets, splits)) if found is None else found


def _from_features(
    features: Features, targets: Array, splits: Splits, alpha: float
) -> list[np.ndarray] | None:
    """None if the normal equations are too ill conditioned."""
    matrix = _plus_diagonal(features.covariance, alpha)
    factor = cholesky(matrix)
    if factor is None or _condition(factor) < CONDITION:
        return None
    mean = targets.mean(0)
    weights = solve(factor, features.transposed_times(targets))
    found = []
    for group in _sharing(features, splits):
        # rows that several splits leave out are transformed once
        union = np.unique(np.concatenate([left for left, _ in group]))
        block = features.centred(like(targets, union))
        residuals = targets[like(targets, union)] - mean - block @ weights
        rotated = solve_lower(factor, block.T).T
        for left, place in group:
            rows = like(targets, np.searchsorted(union, left))
            part = rotated[rows]
            within = _plus_diagonal(-(part @ part.T) - 1 / features.stimuli, 1.0)
            observed = targets[like(targets, left)]
            predicted = _predicted(within, residuals[rows], observed)
            if predicted is None:
                return None
            found.append(as_numpy(predicted[like(targets, place)]))
    return found


def _from_stimuli(
    features: Features, targets: Array, splits: Splits, alpha: float
) -> list[np.ndarray] | None:
    """None if the Gram matrix is too ill conditioned.

    R / α serves as well as R, and has a limit at α = 0. K has the vector of ones as a null vector,
    which is filled in and taken out again.
    """
    size = float(features.gram.diagonal().mean())
    factor = cholesky(_plus_diagonal(features.gram + size / features.stimuli, alpha))
    if factor is None or _condition(factor) < CONDITION:
        return None
    operator = inverse(factor)
    operator -= 1 / ((size + alpha) * features.stimuli)
    residuals = operator @ (targets - targets.mean(0))
    found = []
    for positions, place in _left_and_tested(splits, features.stimuli):
        left = like(targets, positions)
        predicted = _predicted(operator[left][:, left], residuals[left], targets[left])
        if predicted is None:
            return None
        found.append(as_numpy(predicted[like(targets, place)]))
    return found


def _by_axes(
    features: Features, targets: Array, splits: Splits, alpha: float
) -> Iterator[np.ndarray]:
    """Each training set on its own, by eigenvalues: slower, but it bears any penalty."""
    for train, test in splits:
        rows, tested = (like(targets, np.asarray(part)) for part in (train, test))
        offset = targets[rows].mean(0)
        penalties = np.full(targets.shape[1], alpha)
        axes = principal_axes(features, rows, tested)
        yield as_numpy(predicted_on(axes, targets[rows] - offset, penalties) + offset)


def _by_singular_values(features: Features, targets: Array, splits: Splits) -> Iterator[np.ndarray]:
    for train, test in splits:
        rows, others = like(targets, np.asarray(train)), like(targets, np.asarray(test))
        block, offset = features.centred(rows), targets[rows].mean(0)
        mean = block.mean(0)
        weights = least_squares(block - mean, targets[rows] - offset)
        yield as_numpy((features.centred(others) - mean) @ weights + offset)


def _left_and_tested(splits: Splits, stimuli: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows outside training, and positions of the test rows among them, of each split."""
    for train, test in splits:
        left = left_out(np.asarray(train), stimuli)
        yield left, place_among(left, np.asarray(test))


def _sharing(features: Features, splits: Splits) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Splits in groups whose left-out rows together fit the memory budget."""
    group: list[tuple[np.ndarray, np.ndarray]] = []
    for pair in _left_and_tested(splits, features.stimuli):
        rows = sum(len(left) for left, _ in group) + len(pair[0])
        if group and 8 * features.count * min(rows, features.stimuli) > BUDGET:
            yield group
            group = []
        group.append(pair)
    yield group


def _predicted(within: Array, residual: Array, observed: Array) -> Array:
    """Y_M - R_MM⁻¹ e_M; None if R_MM cannot be inverted."""
    factor = cholesky(within)
    return None if factor is None else observed - solve(factor, residual)


def _plus_diagonal(matrix: Array, value: float) -> Array:
    """A copy of `matrix` with `value` added to its diagonal."""
    copy = matrix + 0.0
    copy.reshape(-1)[:: copy.shape[0] + 1] += value
    return copy


def _condition(factor: Array) -> float:
    """Squared ratio of the ends of a Cholesky factor's diagonal: about 1 / condition."""
    diagonal = factor.diagonal()
    return float((diagonal.min() / diagonal.max()) ** 2)
