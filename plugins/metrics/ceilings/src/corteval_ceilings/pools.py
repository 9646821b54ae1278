"""Predictions of a subject's neuroids from the neuroids of other subjects.

The neuroids of several subjects side by side are features whose Gram matrix is the sum of those of
the subjects, so that a pool costs an addition and one factorisation, whatever the number of its
neuroids. With features X and test features X_T, both centred by training means, a linear fit
predicts H Y from training responses Y:

======== ========================================= =========================================
fit      more neuroids than stimuli, K = XX'       fewer
======== ========================================= =========================================
linear   H = X_T X' (K + c 11')^-1                 H = X_T (X'X)^-1 X'
ridge    H = X_T X' (K + alpha I)^-1               H = X_T (X'X + alpha I)^-1 X'
======== ========================================= =========================================

The first is ordinary least squares of minimal norm: K has no null vector but 1, and centred
responses are orthogonal to it. Ill-conditioned fits go by singular values instead.
Source: spec ``performance`` 6.2 and 6.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal, NamedTuple, final

import numpy as np

from corteval.stats.splits import Split
from corteval_ceilings.subsets import Level

Fit = Literal["linear", "ridge", "ridgecv"]

#: Penalties that ``"ridgecv"`` chooses from. Source: spec ``metrics``, Language 2.2.
ALPHAS = tuple(10.0**power for power in range(-3, 4))

#: Normal equations whose pivots differ by more than this are not solved (condition ~ its square).
_WORST_PIVOTS = 1e-5

#: Predictions that vary less than this share of the responses are constant but for rounding.
_ROUNDING = 1e-12


class Predicted(NamedTuple):
    """What one pool predicts of one subject in one split.

    Args:
        call: position in `Level.calls`.
        held_out: subject.
        r: (neuroid) correlation over test rows; NaN where either is constant.
        predicted, observed: (row, neuroid), centred, of unit norm.
    """

    call: int
    held_out: int
    r: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class Recordings:
    """Responses of several subjects to the same stimuli.

    Args:
        responses: of each subject, (stimulus, neuroid), centred.
        columns: of each subject, among the neuroids of all.
    """

    responses: Sequence[np.ndarray]
    columns: Sequence[slice]

    @classmethod
    def of(cls, responses: Sequence[np.ndarray]) -> Recordings:
        """From (stimulus, neuroid) responses of each subject."""
        centred = [np.array(y, np.float64, order="C") for y in responses]
        for y in centred:
            y -= y.mean(axis=0)
        ends = np.cumsum([0, *(y.shape[1] for y in centred)])
        columns = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        return cls(responses=centred, columns=columns)

    @cached_property
    def grams(self) -> np.ndarray:
        """(subject, stimulus, stimulus)."""
        return np.stack([y @ y.T for y in self.responses])


def predictions(
    data: Recordings, plan: Sequence[Level], split: Split, *, fit: Fit, alpha: float = 1.0
) -> Iterator[tuple[int, Iterator[Predicted]]]:
    """Predictions of one split for every level of `plan`: position of the level, and its calls.

    Args:
        data: of all subjects.
        plan: who is predicted from whom.
        split: training and test rows.
        fit: ``"linear"``, ``"ridge"`` with penalty `alpha`, or ``"ridgecv"``, which takes of
            `ALPHAS` the one with the least mean squared leave-one-out error over the held-out
            subject's neuroids.
        alpha: penalty of ``"ridge"``.
    """
    fold = _Fold(data, split, fit, alpha)
    for position, level in enumerate(plan):
        yield position, fold.level(level)


class _Narrow(NamedTuple):
    """A fit whose predictions follow from products of all neuroids over training rows.

    Args:
        left: (test, feature), X_T (X'X)^-1, to be multiplied with X'Y.
        rows: of the features among all neuroids.
    """

    left: np.ndarray
    rows: np.ndarray


@final
class _Fold:
    """One split, centred by its training means."""

    def __init__(self, data: Recordings, split: Split, fit: Fit, alpha: float) -> None:
        train, test = split
        self.fit, self.alpha = fit, alpha
        self.triangles: dict[int, np.ndarray] = {}
        self.train = [y[train] for y in data.responses]
        centres = [x.mean(axis=0) for x in self.train]
        self.test = [y[test] - c for y, c in zip(data.responses, centres, strict=True)]
        for x, centre in zip(self.train, centres, strict=True):
            x -= centre
        self.size = [np.abs(x).max(axis=0) for x in self.train]
        self.observed = [_unit(x.copy(), np.abs(x).max(axis=0)) for x in self.test]
        neuroids = [x.shape[1] for x in self.train]
        self.products: np.ndarray | None = None
        if sum(neuroids) - min(neuroids) >= len(train):  # some pool is wide
            self.centre_grams(data.grams, split)
        elif fit != "ridgecv":
            self.columns = [np.arange(c.start, c.stop) for c in data.columns]
            whole = np.concatenate(self.train, axis=1)
            self.products = whole.T @ whole

    def centre_grams(self, grams: np.ndarray, split: Split) -> None:
        inner = grams[:, split.train][:, :, split.train]
        cross = grams[:, split.test][:, :, split.train]
        of_train = inner.mean(axis=1, keepdims=True)
        whole = of_train.mean(axis=2, keepdims=True)
        self.cross = cross - cross.mean(axis=2, keepdims=True) - of_train + whole
        self.grams = inner - of_train - of_train.transpose(0, 2, 1) + whole
        self.sums = np.empty_like(self.grams[0]), np.empty_like(self.cross[0])

    def level(self, level: Level) -> Iterator[Predicted]:
        by_pool: dict[tuple[int, ...], dict[int, list[int]]] = {}
        for position, (pool, held_out) in enumerate(level.calls):
            by_pool.setdefault(pool, {}).setdefault(held_out, []).append(position)
        for pool, held in by_pool.items():
            smoothers = self.smoothers(pool, held)
            for held_out, positions in held.items():
                found = self.predict(smoothers[held_out], held_out)
                for position in positions:
                    yield Predicted(position, held_out, *found)

    def predict(
        self, smoother: np.ndarray | _Narrow, subject: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if isinstance(smoother, _Narrow) and self.products is not None:
            right = self.products[np.ix_(smoother.rows, self.columns[subject])]
            size = np.abs(smoother.left).max() * np.abs(right).max(axis=0)
            predicted = _unit(smoother.left @ right, size)
        else:
            size = np.abs(smoother).max() * self.size[subject]
            predicted = _unit(smoother @ self.train[subject], size)
        observed = self.observed[subject]
        return np.einsum("tn,tn->n", predicted, observed), predicted, observed

    def smoothers(
        self, pool: tuple[int, ...], held: Mapping[int, object]
    ) -> Mapping[int, np.ndarray | _Narrow]:
        """(test, train) matrix that turns training responses into predictions, by held-out."""
        if self.fit == "ridgecv":
            return self.cross_validated(pool, list(held))
        smoother = self.solved(pool)
        return dict.fromkeys(held, self.by_singular_values(pool) if smoother is None else smoother)

    def pooled(self, pool: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Gram matrices (train, train) and (test, train) of a pool, until the next one."""
        for total, parts in zip(self.sums, (self.grams, self.cross), strict=True):
            total[...] = parts[pool[0]]
            for subject in pool[1:]:
                total += parts[subject]
        return self.sums

    def features(self, pool: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        train, test = (np.concatenate([x[s] for s in pool], 1) for x in (self.train, self.test))
        return train, test

    def is_wide(self, pool: tuple[int, ...]) -> bool:
        return sum(self.train[s].shape[1] for s in pool) >= len(self.train[0])

    def solved(self, pool: tuple[int, ...]) -> np.ndarray | _Narrow | None:
        """By normal equations, or None if they are ill-conditioned."""
        from scipy.linalg import lapack

        penalty = self.alpha if self.fit == "ridge" else 0.0
        wide = self.is_wide(pool)
        rows = None
        if wide:
            normal, right = self.pooled(pool)
            normal += np.trace(normal) / len(normal) ** 2  # a multiple of 11'
        elif self.products is not None:
            rows = np.concatenate([self.columns[s] for s in pool])
            normal = self.products[np.ix_(rows, rows)]
            right = np.concatenate([self.test[s] for s in pool], axis=1)
        else:
            x, right = self.features(pool)
            normal = x.T @ x
        normal.flat[:: len(normal) + 1] += penalty
        # symmetric, so its transpose is itself in the order of Fortran
        factor, failed = lapack.dpotrf(normal.T, lower=True, clean=False, overwrite_a=True)
        pivots = factor.diagonal()
        if failed or not pivots.min() > _WORST_PIVOTS * pivots.max():
            return None
        solved = lapack.dpotrs(factor, right.T, lower=True)[0].T
        if rows is not None:
            return _Narrow(solved, rows)
        return np.asarray(solved if wide else solved @ x.T)

    def by_singular_values(self, pool: tuple[int, ...]) -> np.ndarray:
        x, x_test = self.features(pool)
        u, s, v = np.linalg.svd(x, full_matrices=False)
        penalty = self.alpha if self.fit == "ridge" else 0.0
        kept = s > max(x.shape) * np.finfo(float).eps * s.max(initial=0)
        inverse = np.where(kept, s / np.where(kept, s**2 + penalty, 1), 0)
        return np.asarray((x_test @ (v.T * inverse)) @ u.T)

    def condensed(self, subject: int) -> np.ndarray:
        """As many responses as rows at most, with the Gram matrix of all: by a triangle of QR."""
        y = self.train[subject]
        if y.shape[1] > len(y) and subject not in self.triangles:
            self.triangles[subject] = np.asarray(np.linalg.qr(y.T, mode="r")).T
        return self.triangles.get(subject, y)

    def cross_validated(self, pool: tuple[int, ...], held: Sequence[int]) -> dict[int, np.ndarray]:
        """Of each held-out subject, with the penalty that suits its neuroids."""
        if self.is_wide(pool):
            gram, cross = self.pooled(pool)
            values, u = np.linalg.eigh(gram)
            values, across = np.maximum(values, 0), cross @ u
        else:
            x, x_test = self.features(pool)
            u, s, v = np.linalg.svd(x, full_matrices=False)
            values, across = s**2, (x_test @ v.T) * s
        found = {}
        for subject in held:
            alpha = ALPHAS[int(np.argmin(_left_out_errors(u, values, self.condensed(subject))))]
            found[subject] = (across / (values + alpha)) @ u.T
        return found


def _left_out_errors(u: np.ndarray, values: np.ndarray, y: np.ndarray) -> Sequence[float]:
    """Sum over rows and responses of squared leave-one-out errors of ridge, for each of `ALPHAS`.

    With R = I - 11'/n - U diag(values/(values + alpha)) U' the error of row i is (RY)_i / R_ii.

    Args:
        u, values: eigenvectors (row, k) and eigenvalues of the centred features' Gram matrix.
        y: (row, response), centred.
    """
    projected = u.T @ y
    found = []
    for alpha in ALPHAS:
        shrunk = u * (values / (values + alpha))
        own = 1 - 1 / len(u) - np.einsum("ik,ik->i", shrunk, u)
        found.append(float((((y - shrunk @ projected) / own[:, None]) ** 2).sum()))
    return found


def _unit(x: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Columns centred and of unit norm, in place; NaN if they vary less than rounding of `size`."""
    x -= x.mean(axis=0)
    norm = np.sqrt(np.einsum("tn,tn->n", x, x))
    with np.errstate(invalid="ignore"):
        x /= np.where(norm <= _ROUNDING * size, np.nan, norm)
    return x
