"""Outlines of the classes of shape: which points of the plane lie inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

#: Points (u, v) of the plane, v downwards -> inside or not, for the form of an object in [0, 1].
#: The whole of every shape lies in the circle of radius 1.
Outline = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


def inside_polygon(u: np.ndarray, v: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Even-odd rule: a point is inside if a ray from it crosses the outline an odd number of times.

    Args:
        u, v: coordinates of points; they may broadcast.
        corners: (corner, 2), in order; the last is joined to the first.
    """
    inside = np.zeros(np.broadcast_shapes(u.shape, v.shape), bool)
    for (u1, v1), (u2, v2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if v1 == v2:  # the ray runs along this edge, which its neighbours decide
            continue
        crossed = (v1 > v) != (v2 > v)
        inside ^= crossed & (u < (u2 - u1) * (v - v1) / (v2 - v1) + u1)
    return inside


def regular(radii: np.ndarray) -> np.ndarray:
    """Corners at equal angles and given radii, the first at the top: (corner, 2)."""
    angles = -np.pi / 2 + 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _disc(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    return np.asarray(u**2 + (v / (0.75 + 0.25 * form)) ** 2 <= 1)


def _ring(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    radius = np.hypot(u, v)
    return np.asarray((radius <= 1) & (radius >= 0.5 + 0.2 * form))


def _square(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    half = 1 / np.sqrt(2)
    return np.asarray((abs(u) <= half) & (abs(v) <= half * (0.75 + 0.25 * form)))


def _triangle(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    return inside_polygon(u, v, regular(np.ones(3)) * [0.7 + 0.3 * form, 1])


def _cross(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    arm = 0.22 + 0.13 * form
    long = np.sqrt(1 - arm**2)
    return np.asarray(((abs(u) <= arm) & (abs(v) <= long)) | ((abs(v) <= arm) & (abs(u) <= long)))


def _star(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    return inside_polygon(u, v, regular(np.tile([1, 0.35 + 0.15 * form], 5)))


def _crescent(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    cut = np.hypot(u - (0.4 + 0.2 * form), v) < 0.85
    return np.asarray((np.hypot(u, v) <= 1) & ~cut)


def _hourglass(u: np.ndarray, v: np.ndarray, form: float) -> np.ndarray:
    waist = 0.05 + 0.15 * form
    half = 1 / np.sqrt(2)
    return np.asarray((abs(v) <= half) & (abs(u) <= waist + (half - waist) * abs(v) / half))


#: By class.
OUTLINES: Mapping[str, Outline] = {
    "disc": _disc,
    "ring": _ring,
    "square": _square,
    "triangle": _triangle,
    "cross": _cross,
    "star": _star,
    "crescent": _crescent,
    "hourglass": _hourglass,
}
