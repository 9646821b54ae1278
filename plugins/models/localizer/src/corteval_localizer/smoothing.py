"""Smoothing over tissue: each unit's response becomes a weighted mean over its neighbourhood."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

#: Takes (stimulus, unit of the layer), gives (stimulus, chosen unit).
Smoother = Callable[[np.ndarray], np.ndarray]

#: Standard deviations beyond which weights, below 4e-6, are left out.
_REACH = 5.0


def smoother(x_mm: np.ndarray, y_mm: np.ndarray, fwhm_mm: float, units: np.ndarray) -> Smoother:
    """Gaussian smoothing over units that lie at (x, y).

        w_ij = exp(-d_ij² / 2σ²),  σ = FWHM / √(8 ln 2),    r'_i = Σ_j w_ij r_j / Σ_j w_ij

    Weights are normalised, so that units at an edge keep their size.

    Args:
        x_mm, y_mm: of every unit of a layer.
        fwhm_mm: full width at half maximum.
        units: positions of the units wanted.
    """
    sigma = fwhm_mm / np.sqrt(8 * np.log(2))
    places = np.column_stack([x_mm, y_mm])
    near = cKDTree(places[units]).sparse_distance_matrix(
        cKDTree(places), _REACH * sigma, output_type="coo_matrix"
    )
    weights = np.exp(-(near.data**2) / (2 * sigma**2))
    kernel = csr_matrix((weights, (near.row, near.col)), shape=(len(units), len(places)))
    total = np.asarray(kernel.sum(axis=1)).ravel()

    def smooth(values: np.ndarray) -> np.ndarray:
        return np.asarray((kernel @ values.T).T / total)

    return smooth
