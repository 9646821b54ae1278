"""Centred kernel alignment (CKA) with linear kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, final

import numpy as np

from corteval.errors import UndefinedScore
from corteval.stats.resampling import require_stimuli
from corteval_similarity.grams import (
    ROUNDING,
    centred,
    cross,
    finite_patterns,
    gram,
    moderate,
    multiplied_in,
    require_same_stimuli,
    require_variation,
)
from corteval_similarity.influence import Compared, Part, of_cosine

#: Stimuli that the debiased estimate takes.
_FEWEST = 4

_Sum = TypeVar("_Sum", float, np.ndarray)


@final
@dataclass(frozen=True, kw_only=True)
class Kernel:
    """Inner products of centred patterns, K = XX' with columns of X centred.

    Held as X where units are fewer than stimuli, else as K.

    Args:
        patterns: X, (stimulus, unit), or None.
        products: K, (stimulus, stimulus), or None.
    """

    patterns: np.ndarray | None = None
    products: np.ndarray | None = None

    @classmethod
    def of(cls, patterns: np.ndarray) -> Kernel:
        """Kernel of patterns (stimulus, unit).

        Raises:
            AssemblyError: if they are no patterns, or not finite.
            UndefinedScore: if no unit varies over stimuli.
        """
        patterns = moderate(finite_patterns(patterns))
        stimuli, units = patterns.shape
        if units < stimuli:
            kernel = cls(patterns=centred(patterns, dtype=multiplied_in(patterns)))
        else:
            kernel = cls(products=gram(patterns))
        require_variation(kernel.squares, patterns)
        return kernel

    def among(self, rows: np.ndarray) -> Kernel:
        """Kernel of the stimuli at `rows`, centred on them.

        Raises:
            UndefinedScore: if no unit varies over them.
        """
        if self.patterns is not None:
            kernel = Kernel(patterns=centred(self.patterns[rows]))
        else:
            assert self.products is not None
            products = self.products[np.ix_(rows, rows)]
            means = products.mean(axis=0)
            products -= means
            products -= means[:, None]
            products += means.mean()
            kernel = Kernel(products=products)
        if not kernel.squares.sum() > ROUNDING * self.squares[rows].sum():
            raise UndefinedScore(f"Patterns do not vary over a subset of {len(rows)} stimuli.")
        return kernel

    @cached_property
    def squares(self) -> np.ndarray:
        """K_ii, (stimulus)."""
        if self.patterns is not None:
            return np.einsum("ij,ij->i", self.patterns, self.patterns, dtype=np.float64)
        assert self.products is not None
        return self.products.diagonal()

    def times(self, columns: np.ndarray) -> np.ndarray:
        """K times (stimulus) or (stimulus, column), in float64."""
        columns = columns.astype(np.float64, copy=False)
        if self.patterns is not None:
            return np.asarray(self.patterns @ (self.patterns.T @ columns))
        assert self.products is not None
        return np.asarray(self.products @ columns)

    def overlap(self, other: Kernel) -> float:
        """Σ_ij K_ij L_ij."""
        if self.patterns is not None and other.patterns is not None:
            products = cross(self.patterns, other.patterns)
            return float(np.vdot(products, products))
        if self.products is not None and other.products is not None:
            return float(np.vdot(self.products, other.products))
        return float(self.overlaps(other).sum())

    def overlaps(self, other: Kernel) -> np.ndarray:
        """Σ_j K_ij L_ij, (stimulus)."""
        if other.patterns is not None:
            return np.asarray((self.times(other.patterns) * other.patterns).sum(axis=1))
        if self.patterns is not None:
            return other.overlaps(self)
        assert self.products is not None
        assert other.products is not None
        return np.einsum("ij,ij->i", self.products, other.products)


def cka(x: np.ndarray, y: np.ndarray, *, debiased: bool = True) -> float:
    """Similarity of two sets of patterns up to rotation and one scale, from -1 or 0 to 1.

        CKA = H(K, L) / sqrt(H(K, K) H(L, L)),    K = XX', L = YY'

    ``H`` debiased is the U-statistic of Song et al. 2012, with K and L less their diagonals::

        H(K, L) = [Σ K∘L + 1'K1 1'L1 / ((n-1)(n-2)) - 2 1'KL1 / (n-2)] / (n (n-3))

    and biased it is tr(K H L H) with H = I - 11'/n, so CKA = ‖Xc'Yc‖² / (‖Xc'Xc‖ ‖Yc'Yc‖), which
    tends to 1 when units outnumber stimuli whatever the patterns. Source: spec ``metrics`` 2.5.

    Args:
        x, y: (stimulus, unit), each with units of its own.
        debiased: which estimate.

    Raises:
        AssemblyError: if they are no patterns of the same number of stimuli, or not finite.
        UndefinedScore: with fewer than four stimuli (biased: two), or if either set does not vary
            over stimuli by more than chance.
    """
    x, y = (finite_patterns(side) for side in (x, y))
    require_same_stimuli(x, y)
    return compare_kernels(Kernel.of(x), Kernel.of(y), debiased=debiased, influence=False).value


def compare_kernels(x: Kernel, y: Kernel, *, debiased: bool, influence: bool) -> Compared:
    """CKA of two kernels over the same stimuli in the same order, see `cka`."""
    if debiased:
        require_stimuli(len(x.squares), _FEWEST, "Debiased CKA")
    pairs = (x, y), (x, x), (y, y)
    cross, first, second = (_hsic(*pair, debiased=debiased) for pair in pairs)
    for side, own, squares in (("source", first, x.squares), ("target", second, y.squares)):
        if not own * len(squares) ** 2 > ROUNDING * float(squares @ squares):
            raise UndefinedScore(
                f"The HSIC of the {side} with itself is {own:.3g}: all its patterns are as far "
                "from each other."
            )
    value = min(max(cross / np.sqrt(first * second), -1.0), 1.0)  # but for rounding it is within
    if not influence or (debiased and len(x.squares) == _FEWEST):
        return Compared(value, None)  # with a stimulus less there would be no estimate
    parts = [
        Part(part, _hsic_influence(*pair, debiased=debiased))
        for part, pair in zip((cross, first, second), pairs, strict=True)
    ]
    return Compared(value, of_cosine(*parts))


def _hsic(x: Kernel, y: Kernel, *, debiased: bool) -> float:
    """H(K, L) of `cka`."""
    count, total = len(x.squares), x.overlap(y)
    if not debiased:
        return total / count**2
    diagonal = float(x.squares @ y.squares)
    # rows of K sum to zero, and to -K_ii without the diagonal
    sums = float(x.squares.sum() * y.squares.sum())
    return _debiased(count, total - diagonal, sums, diagonal)


def _debiased(count: int, total: _Sum, sums: _Sum, crossed: _Sum) -> _Sum:
    """Song's estimate from Σ K∘L, 1'K1 1'L1 and 1'KL1 of matrices without diagonals."""
    inner = total + sums / ((count - 1) * (count - 2)) - 2 * crossed / (count - 2)
    return inner / (count * (count - 3))


def _hsic_influence(x: Kernel, y: Kernel, *, debiased: bool) -> np.ndarray:
    """Of each stimulus on H(K, L), up to a constant share of H.

    Biased: the derivative in the stimulus' weight. Debiased: the change when it is left out, so
    that the sums lose what it is part of.
    """
    count, overlaps = len(x.squares), x.overlaps(y)
    if not debiased:
        return 2 * overlaps / count
    a, b = x.squares, y.squares
    diagonal = a * b
    overlaps = overlaps - diagonal
    without = _debiased(
        count - 1,
        overlaps.sum() - 2 * overlaps,
        (2 * a - a.sum()) * (2 * b - b.sum()),
        diagonal.sum() - 3 * diagonal + x.times(b) + y.times(a) + overlaps,
    )
    return (count - 1) * (_hsic(x, y, debiased=True) - without)
