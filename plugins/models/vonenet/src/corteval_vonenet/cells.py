"""Coordinates of V1 cells: where they look, what they prefer, and of which type they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from corteval_vonenet.block import SIZE_PIXELS, STRIDE, VISUAL_DEGREES
from corteval_vonenet.gabors import Gabors

#: Places per side of the map.
PLACES = SIZE_PIXELS // STRIDE


def places_degrees() -> np.ndarray:
    """Middles of the receptive fields along one axis.

    The filter at place k is centred on pixel 4 k, whose middle lies at (4 k + ½) / 28 - 4 degrees.
    """
    return (STRIDE * np.arange(PLACES) + 0.5) * (VISUAL_DEGREES / SIZE_PIXELS) - VISUAL_DEGREES / 2


def map_coordinates(filters: int) -> dict[str, np.ndarray]:
    """Where the units of a (filter, row, column) map look; y grows downwards."""
    shape = (filters, PLACES, PLACES)
    x, y = places_degrees()[None, None, :], places_degrees()[None, :, None]
    return {
        "receptive_field_x_degrees": np.broadcast_to(x, shape).ravel(),
        "receptive_field_y_degrees": np.broadcast_to(y, shape).ravel(),
    }


def cell_coordinates(gabors: Gabors) -> Mapping[str, np.ndarray]:
    """Further: what each cell prefers, and its type.

    ``orientation_degrees`` is the direction of the wave clockwise on screen from the x axis.
    """
    simple = np.arange(len(gabors)) < len(gabors) // 2
    by_filter = {
        "orientation_degrees": gabors.orientation_degrees,
        "spatial_frequency_cpd": gabors.spatial_frequency_cpd,
        "unit_type": np.where(simple, "simple", "complex"),
    }
    repeated = {name: np.repeat(column, PLACES**2) for name, column in by_filter.items()}
    return map_coordinates(len(gabors)) | repeated
