"""Partial least squares for many targets and splits at once.

scikit-learn's ``PLSRegression(scale=False)`` finds each component by a power iteration over
features and stimuli. All its iterates are w = S a, where S = X'Y (feature, target) is deflated by
the components before and a is a vector over targets. The same iteration therefore runs on
G = S'S (target, target), at a cost that depends neither on stimuli nor on features. The rest is
the kernel algorithm of Dayal and MacGregor (1997), in terms of features or of stimuli, whichever
are fewer; all splits advance together. Source: spec ``performance`` 6.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval_regression.arrays import Array, as_numpy, like, orthonormal, zeros
from corteval_regression.features import (
    Features,
    Splits,
    left_out,
    place_among,
    responses,
)

#: scikit-learn's: squared change of the weights at which the iteration stops, and its limit.
TOLERANCE, ITERATIONS = 1e-6, 500

#: Bytes that splits which advance together may take.
BATCH = 512 * 2**20

#: Share of the squared covariance below which nothing but rounding is left to explain.
EXHAUSTED = 1e-14


def pls_cv(
    x: Features | Array, y: Array, splits: Splits, *, components: int = 25, exact: bool = False
) -> list[np.ndarray]:
    """Held-out predictions of PLS regression; targets and features are centred, not scaled.

    Component k of the training data::

        w_k = S_k a_k,   t_k = X_k w_k,   X_k+1 = (I - P_k) X_k,   Y_k+1 = (I - P_k) Y_k

    with S_k = X_k'Y_k and P_k the projector on t_k. By default a_k is where scikit-learn's
    iteration stops, starting from the first target: predictions are equal to rounding and, like
    scikit-learn's, depend slightly on the order of targets. With `exact` w_k is the dominant left
    singular vector of S_k, as the method defines it; a neuroid's r then differs by up to .04 and
    the median by up to 4e-4.

    Args:
        x: (stimulus, feature).
        y: (stimulus, target).
        splits: (training rows, test rows) of each split.
        components: number of components; fewer where stimuli, features or covariance run out.
        exact: converged weights.

    Returns:
        (test row, target) of each split.

    Raises:
        OptionError: if shapes, splits or components do not fit.
    """
    if components < 1:
        raise OptionError(f"PLS needs at least one component, not {components}.")
    features = Features.of(x)
    whole = responses(features, y)
    # The iteration sees inner products of targets only: rotated into as many dimensions as there
    # are stimuli they give the same components.
    rotation = orthonormal(whole.T) if whole.shape[1] > features.stimuli else None
    targets = whole if rotation is None else whole @ rotation
    wide = features.count >= features.stimuli
    found: list[np.ndarray] = []
    for part in _together(splits, features, targets.shape[1], components):
        training = _training(features, targets, part, _first_targets(whole, part, rotation))
        fit = _by_stimuli if wide else _by_features
        for (_, test), left, scores, loadings, mean in zip(
            part, training.left, *fit(training, components, exact), training.offsets, strict=True
        ):
            chosen = scores[like(targets, place_among(as_numpy(left), test))]
            predicted = chosen @ loadings.T + mean
            found.append(as_numpy(predicted if rotation is None else predicted @ rotation.T))
    return found


@final
@dataclass(frozen=True, kw_only=True)
class _Training:
    """Training sets of splits that advance together.

    Args:
        features, targets: of all stimuli; targets (stimulus, target).
        left: rows outside the training set, of each split.
        inside: (split, stimulus) 1 for training rows, else 0.
        counts: (split) training rows.
        offsets: (split, target) training means.
        ranks: (split) most components there can be.
        start: (split, target) where the iterations start.
    """

    features: Features
    targets: Array
    left: list[Array]
    inside: Array
    counts: Array
    offsets: Array
    ranks: np.ndarray
    start: Array

    def minus_mean(self, rows: Array) -> Array:
        """(split, stimulus) rows minus their means over training stimuli."""
        return rows - ((self.inside * rows).sum(-1) / self.counts)[:, None]

    def centred(self, rows: Array) -> Array:
        """The same, and 0 outside training."""
        return self.inside * self.minus_mean(rows)


def _training(features: Features, targets: Array, splits: Splits, start: Array) -> _Training:
    inside = np.zeros((len(splits), features.stimuli))
    for row, (train, _) in zip(inside, splits, strict=True):
        row[train] = 1
    counts = inside.sum(axis=1)
    return _Training(
        features=features,
        targets=targets,
        left=[like(targets, left_out(train, features.stimuli)) for train, _ in splits],
        inside=like(targets, inside),
        counts=like(targets, counts),
        offsets=like(targets, inside / counts[:, None]) @ targets,
        ranks=np.minimum(counts, features.count),
        start=start,
    )


def _by_stimuli(training: _Training, components: int, exact: bool) -> tuple[list[Array], Array]:
    """Weights as combinations u of stimuli, w = X'u: everything follows from the Gram matrix K.

    Each component reads K twice, for all splits together. Scores are kept for all stimuli, those
    left out too, and have unit length over training stimuli.

    Returns:
        Scores (left-out row, component) of each split, loadings (split, target, component).
    """
    gram, y = training.features.gram, training.targets
    inner = _squared_covariance_by_stimuli(training)
    splits, width, most = len(training.left), y.shape[1], _most(training, components)
    t, loadings = zeros(y, splits, len(y), most), zeros(y, splits, width, most)
    state = _Iteration(inner, training, exact)
    for k in range(most):
        a = state.next(k)
        trained = training.inside[:, :, None] * t[:, :, :k]
        combined = training.centred(a @ y.T) - _apply(trained, _across(loadings[:, :, :k], a))
        score = training.minus_mean(combined @ gram)
        score = score - _apply(t[:, :, :k], _across(trained, score))
        score = score * _inverse_length(training.inside * score)
        inside = training.inside * score
        loading = inside @ y
        onward = training.centred(inside @ gram)
        change = onward @ y - _apply(loadings[:, :, :k], _across(trained, onward))
        state.deflate(change, loading, (inside * onward).sum(-1))
        t[:, :, k], loadings[:, :, k] = score, loading
    return [t[s][left] for s, left in enumerate(training.left)], loadings


def _by_features(training: _Training, components: int, exact: bool) -> tuple[list[Array], Array]:
    """Weights over features: everything follows from X'X and X'Y of the training sets.

    Both are those of all stimuli minus what the left-out ones add.

    Returns:
        Scores (left-out row, component) of each split, loadings (split, target, component).
    """
    features, y = training.features, training.targets
    outside = [features.centred(left) for left in training.left]
    means = zeros(y, len(outside), features.count)
    s = zeros(y, len(outside), features.count, y.shape[1])
    whole = features.transposed_times(y)
    for number, (block, left) in enumerate(zip(outside, training.left, strict=True)):
        # features are centred over all stimuli: training sums are minus those of the rest
        means[number] = -block.sum(0) / training.counts[number]
        total = training.counts[number] * training.offsets[number]
        s[number] = whole - block.T @ y[left] - means[number][:, None] * total[None, :]

    def covariance_times(r: Array) -> Array:
        product = r @ features.covariance
        for row, vector, block in zip(product, r, outside, strict=True):
            row -= (block @ vector) @ block
        inner = (means * r).sum(-1) * training.counts
        return product - inner[:, None] * means

    splits, most = len(outside), _most(training, components)
    rotations, p = (zeros(y, splits, features.count, most) for _ in range(2))
    loadings = zeros(y, splits, y.shape[1], most)
    transposed = s.transpose(0, 2, 1) if isinstance(s, np.ndarray) else s.mT
    state = _Iteration(transposed @ s, training, exact)
    for k in range(most):
        a = state.next(k)
        w = _apply(s, a) - _apply(p[:, :, :k], _across(loadings[:, :, :k], a))
        r = w - _apply(rotations[:, :, :k], _across(p[:, :, :k], w))
        column = covariance_times(r)
        length = _inverse_root((r * column).sum(-1))
        r, column = r * length, column * length
        loading = _across(s, r)
        change = _across(s, column) - _apply(loadings[:, :, :k], _across(p[:, :, :k], column))
        state.deflate(change, loading, (column * column).sum(-1))
        rotations[:, :, k], p[:, :, k], loadings[:, :, k] = r, column, loading
    scores = [
        (block - mean) @ rotation
        for block, mean, rotation in zip(outside, means, rotations, strict=True)
    ]
    return scores, loadings


@final
class _Iteration:
    """The power iterations of all splits on G = S'S, deflated from component to component."""

    def __init__(self, inner: Array, training: _Training, exact: bool) -> None:
        self.inner, self.start, self.exact = inner, training.start, exact
        self.ranks = training.ranks
        self.least = EXHAUSTED * as_numpy(_traces(inner))

    def next(self, component: int) -> Array:
        """(split, target) a with a'Ga = 1; 0 where nothing is left to explain."""
        alive = (self.ranks > component) & (as_numpy(_traces(self.inner)) > self.least)
        kept = like(self.inner, alive.astype(float))[:, None]
        if self.exact or self.inner.shape[1] == 1:
            a = _dominant(self.inner) if self.exact else self.start
            return kept * a * _inverse_root((a * _apply(self.inner, a)).sum(-1))
        b = _apply(self.inner, self.start)
        scale = _inverse_root((self.start * b).sum(-1))
        a, b = self.start * scale, b * scale
        found = zeros(a, *a.shape)
        active = np.flatnonzero(alive)
        inner, a, b = (v[like(a, active)] for v in (self.inner, a, b))
        for step in range(1, ITERATIONS):
            if not len(active):
                break
            c = _apply(inner, b)
            scale = _inverse_root((b * c).sum(-1))
            a, last, b = b * scale, b, c * scale
            # |w_new - w_old|^2, both of unit length
            done = as_numpy(2 - 2 * (a * last).sum(-1)) < TOLERANCE
            if step == ITERATIONS - 1:
                done[:] = True
            if done.any():
                found[like(a, active[done])] = a[like(a, np.flatnonzero(done))]
                on = like(a, np.flatnonzero(~done))
                active, inner, a, b = active[~done], inner[on], a[on], b[on]
        return found

    def deflate(self, change: Array, loading: Array, square: Array) -> None:
        """Take the component out of G: S loses the product of its p and `loading` l.

        G - (S'p) l' - l (S'p)' + (p'p) l l'

        Args:
            change: (split, target) S'p.
            loading: (split, target).
            square: (split) p'p.
        """
        half = change - (square / 2)[:, None] * loading
        self.inner -= half[:, :, None] * loading[:, None, :]
        self.inner -= loading[:, :, None] * half[:, None, :]


def _squared_covariance_by_stimuli(training: _Training) -> Array:
    """G = Y'K Y (split, target, target) of the training sets, from one product of K with Y."""
    gram, y = training.features.gram, training.targets
    product, sums = gram @ y, gram.sum(1)
    inner = zeros(y, len(training.left), y.shape[1], y.shape[1])
    for number, left in enumerate(training.left):
        mean = training.offsets[number]
        right = product - sums[:, None] * mean[None, :] - gram[:, left] @ (y[left] - mean)
        centred = training.inside[number][:, None] * (y - mean)
        inner[number] = centred.T @ right
    return (inner + (inner.transpose(0, 2, 1) if isinstance(inner, np.ndarray) else inner.mT)) / 2


def _first_targets(whole: Array, splits: Splits, rotation: Array | None) -> Array:
    """(split, target) the first target that varies in training, in the rotated dimensions."""
    rows = zeros(whole, len(splits), whole.shape[1] if rotation is None else rotation.shape[1])
    for number, (train, _) in enumerate(splits):
        chosen = like(whole, np.asarray(train))
        for first in range(whole.shape[1]):
            column = whole[chosen, first]
            # scikit-learn sets what varies less than this to zero
            if float(abs(column - column.mean()).max()) >= 10 * np.finfo(np.float64).eps:
                break
        else:
            continue
        if rotation is None:
            rows[number, first] = 1.0
        else:
            rows[number] = rotation[first]
    return rows


def _together(
    splits: Splits, features: Features, targets: int, components: int
) -> Iterator[Splits]:
    """Groups of splits that fit the memory budget."""
    rows = min(features.count, features.stimuli)
    each = 8 * (rows * 2 * components + 2 * targets**2)
    each += 8 * features.count * targets if features.count < features.stimuli else 0
    size = max(1, BATCH // each)
    for start in range(0, len(splits), size):
        yield splits[start : start + size]


def _most(training: _Training, components: int) -> int:
    return int(min(components, training.ranks.max()))


def _apply(matrices: Array, vectors: Array) -> Array:
    """(split, row) M v of each split, for matrices (split, row, column)."""
    return (matrices @ vectors[:, :, None])[:, :, 0]


def _across(matrices: Array, vectors: Array) -> Array:
    """(split, column) M'v of each split."""
    return (vectors[:, None, :] @ matrices)[:, 0, :]


def _traces(matrices: Array) -> Array:
    size = matrices.shape[1]
    return matrices.reshape(len(matrices), -1)[:, :: size + 1].sum(-1)


def _inverse_length(rows: Array) -> Array:
    return _inverse_root((rows * rows).sum(-1))


def _inverse_root(squares: Array) -> Array:
    """(split, 1) 1 / sqrt; 0 where there is nothing."""
    positive = squares > 0
    return (positive * (squares * positive + ~positive) ** -0.5)[:, None]


def _dominant(inner: Array) -> Array:
    """(split, target) eigenvector of the largest eigenvalue."""
    if isinstance(inner, np.ndarray):
        return np.linalg.eigh(inner)[1][:, :, -1]
    import torch

    return torch.linalg.eigh(inner)[1][:, :, -1]
