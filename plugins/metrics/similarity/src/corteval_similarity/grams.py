"""Products of patterns with each other, formed in blocks of units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corteval.errors import AssemblyError, UndefinedScore

#: Bytes of one row of a block of units: 2,048 units in float32, 1,024 in float64.
_ROW_BYTES = 8192

#: Stimuli of one block.
_ROWS = 1024

#: From this many stimuli on, float16 and float32 patterns are multiplied in float32. An element of
#: the Gram matrix is then off by about 1e-7 of its scale, which averages out over so many pairs.
_SINGLE_FROM = 1000

#: Variation below this share of the magnitude is rounding error, not response.
ROUNDING = 1e-13

#: Values whose largest lies between this and its inverse may be squared twice, and added up.
_SMALLEST = 1e-12


def finite_patterns(patterns: np.ndarray) -> np.ndarray:
    """Patterns (stimulus, unit), if they are patterns.

    Raises:
        AssemblyError: for other dimensions, or responses that are not finite.
    """
    patterns = np.asarray(patterns)
    if patterns.ndim != 2 or not patterns.size:
        raise AssemblyError(
            f"Patterns are (stimulus, unit), not of shape {patterns.shape}. A single unit is "
            "responses[:, None]."
        )
    if not np.isfinite(_largest(patterns)):
        bad = ~np.isfinite(patterns)
        raise AssemblyError(
            f"{int(bad.sum())} of {bad.size} responses are not finite, to "
            f"{int(bad.any(axis=1).sum())} of {len(bad)} stimuli. Select others."
        )
    return patterns


def require_same_stimuli(x: np.ndarray, y: np.ndarray) -> None:
    """Refuse patterns of different numbers of stimuli.

    Raises:
        AssemblyError
    """
    if len(x) != len(y):
        raise AssemblyError(
            f"Patterns of {len(x)} and of {len(y)} stimuli; rows must be of the same stimuli."
        )


def moderate(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """`values`, or if products of them might overflow, those over a power of two.

    Args:
        values: of any shape.
        axis: scale each slice along it by itself; all by one number if None.
    """
    top, bottom = (pick(values, axis, keepdims=True) for pick in (np.max, np.min))
    largest = np.maximum(np.abs(np.float64(top)), np.abs(np.float64(bottom)))
    far = ((largest > 1 / _SMALLEST) | (largest < _SMALLEST)) & (largest > 0) & (largest < np.inf)
    if not far.any():
        return values
    exponent = np.frexp(largest)[1]
    return np.asarray(np.ldexp(values, np.where(far, -exponent, 0)))


def _largest(patterns: np.ndarray) -> float:
    return max(abs(float(patterns.max())), abs(float(patterns.min())))


def gram(
    patterns: np.ndarray, means: np.ndarray | None = None, *, double: bool = False
) -> np.ndarray:
    """Inner products of centred patterns, K_ij = Σ_u (x_iu - m_iu) (x_ju - m_ju), in float64.

    Args:
        patterns: x, (stimulus, unit).
        means: m, of each stimulus over units, (stimulus, 1); of each unit over stimuli if None.
        double: multiply in float64 whatever the type of `patterns`.

    Returns:
        (stimulus, stimulus).
    """
    dtype = np.float64 if double else multiplied_in(patterns)
    total = np.zeros((len(patterns), len(patterns)))
    product = np.empty(total.shape, dtype)
    for _, part in blocks(patterns, means, dtype):
        total += np.matmul(part, part.T, out=product)
    return total


def cross(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Σ_i x_iu y_iv over stimuli, (unit of x, unit of y), in float64."""
    total = np.zeros((x.shape[1], y.shape[1]))
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        total += x[rows].T @ y[rows]
    return total


def multiplied_in(patterns: np.ndarray) -> type[np.floating]:
    """Type in which products of `patterns` are formed before they are added up in float64."""
    single = patterns.dtype in (np.float16, np.float32) and len(patterns) >= _SINGLE_FROM
    return np.float32 if single else np.float64


def blocks(
    patterns: np.ndarray, means: np.ndarray | None = None, dtype: type[np.floating] = np.float64
) -> Iterator[tuple[slice, np.ndarray]]:
    """Columns of `patterns` in blocks: which they are, and what is left of them when centred."""
    step = _ROW_BYTES // np.dtype(dtype).itemsize
    for start in range(0, patterns.shape[1], step):
        where = slice(start, start + step)
        yield where, centred(patterns[:, where], means, dtype)


def centred(
    patterns: np.ndarray, means: np.ndarray | None = None, dtype: type[np.floating] = np.float64
) -> np.ndarray:
    """`patterns` less `means`, or less the mean of each unit over stimuli if None."""
    if means is None:
        means = patterns.mean(axis=0, dtype=np.float64)
    # subtracted in float64 and rounded after, without a large intermediate array
    rounded = np.empty(patterns.shape, dtype)
    return np.subtract(patterns, means, out=rounded, dtype=np.float64, casting="same_kind")


def require_variation(squares: np.ndarray, patterns: np.ndarray) -> None:
    """Refuse patterns that are the same for all stimuli.

    Args:
        squares: of the patterns less the mean of each unit, (stimulus).
        patterns: (stimulus, unit).

    Raises:
        UndefinedScore
    """
    stimuli, units = patterns.shape
    if not squares.sum() > stimuli * units * (ROUNDING * _largest(patterns)) ** 2:
        raise UndefinedScore(
            f"All {units} units respond alike to all {stimuli} stimuli; nothing is left to compare."
        )
