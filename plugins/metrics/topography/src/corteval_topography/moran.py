"""Moran's I: whether neighbouring units have like values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.sparse import csr_matrix

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_topography.grids import as_places, queen_neighbours

#: A spread below this share of the magnitude is rounding.
_ROUNDING = 1e-12
#: Values of permuted maps held at once.
_HELD = 8_000_000


@final
@dataclass(frozen=True, kw_only=True)
class MoranTest:
    """Moran's I and what it is where values have no order in space.

    Args:
        value: I.
        expected: -1 / (n - 1), its mean over permutations.
        deviation: its standard deviation over permutations.
        p: share of permutations, with the map itself, whose I is as large or larger.
        permutations: how many.
        seed: of them.
    """

    value: float
    expected: float
    deviation: float
    p: float
    permutations: int
    seed: int


def morans_i(
    values: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    neighbours: np.ndarray | None = None,
    row_standardised: bool = True,
) -> np.ndarray:
    """Moran's I of maps over units.

        I = n / Σ_ij w_ij · Σ_ij w_ij z_i z_j / Σ_i z_i²,    z = value - mean

    with w_ij = 1 for neighbours, divided by the number of neighbours of i if row-standardised
    (as esda does by default), so that every unit counts the same whether at an edge or not. Units
    without neighbours count in n and in z only. It is about 1 for smooth maps, -1 / (n - 1) on
    average without order, and negative for a chequerboard. Source: Moran 1950; spec ``language``
    section 5.

    Args:
        values: (unit) or (map, unit).
        x, y: (unit) places on a grid.
        neighbours: (pair, 2), each pair once; those of `queen_neighbours` if None.
        row_standardised: see above; else weights are 0 and 1.

    Returns:
        a number or (map); NaN where a map is constant.

    Raises:
        AssemblyError: if a value is not finite, or places are on no grid.
        UndefinedScore: if no unit has a neighbour.
    """
    maps, weights = _prepared(values, x, y, neighbours, row_standardised)
    found = _moran(maps, weights)
    return found if np.ndim(values) == 2 else found[0]


def moran_test(
    values: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    *,
    neighbours: np.ndarray | None = None,
    row_standardised: bool = True,
    permutations: int = 999,
    seed: int = 0,
) -> MoranTest:
    """Moran's I of one map, compared with those of its permutations over units.

    Args:
        values: (unit).
        x, y, neighbours, row_standardised: see `morans_i`.
        permutations: number of them.
        seed: of them.

    Raises:
        AssemblyError: see `morans_i`.
        UndefinedScore: if the map is constant, or no unit has a neighbour.
    """
    if permutations < 1:
        raise OptionError(f"A test takes one permutation or more, not {permutations}.")
    maps, weights = _prepared(np.asarray(values)[None], x, y, neighbours, row_standardised)
    (value,) = _moran(maps, weights)
    if np.isnan(value):
        raise UndefinedScore("The map is constant, so that it has no Moran's I.")
    generator = np.random.default_rng(seed)
    drawn = np.empty(permutations)
    step = max(1, _HELD // maps.shape[1])
    for start in range(0, permutations, step):
        rows = min(step, permutations - start)
        shuffled = generator.permuted(np.repeat(maps, rows, axis=0), axis=1)
        drawn[start : start + rows] = _moran(shuffled, weights)
    # sums in another order are the same map all the same
    larger = int((drawn >= value - 1e-12).sum())
    return MoranTest(
        value=float(value),
        expected=-1 / (maps.shape[1] - 1),
        deviation=float(drawn.std(ddof=1)) if permutations > 1 else float("nan"),
        p=(larger + 1) / (permutations + 1),
        permutations=permutations,
        seed=seed,
    )


def _prepared(
    values: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    neighbours: np.ndarray | None,
    row_standardised: bool,
) -> tuple[np.ndarray, csr_matrix]:
    maps = np.atleast_2d(np.asarray(values, np.float64))
    units = len(as_places(x, y))
    if maps.ndim != 2 or maps.shape[1] != units:
        raise AssemblyError(f"A map has a value for each of {units} units, not {maps.shape}.")
    if not np.isfinite(maps).all():
        raise AssemblyError(
            f"{int((~np.isfinite(maps)).sum())} values are not finite. Leave those units out, of "
            "values and places."
        )
    pairs = queen_neighbours(x, y) if neighbours is None else np.asarray(neighbours)
    if not len(pairs):
        raise UndefinedScore("No unit has a neighbour, so that there is no Moran's I.")
    rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
    weights = np.ones(len(rows))
    if row_standardised:
        weights /= np.bincount(rows, minlength=units)[rows]
    return maps, csr_matrix((weights, (rows, columns)), shape=(units, units))


def _moran(maps: np.ndarray, weights: csr_matrix) -> np.ndarray:
    z = maps - maps.mean(axis=1, keepdims=True)
    squares = np.einsum("ij,ij->i", z, z)
    scale = np.abs(maps).max(axis=1)
    constant = squares <= maps.shape[1] * (_ROUNDING * scale) ** 2
    lagged = np.asarray((weights @ z.T).T)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = maps.shape[1] / weights.sum() * np.einsum("ij,ij->i", z, lagged) / squares
    return np.where(constant, np.nan, found)
