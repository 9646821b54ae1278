"""How alike two representational dissimilarity matrices (RDMs) are.

RDMs are vectors over pairs of stimuli, see `pairs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.score import Quantity
from corteval_similarity.influence import Compared, Part, of_cosine, of_pairs
from corteval_similarity.pairs import row_sums, times
from corteval_similarity.rank_correlations import (
    kendall,
    kendall_influence,
    spearman,
    spearman_influence,
)
from corteval_similarity.ranks import Ranked, rank_in_place


class Centred(NamedTuple):
    """An RDM D with its row sums r; K = HDH, H = I - 11'/n, is D with rows and columns centred."""

    pairs: np.ndarray
    sums: np.ndarray

    @property
    def shift(self) -> np.ndarray:
        """α of K_ij = D_ij - α_i - α_j."""
        return np.asarray((self.sums - self.sums.mean() / 2) / len(self.sums))


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A way to compare RDMs.

    Args:
        quantity: what the similarity is.
        prepare: what it needs of one RDM; may overwrite the vector it is given.
        value: similarity of two prepared RDMs.
        influence: (stimulus), of two prepared RDMs and their similarity.
    """

    quantity: Quantity
    prepare: Callable[[np.ndarray], Any]
    value: Callable[[Any, Any], float]
    influence: Callable[[Any, Any, float], np.ndarray]

    def compare(self, first: Any, second: Any, *, influence: bool) -> Compared:
        """Similarity of two prepared RDMs, with its influence if wanted."""
        value = min(max(self.value(first, second), -1.0), 1.0)  # but for rounding it is within
        return Compared(value, self.influence(first, second, value) if influence else None)


def compare_rdms(first: np.ndarray, second: np.ndarray, comparison: str = "spearman") -> float:
    """Similarity of two RDMs.

    ===================  =========================================================================
    ``spearman``         Pearson correlation of ranks; ties have their mean rank
    ``pearson``          correlation over pairs
    ``kendall``          tau-a: (concordant - discordant) / number of pairs of values
    ``cosine``           Σ x y / sqrt(Σ x² Σ y²)
    ``whitened cosine``  x'V⁻¹y / sqrt(x'V⁻¹x y'V⁻¹y), where V is the covariance of distances
                         between patterns with independent noise of equal variance
    ===================  =========================================================================

    Source: spec ``metrics`` 2.5; Nili et al. 2014 (tau-a); Diedrichsen et al. 2021 (whitening).

    Args:
        first, second: (pair) of the same stimuli in the same order.
        comparison: one of the above.

    Raises:
        UndefinedScore: if either is constant, or zero for the cosines.
        OptionError: for another comparison.
    """
    chosen = comparison_named(comparison)
    sides = [chosen.prepare(np.array(pairs, np.float64)) for pairs in (first, second)]
    return chosen.compare(*sides, influence=False).value


def comparison_named(name: str) -> Comparison:
    """The comparison of this name.

    Raises:
        OptionError: if there is none.
    """
    if name not in _COMPARISONS:
        known = ", ".join(_COMPARISONS)
        raise OptionError(f"Unknown comparison of RDMs {name!r}; known: {known}.")
    return _COMPARISONS[name]


def _unit(pairs: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(pairs)
    if not length > 0:
        raise UndefinedScore(f"All {len(pairs)} dissimilarities are 0.")
    pairs /= length
    return pairs


def _standard(pairs: np.ndarray) -> np.ndarray:
    _require_variation(pairs)
    pairs -= pairs.mean()
    return _unit(pairs)


def _ranked(pairs: np.ndarray) -> Ranked:
    _require_variation(pairs)
    return rank_in_place(pairs)


def _require_variation(pairs: np.ndarray) -> None:
    if pairs.min() == pairs.max():
        raise UndefinedScore(
            f"All {len(pairs)} dissimilarities are {pairs[0]:.4g}; a constant has no correlation."
        )


def _product(x: np.ndarray, y: np.ndarray) -> float:
    return float(x @ y)


def _product_influence(x: np.ndarray, y: np.ndarray, value: float) -> np.ndarray:
    """Of Σ x y / sqrt(Σ x² Σ y²); for a correlation the mean has no influence."""
    change = x * x
    change += y * y
    change *= -value / 2
    change += x * y
    change *= len(change)
    return of_pairs(change)


def _centred(pairs: np.ndarray) -> Centred:
    if not pairs.any():
        raise UndefinedScore(f"All {len(pairs)} dissimilarities are 0.")
    return Centred(pairs, row_sums(pairs))


def _whitened_cosine(x: Centred, y: Centred) -> float:
    """Cosine of the centred matrices, which is what whitening by V comes to."""
    return float(_inner(x, y) / np.sqrt(_inner(x, x) * _inner(y, y)))


def _whitened_influence(x: Centred, y: Centred, value: float) -> np.ndarray:
    del value
    return of_cosine(_inner_part(x, y), _inner_part(x, x), _inner_part(y, y))


def _inner(x: Centred, y: Centred) -> float:
    """Σ_ij K_ij L_ij of the centred matrices; as rows of K sum to zero, Σ_ij K_ij E_ij."""
    return 2 * float(x.pairs @ y.pairs - x.shift @ y.sums)


def _inner_part(x: Centred, y: Centred) -> Part:
    """Σ_ij K_ij L_ij; a weight on stimulus i moves it by 2 Σ_j K_ij L_ij."""
    a, b, count = x.shift, y.shift, len(x.sums)
    rows = row_sums(x.pairs * y.pairs) - times(x.pairs, b) - times(y.pairs, a)
    rows += count * a * b - b * x.sums - a * y.sums + a * b.sum() + b * a.sum() + a @ b
    return Part(_inner(x, y), 2 * count * rows)


_COMPARISONS = {
    "spearman": Comparison(
        quantity="correlation", prepare=_ranked, value=spearman, influence=spearman_influence
    ),
    "pearson": Comparison(
        quantity="correlation", prepare=_standard, value=_product, influence=_product_influence
    ),
    "kendall": Comparison(
        quantity="correlation", prepare=_ranked, value=kendall, influence=kendall_influence
    ),
    "cosine": Comparison(
        quantity="similarity", prepare=_unit, value=_product, influence=_product_influence
    ),
    "whitened cosine": Comparison(
        quantity="similarity",
        prepare=_centred,
        value=_whitened_cosine,
        influence=_whitened_influence,
    ),
}
