"""Closed paths along which elements of a contour lie."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def _regular(radii: list[float]) -> np.ndarray:
    angles = -np.pi / 2 + 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.array(radii)[:, None]


#: Corners (corner, 2) of each class, in units of the radius, y downwards.
CORNERS: Mapping[str, np.ndarray] = {
    "circle": _regular([1.0] * 90),
    "square": _regular([1.15] * 4) @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2),
    "triangle": _regular([1.3] * 3),
    "star": _regular([1.25, 0.6] * 5),
}


def along(corners: np.ndarray, count: int, start: float) -> tuple[np.ndarray, np.ndarray]:
    """Points at equal distances along a closed polygon, and its direction there.

    Args:
        corners: (corner, 2); the last is joined to the first.
        count: number of points.
        start: of the first, as a share of the distance between two points.

    Returns:
        (point, 2) positions, and (point) angles in radians, from the x axis towards y.
    """
    following = np.roll(corners, -1, axis=0)
    edges = following - corners
    lengths = np.hypot(*edges.T)
    ends = np.cumsum(lengths)
    places = (np.arange(count) + start) / count * ends[-1]
    edge = np.minimum(np.searchsorted(ends, places, side="right"), len(edges) - 1)
    share = (places - (ends[edge] - lengths[edge])) / lengths[edge]
    angles = np.arctan2(edges[edge, 1], edges[edge, 0])
    return corners[edge] + share[:, None] * edges[edge], angles
