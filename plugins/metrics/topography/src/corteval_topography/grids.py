"""Units on a grid: their places, and which of them are neighbours."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from corteval.errors import AssemblyError, OptionError

#: How far places may lie from a grid, in its steps.
_TOLERANCE = 1e-6


def grid_positions(
    units: int, width: int | None = None, *, seed: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Places (x, y) of units on a grid, row by row; shuffled if there is a seed.

    TopoLM gives each layer a random permutation of a square grid. Source: spec ``language``
    section 5.

    Args:
        units: how many.
        width: units of a row; that of a square if None.
        seed: of the permutation; None leaves units in order.

    Raises:
        OptionError: if the units fill no rectangle.
    """
    side = round(units**0.5) if width is None else width
    if units < 1 or side < 1 or units % side or (width is None and side * side != units):
        square = "no square" if width is None else f"no rows of {width}"
        raise OptionError(f"{units} units fill {square}. Give a width that divides their number.")
    places = np.arange(units)
    if seed is not None:
        places = np.random.default_rng(seed).permutation(units)
    return (places % side).astype(float), (places // side).astype(float)


def on_grid(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(unit, 2) places in steps of the grid, whole numbers.

    The step, the same along both axes, is the smallest distance between two different x or y.

    Raises:
        AssemblyError: if the places are on no grid, or two units are at one place.
    """
    places = as_places(x, y)
    steps = [np.diff(np.unique(column)) for column in places.T]
    gaps = np.concatenate(steps)
    scale = np.abs(places).max(initial=0.0) or 1.0
    gaps = gaps[gaps > _TOLERANCE * scale]
    if not gaps.size:
        raise AssemblyError(f"{len(places)} units are at one place, so that there is no grid.")
    exact = (places - places.min(axis=0)) / gaps.min()
    whole = np.rint(exact)
    if np.abs(exact - whole).max() > 1e-3:
        raise AssemblyError(
            f"Units are on no square grid: with a step of {gaps.min():.4g}, some are up to "
            f"{np.abs(exact - whole).max():.2g} steps beside it. Give neighbours yourself "
            "(neighbours=...)."
        )
    if len(np.unique(whole, axis=0)) < len(whole):
        raise AssemblyError("Two units are at one place of the grid.")
    return whole


def queen_neighbours(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(pair, 2) units that are neighbours on a grid as a queen moves: along a side or a corner.

    Every pair stands once, the smaller number first.

    Args:
        x, y: (unit) places on a grid with gaps or without.

    Raises:
        AssemblyError: see `on_grid`.
    """
    pairs = cKDTree(on_grid(x, y)).query_pairs(1.5, p=np.inf, output_type="ndarray")
    return np.asarray(pairs[np.lexsort(pairs.T[::-1])])


def as_places(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(unit, 2) places.

    Raises:
        AssemblyError: if there are not as many x as y, or one is not finite.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise AssemblyError(f"Places have one x and one y a unit, not {x.shape} and {y.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise AssemblyError("Some units have no place: x or y is not finite.")
    return np.column_stack([x, y])
