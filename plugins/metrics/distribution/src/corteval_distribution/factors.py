"""How many units a factor of the stimuli, such as shape or texture, seems to occupy."""

from __future__ import annotations

import numpy as np

from corteval.errors import AssemblyError, UndefinedScore


def factor_dimensionality(
    first: np.ndarray, second: np.ndarray, factors: np.ndarray
) -> dict[str, float]:
    """Share of the units assigned to each factor, and to none of them (``"residual"``).

    Both stimuli of a pair have the value of one factor f in common and differ in the others::

        s_f = Σ_n mean_{pairs of f} (a_n - m_fn) (b_n - m_fn) / Σ_n var_n,    s_residual = 1
        N_f = floor(N softmax(s)_f),    N_residual = N - Σ_f N_f

    m_fn is the mean response of unit n over both sides of the pairs of f, and var_n its variance
    over both sides of all pairs. Source: spec ``metrics`` 2.7; Islam et al. (2021).

    Args:
        first, second: (pair, neuroid) responses a and b.
        factors: (pair) the factor that both stimuli have in common.

    Raises:
        AssemblyError: for arrays of other shapes, or responses that are not finite.
        UndefinedScore: if no response varies.
    """
    a, b = (np.asarray(side, np.float64) for side in (first, second))
    names = np.asarray(factors).astype(str)
    if a.ndim != 2 or a.shape != b.shape or names.shape != a.shape[:1] or not a.size:
        raise AssemblyError(
            f"Pairs have shapes {a.shape}, {b.shape} and factors {names.shape}; needed are two of "
            "(pair, neuroid) and (pair)."
        )
    if not (np.isfinite(a).all() and np.isfinite(b).all()) or "residual" in names:
        raise AssemblyError("Responses are finite, and no factor is called 'residual'.")
    variance = np.concatenate([a, b]).var(axis=0).sum()
    if not variance > 0:
        raise UndefinedScore(f"None of {a.shape[1]} units varies over {len(a)} pairs.")
    found = np.unique(names)
    scores = [1.0]
    for name in found:
        of = names == name
        mean = (a[of].mean(axis=0) + b[of].mean(axis=0)) / 2
        scores.append(((a[of] - mean) * (b[of] - mean)).mean(axis=0).sum() / variance)
    weights = np.exp(np.array(scores) - max(scores))
    units = np.floor(a.shape[1] * weights / weights.sum())[1:] / a.shape[1]
    return {**dict(zip(found.tolist(), units.tolist(), strict=True)), "residual": 1 - units.sum()}
