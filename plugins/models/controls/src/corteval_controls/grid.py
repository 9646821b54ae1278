"""Averaging images over the cells of a square grid."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


def area_average(image: np.ndarray, cells: int) -> np.ndarray:
    """Mean of `image` over `cells` x `cells` equal rectangles; pixels cut by an edge count in part.

    Args:
        image: (height, width).
        cells: number of cells per axis.

    Returns:
        (cells, cells), float64.
    """
    rows, columns = (_overlaps(n, cells) for n in image.shape)
    return np.asarray(rows @ image.astype(np.float64) @ columns.T)


def centres_degrees(cells: int, visual_degrees: float) -> np.ndarray:
    """Centres of the cells along one axis, in degrees from the middle of the screen."""
    return (np.arange(cells) + 0.5) * (visual_degrees / cells) - visual_degrees / 2


@lru_cache(maxsize=32)
def _overlaps(pixels: int, cells: int) -> np.ndarray:
    """(cell, pixel) share of each cell that each pixel covers."""
    edges = np.arange(cells + 1) * (pixels / cells)
    low = np.maximum(edges[:-1, None], np.arange(pixels)[None])
    high = np.minimum(edges[1:, None], np.arange(pixels)[None] + 1)
    return np.clip(high - low, 0, None) * (cells / pixels)
