"""Gratings of Marques et al. 2020: drawn in memory, pixel for pixel as published.

Geometry (spec ``marques2020`` section 1): 672 x 672 pixels for 12 degrees; pixel (row i, column j)
lies at x = (j-336)/56 and y = (i-336)/56 degrees, y downwards. A grating of orientation θ
(direction of its wave vector, clockwise on screen from the x axis), spatial frequency f and phase
φ has

    t = contrast · sin(2π f (x cos θ + y sin θ) + φ),    value = ⌊255 (t + 1) / 2⌋

inside the closed disc of its radius, and 128 outside, with x and y from the disc's centre.
"""

from __future__ import annotations

import itertools
from functools import cache
from typing import final

import numpy as np
import pandas as pd

from corteval.stimuli import StimulusSet

SIZE_PIXELS = 672
VISUAL_DEGREES = 12.0
BACKGROUND = 128
_PER_DEGREE = SIZE_PIXELS / VISUAL_DEGREES

#: Gratings of all sets but the receptive-field map are centred here (x and y, degrees).
CENTRE_DEGREES = 0.5

ORIENTATIONS = tuple(15.0 * k for k in range(12))
PHASES = tuple(45.0 * k for k in range(8))
SPATIAL_FREQUENCIES = tuple(2 ** (-1.375 + 0.25 * k) for k in range(22))
RADII = tuple(0.5 * 2 ** (-2.25 + 0.5 * k) for k in range(12))
_FOUR_FREQUENCIES = tuple(SPATIAL_FREQUENCIES[k] for k in (4, 8, 12, 16))

#: Columns that describe a grating; angles in degrees, frequency in cycles per degree.
PARAMETERS = ("y", "x", "radius", "spatial_frequency", "orientation", "phase")


def table(stimulus_set: str) -> pd.DataFrame:
    """Parameters of one published set, indexed by ``stimulus_id``; column ``cycles`` is m or NaN.

    Args:
        stimulus_set: ``blank``, ``receptive_field``, ``orientation``, ``spatial_frequency`` or
            ``size``.
    """
    rows = pd.DataFrame(_ROWS[stimulus_set](), columns=[*PARAMETERS, "cycles"], dtype=float)
    rows.insert(0, "stimulus_set", stimulus_set)
    rows.index = pd.Index(
        [f"{stimulus_set}-{number:04d}" for number in range(len(rows))], name="stimulus_id"
    )
    return rows


def stimuli(*stimulus_sets: str) -> StimulusSet:
    """The named sets as one stimulus set with column ``stimulus_set`` and the parameters.

    All have one maker of images, so that each grating is digested once in a process.
    """
    return StimulusSet(
        identifier="Marques2020.gratings",
        modality="image",
        table=pd.concat([table(name) for name in stimulus_sets]),
        visual_degrees=VISUAL_DEGREES,
        images=_images(),
    )


def draw(
    y: float, x: float, radius: float, spatial_frequency: float, orientation: float, phase: float
) -> np.ndarray:
    """One grating, uint8 (672, 672); lengths in degrees, angles in degrees of rotation."""
    image = np.full((SIZE_PIXELS, SIZE_PIXELS), BACKGROUND, np.uint8)
    rows, columns = _span(y, radius), _span(x, radius)
    if rows.start == rows.stop or columns.start == columns.stop:
        return image
    dy, dx = _axis()[rows, None] - y, _axis()[None, columns] - x
    theta, phi = np.deg2rad(orientation), np.deg2rad(phase)
    wave = np.sin(2 * np.pi * spatial_frequency * (dx * np.cos(theta) + dy * np.sin(theta)) + phi)
    inside = dx**2 + dy**2 <= radius**2
    image[rows, columns][inside] = (255 * (wave + 1) / 2).astype(np.uint8)[inside]
    return image


@final
class GratingImages:
    """Draws the gratings of a table on demand."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._parameters = dict(zip(rows.index, rows[list(PARAMETERS)].to_numpy(), strict=True))

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """Pixels of one grating; a blank has radius NaN."""
        parameters = self._parameters[stimulus_id]
        if np.isnan(parameters).any():
            return np.full((SIZE_PIXELS, SIZE_PIXELS), BACKGROUND, np.uint8)
        return draw(*parameters)


def _blank() -> list[tuple[float, ...]]:
    return [(np.nan,) * 7]


def _receptive_field() -> list[tuple[float, ...]]:
    positions = [-2.5 + 0.25 * k for k in range(21)]
    grid = itertools.product(positions, positions, (0, 45, 90, 135), (0, 180))
    return [(y, x, 1 / 6, 3, orientation, phase, np.nan) for y, x, orientation, phase in grid]


def _orientation() -> list[tuple[float, ...]]:
    grid = itertools.product((2, 3, 4), _FOUR_FREQUENCIES, ORIENTATIONS, PHASES)
    return [
        (CENTRE_DEGREES, CENTRE_DEGREES, m / (2 * f), f, orientation, phase, m)
        for m, f, orientation, phase in grid
    ]


def _spatial_frequency() -> list[tuple[float, ...]]:
    grid = itertools.product((0.75, 2.25), SPATIAL_FREQUENCIES, ORIENTATIONS[::2], PHASES)
    return [(CENTRE_DEGREES, CENTRE_DEGREES, *row, np.nan) for row in grid]


def _size() -> list[tuple[float, ...]]:
    grid = itertools.product(RADII, _FOUR_FREQUENCIES, ORIENTATIONS[::2], PHASES)
    return [(CENTRE_DEGREES, CENTRE_DEGREES, *row, np.nan) for row in grid]


_ROWS = {
    "blank": _blank,
    "receptive_field": _receptive_field,
    "orientation": _orientation,
    "spatial_frequency": _spatial_frequency,
    "size": _size,
}


@cache
def _images() -> GratingImages:
    return GratingImages(pd.concat([table(name) for name in _ROWS]))


@cache
def _axis() -> np.ndarray:
    return (np.arange(SIZE_PIXELS) - SIZE_PIXELS / 2) / _PER_DEGREE


def _span(centre: float, radius: float) -> slice:
    """Pixels that may lie in the disc: drawing elsewhere would be wasted."""
    low, high = np.searchsorted(_axis(), [centre - radius - 0.02, centre + radius + 0.02])
    return slice(int(low), int(high))
