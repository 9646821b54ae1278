"""Similarity after the best rotation."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh

from corteval_similarity.grams import (
    blocks,
    centred,
    finite_patterns,
    gram,
    moderate,
    require_same_stimuli,
    require_variation,
)
from corteval_similarity.influence import Compared


def procrustes(x: np.ndarray, y: np.ndarray) -> float:
    """Cosine of the Procrustes angle between two sets of patterns, from 0 to 1.

        s = ‖Xc'Yc‖_* / (‖Xc‖ ‖Yc‖) = max_Q tr(Q'Xc'Yc) / (‖Xc‖ ‖Yc‖),    Q orthogonal

    where ‖.‖_* is the sum of singular values and columns are centred; the smaller set is padded
    with silent units. arccos(s) is a metric (Williams et al. 2021), and 1 - s² is the disparity
    that ``scipy.spatial.procrustes`` returns. A rotation of many units fits few stimuli well
    whatever the patterns, so compare scores for equal numbers of units and stimuli only.

    Args:
        x, y: (stimulus, unit), each with units of its own.

    Raises:
        AssemblyError: if they are no patterns of the same number of stimuli, or not finite.
        UndefinedScore: if either set does not vary over stimuli.
    """
    return compare_patterns(x, y, influence=False).value


def compare_patterns(x: np.ndarray, y: np.ndarray, *, influence: bool) -> Compared:
    """Procrustes similarity, and its influence if wanted, see `procrustes`."""
    x, y = (moderate(finite_patterns(side)) for side in (x, y))
    require_same_stimuli(x, y)
    wide, narrow = (x, y) if x.shape[1] > y.shape[1] else (y, x)
    squares = [_squares(side) for side in (wide, narrow)]
    for own, side in zip(squares, (wide, narrow), strict=True):
        require_variation(own, side)
    stimuli = len(wide)
    if wide.shape[1] * narrow.shape[1] > stimuli**2:
        wide, narrow = (_reduced(s) if s.shape[1] > stimuli else s for s in (wide, narrow))
    lengths = [float(own.sum()) for own in squares]
    scale = np.sqrt(lengths[0] * lengths[1])
    fewer = centred(narrow)
    cross = np.concatenate([part.T @ fewer for _, part in blocks(wide)])
    if not influence:
        total = float(np.linalg.svd(cross, compute_uv=False).sum())
        return Compared(min(total / scale, 1.0), None)
    left, singular, right = np.linalg.svd(cross, full_matrices=False)
    value = min(float(singular.sum()) / scale, 1.0)
    # with the best rotation Q = left right, the singular values sum to Σ_i x_i' Q y_i
    turned = np.zeros((stimuli, len(singular)))
    for where, part in blocks(wide):
        turned += part @ left[where]
    agreement = np.einsum("ij,ij->i", turned, fewer @ right.T)
    shrinkage = squares[0] / lengths[0] + squares[1] / lengths[1]
    return Compared(value, stimuli * (agreement / scale - value / 2 * shrinkage))


def _reduced(patterns: np.ndarray) -> np.ndarray:
    """Patterns of as many units as there are stimuli, with the same inner products."""
    products = gram(patterns, double=True)
    # a constant makes up for the dimension that centring took, and goes when it is centred again
    products += products.trace() / len(products) ** 2
    try:
        return np.asarray(cholesky(products, lower=True))
    except LinAlgError:  # fewer dimensions than stimuli
        values, vectors = eigh(products)
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))


def _squares(patterns: np.ndarray) -> np.ndarray:
    """Σ_u of centred patterns squared, (stimulus)."""
    total = np.zeros(len(patterns))
    for _, part in blocks(patterns):
        total += np.einsum("ij,ij->i", part, part)
    return total
