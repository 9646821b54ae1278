"""How alike two representational dissimilarity matrices (RDMs) are.

RDMs are vectors over pairs of stimuli, see `pairs`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, final

import numpy as np

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Quantity
from corteval_similarity.grams import ROUNDING, moderate
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
        influence: of two prepared RDMs and their similarity: of pairs up to a constant, (pair).
        pairwise: whether a weight can be given to each pair. If not, `influence` is that of
            stimuli, (stimulus).
    """

    quantity: Quantity
    prepare: Callable[[np.ndarray], Any]
    value: Callable[[Any, Any], float]
    influence: Callable[[Any, Any, float], np.ndarray]
    pairwise: bool = True

    def compare(self, first: Any, second: Any, *, influence: bool) -> Compared:
        """Similarity of two prepared RDMs, with its influence if wanted."""
        value = min(max(self.value(first, second), -1.0), 1.0)  # but for rounding it is within
        if not influence:
            return Compared(value, None)
        change = self.influence(first, second, value)
        return Compared(value, of_pairs(change) if self.pairwise else change)


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
        UndefinedScore: if either is constant, zero for the cosines, or not finite.
        AssemblyError: if they are not vectors of the same pairs.
        OptionError: for another comparison.
    """
    chosen = comparison_named(comparison)
    sides = [chosen.prepare(pairs) for pairs in _of_same_pairs(first, second)]
    return chosen.compare(*sides, influence=False).value


def compare_rows(first: np.ndarray, second: np.ndarray, comparison: str = "spearman") -> np.ndarray:
    """Similarity of each RDM to the one in the same place.

    Args:
        first, second: (..., pair), of shapes that broadcast.
        comparison: see `compare_rdms`.

    Returns:
        (...); NaN where `compare_rdms` is undefined.

    Raises:
        OptionError: for another comparison.
    """
    first, second = np.broadcast_arrays(first, second)
    found = np.full(first.shape[:-1], np.nan)
    for place in np.ndindex(found.shape):
        with suppress(UndefinedScore):
            found[place] = compare_rdms(first[place], second[place], comparison)
    return found


def pair_influence(
    first: np.ndarray, second: np.ndarray, comparison: str = "spearman"
) -> np.ndarray:
    """Derivative of `compare_rdms` with respect to the weight of each pair, at equal weights.

    With weights, a correlation has weighted means and squares. A rank is the weight of what lies
    below, plus half of what is equal, so ranks move too.

    Args:
        first, second: (pair) of the same stimuli in the same order.
        comparison: see `compare_rdms`; not ``"whitened cosine"``, where pairs depend on each other.

    Returns:
        (pair); they sum to 0. For ``kendall`` exact up to 512 distinct values, then close.

    Raises:
        UndefinedScore: see `compare_rdms`.
        OptionError: for another comparison.
    """
    chosen = comparison_named(comparison)
    if not chosen.pairwise:
        raise OptionError(f"Pairs have no weights of their own in the {comparison}.")
    x, y = (chosen.prepare(pairs) for pairs in _of_same_pairs(first, second))
    change = chosen.influence(x, y, chosen.value(x, y))
    return np.asarray((change - change.mean()) / len(change))


def comparison_named(name: str) -> Comparison:
    """The comparison of this name.

    Raises:
        OptionError: if there is none.
    """
    if name not in _COMPARISONS:
        known = ", ".join(_COMPARISONS)
        raise OptionError(f"Unknown comparison of RDMs {name!r}; known: {known}.")
    return _COMPARISONS[name]


def _of_same_pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    for pairs in (first, second):
        if np.ndim(pairs) != 1 or not np.size(pairs):
            raise AssemblyError(
                f"RDMs are vectors over pairs of stimuli, not of shape {np.shape(pairs)}. Of a "
                "matrix take scipy.spatial.distance.squareform(matrix, checks=False)."
            )
    if len(first) != len(second):
        raise AssemblyError(
            f"RDMs of {len(first)} and of {len(second)} pairs; both must be of the same stimuli."
        )
    return _finite(first), _finite(second)


def _finite(pairs: np.ndarray) -> np.ndarray:
    """A copy in float64, for `Comparison.prepare`."""
    pairs = np.array(pairs, np.float64)
    bad = np.count_nonzero(~np.isfinite(pairs))
    if bad:
        raise UndefinedScore(f"{bad} of {len(pairs)} dissimilarities are not finite.")
    return pairs


def _unit(pairs: np.ndarray) -> np.ndarray:
    pairs = moderate(pairs)
    length = np.linalg.norm(pairs)
    if not length > 0:
        raise UndefinedScore(f"All {len(pairs)} dissimilarities are 0.")
    pairs /= length
    return pairs


def _standard(pairs: np.ndarray) -> np.ndarray:
    pairs = moderate(pairs)
    _require_variation(pairs)
    pairs -= pairs.mean()
    return _unit(pairs)


def _ranked(pairs: np.ndarray) -> Ranked:
    _require_variation(pairs)
    return rank_in_place(pairs)


def _require_variation(pairs: np.ndarray) -> None:
    low, high = pairs.min(), pairs.max()
    if high - low <= ROUNDING * max(abs(low), abs(high)):
        raise UndefinedScore(
            f"All {len(pairs)} dissimilarities are {pairs[0]:.4g}; a constant has no correlation."
        )


def _product(x: np.ndarray, y: np.ndarray) -> float:
    return float(x @ y)


def _product_influence(x: np.ndarray, y: np.ndarray, value: float) -> np.ndarray:
    """On Σ x y / sqrt(Σ x² Σ y²); for a correlation the mean has no influence."""
    change = x * x
    change += y * y
    change *= -value / 2
    change += x * y
    change *= len(change)
    return change


def _centred(pairs: np.ndarray) -> Centred:
    if not pairs.any():
        raise UndefinedScore(f"All {len(pairs)} dissimilarities are 0.")
    pairs = moderate(pairs)
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
        pairwise=False,
    ),
}
