"""Model responses, and the inner products that all fits share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval_regression.arrays import (
    Array,
    add_product,
    column_means,
    double,
    like,
    minus,
    mirror,
    zeros,
)

#: Bytes of a float64 copy of a part of the features.
BUDGET = 64 * 2**20


@final
@dataclass(frozen=True, eq=False)
class Features:
    """Features over stimuli; their products are computed once, for all splits, fits and targets.

    With X_c the features minus their mean over all stimuli, a regression with intercept on any
    training set needs no more than K = X_c X_cᵀ (stimuli) or C = X_cᵀ X_c (features), whichever
    is smaller. Neither makes a float64 copy of all features. Products are in float64, whatever
    the features are in.

    Args:
        values: (stimulus, feature), numpy or torch, float32 or float64.
    """

    values: Array

    @classmethod
    def of(cls, x: Array) -> Features:
        """`x` itself if it is features already.

        Raises:
            OptionError: if `x` is not a matrix.
        """
        if isinstance(x, cls):
            return x
        values = x if hasattr(x, "ndim") else np.asarray(x)
        if values.ndim != 2 or not min(values.shape):
            raise OptionError(
                f"Features are stimuli x features; these have shape {tuple(values.shape)}."
            )
        if isinstance(values, np.ndarray) and values.dtype.kind != "f":
            values = values.astype(np.float64)
        made = cls(values)
        if not bool((made.mean - made.mean == 0).all()):
            raise OptionError("Features hold NaN or infinity; leave those stimuli or features out.")
        return made

    @property
    def stimuli(self) -> int:
        """Number of rows."""
        return int(self.values.shape[0])

    @property
    def count(self) -> int:
        """Number of features."""
        return int(self.values.shape[1])

    @cached_property
    def mean(self) -> Array:
        """(feature) mean over all stimuli."""
        return column_means(self.values)

    @cached_property
    def gram(self) -> Array:
        """K = X_c X_cᵀ (stimulus, stimulus)."""
        total = zeros(self.values, self.stimuli, self.stimuli)
        for columns in self.columns():
            add_product(total, self.block(columns))
        return mirror(total)

    @cached_property
    def covariance(self) -> Array:
        """C = X_cᵀ X_c (feature, feature), not divided by the number of stimuli."""
        total = zeros(self.values, self.count, self.count)
        step = max(1, BUDGET // (8 * self.count))
        for start in range(0, self.stimuli, step):
            add_product(total, self.centred(slice(start, start + step)).T)
        return mirror(total)

    def centred(self, rows: slice | np.ndarray) -> Array:
        """(row, feature) minus the mean over all stimuli, float64."""
        if self._whole is not None:
            return self._whole[rows]
        return minus(self.values[rows], self.mean)

    @cached_property
    def _whole(self) -> Array | None:
        """All features centred, kept if they fit the budget."""
        if 8 * self.stimuli * self.count > BUDGET:
            return None
        return minus(self.values, self.mean)

    def transposed_times(self, right: Array) -> Array:
        """X_cᵀ B (feature, column) for B (stimulus, column)."""
        found = zeros(self.values, self.count, right.shape[1])
        for columns in self.columns():
            found[columns] = (right.T @ self.block(columns)).T
        return found

    def block(self, columns: slice) -> Array:
        """(stimulus, feature) some features minus their means, float64."""
        if self._whole is not None:
            return self._whole[:, columns]
        return minus(self.values[:, columns], self.mean[columns])

    def columns(self) -> Iterator[slice]:
        """All features in parts of which a float64 copy fits the budget."""
        step = max(1, BUDGET // (8 * self.stimuli))
        for start in range(0, self.count, step):
            yield slice(start, min(start + step, self.count))


def responses(features: Features, y: Array) -> Array:
    """(stimulus, target) float64, beside `features`.

    Raises:
        OptionError: if the number of stimuli differs.
    """
    found = like(features.values, y)
    found = double(found[:, None] if found.ndim == 1 else found)
    if found.ndim != 2 or found.shape[0] != features.stimuli:
        raise OptionError(
            f"{features.stimuli} stimuli in the features, responses of shape {tuple(found.shape)}."
        )
    if not bool((found - found == 0).all()):
        raise OptionError("Responses hold NaN or infinity; leave those stimuli or targets out.")
    return found


def left_out(train: np.ndarray, stimuli: int) -> np.ndarray:
    """Positions of the stimuli that are not in `train`.

    Raises:
        OptionError: if `train` is empty or holds what is no position.
    """
    train = np.asarray(train)
    if not len(train):
        raise OptionError("A split has no training stimulus.")
    if train.dtype.kind not in "iu" or train.min() < 0 or train.max() >= stimuli:
        raise OptionError(
            f"Splits hold positions of stimuli from 0 to {stimuli - 1}, not {train[:3].tolist()}..."
        )
    outside = np.ones(stimuli, bool)
    outside[train] = False
    return np.flatnonzero(outside)


def place_among(left: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Positions of the test stimuli among those left out of training.

    Raises:
        OptionError: if a stimulus both trains and tests.
    """
    place = np.minimum(np.searchsorted(left, test), max(len(left) - 1, 0))
    if not len(left) or not np.array_equal(left[place], test):
        raise OptionError("A split trains and tests on the same stimulus.")
    return place


Splits = Sequence[tuple[np.ndarray, np.ndarray]]
