"""Assemblies of RDMs: data of which dissimilarities exist, but no patterns.

Dims are ``[subject, ]presentation, presentation_2`` with coordinates ``stimulus_id``
(presentation), ``stimulus_id_2`` (presentation_2) and ``subject`` (subject).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from scipy.spatial.distance import squareform

from corteval.assembly import in_order
from corteval.errors import AssemblyError

#: Differences across the diagonal of this share of the largest value are rounding.
_SYMMETRY = 1e-5

_TURNED = {
    "presentation": "presentation_2",
    "presentation_2": "presentation",
    "stimulus_id": "stimulus_id_2",
    "stimulus_id_2": "stimulus_id",
}


def rdm_assembly(
    values: np.ndarray, stimulus_ids: Sequence[str], subjects: Sequence[str] | None = None
) -> xr.DataArray:
    """Build an assembly of RDMs, in float64.

    Args:
        values: (stimulus, stimulus), or (subject, stimulus, stimulus) with `subjects`; symmetric.
            The diagonal does not matter. Or one value a pair, see `pairs`: (pair), or (subject,
            pair) with `subjects`.
        stimulus_ids: of rows and of columns.
        subjects: names.

    Raises:
        AssemblyError: says what does not fit.
    """
    coords: dict[str, Any] = {
        "stimulus_id": ("presentation", list(stimulus_ids)),
        "stimulus_id_2": ("presentation_2", list(stimulus_ids)),
    }
    dims = ["presentation", "presentation_2"]
    if subjects is not None:
        coords["subject"] = ("subject", list(subjects))
        dims.insert(0, "subject")
    values = np.asarray(values, np.float64)
    if values.ndim == len(dims) - 1:
        values = _matrices(values, len(stimulus_ids))
    try:
        assembly = xr.DataArray(values, coords=coords, dims=dims)
    except ValueError as error:
        raise AssemblyError(f"Values of shape {np.shape(values)} do not fit: {error}") from error
    rdm_pairs(assembly)
    return assembly


def _matrices(pairs: np.ndarray, stimuli: int) -> np.ndarray:
    """(..., stimulus, stimulus) from (..., pair)."""
    if pairs.shape[-1] != stimuli * (stimuli - 1) // 2:
        raise AssemblyError(
            f"{stimuli} stimuli have {stimuli * (stimuli - 1) // 2} pairs; values of shape "
            f"{pairs.shape} do not fit."
        )
    matrices = [squareform(row, checks=False) for row in pairs.reshape(-1, pairs.shape[-1])]
    return np.reshape(matrices, (*pairs.shape[:-1], stimuli, stimuli))


def rdm_pairs(assembly: xr.DataArray, stimulus_ids: np.ndarray | None = None) -> np.ndarray:
    """Dissimilarities of every pair of stimuli, (subject, pair), float64, see `pairs`.

    Args:
        assembly: RDMs.
        stimulus_ids: in the order of the result; that of ``presentation`` if None.

    Raises:
        AssemblyError: if a coordinate or a stimulus lacks or repeats, or if a matrix is not finite
            and symmetric.
    """
    allowed = {"subject", "presentation", "presentation_2"}
    if not {"presentation", "presentation_2"} <= set(assembly.dims) <= allowed:
        raise AssemblyError(
            f"Dimensions are {', '.join(map(str, assembly.dims))}; RDMs have presentation, "
            "presentation_2 and may have subject."
        )
    for name, dim in (("stimulus_id", "presentation"), ("stimulus_id_2", "presentation_2")):
        if name not in assembly.coords or assembly[name].dims != (dim,):
            raise AssemblyError(f"Coordinate {name!r} along {dim} is missing.")
        if len(set(assembly[name].values.tolist())) < assembly.sizes[dim]:
            raise AssemblyError(f"Some {name} repeat.")
    if "subject" not in assembly.dims:
        assembly = assembly.expand_dims("subject")
    if stimulus_ids is None:
        stimulus_ids = assembly["stimulus_id"].values
    turned = in_order(assembly, stimulus_ids).rename(_TURNED)
    try:
        turned = in_order(turned, stimulus_ids)
    except AssemblyError as error:
        message = f"stimulus_id and stimulus_id_2 do not name the same stimuli. {error}"
        raise AssemblyError(message) from error
    values = turned.transpose("subject", "presentation_2", "presentation").values
    values = np.array(values, np.float64)
    values[:, np.arange(len(stimulus_ids)), np.arange(len(stimulus_ids))] = 0
    bad = ~np.isfinite(values)
    if bad.any():
        raise AssemblyError(
            f"{int(bad.sum() // 2)} dissimilarities are not finite. Select stimuli of which all "
            "are known, for every subject."
        )
    gap = np.abs(values - values.swapaxes(1, 2)).max()
    if gap > _SYMMETRY * np.abs(values).max():
        raise AssemblyError(f"An RDM is not symmetric: it differs from its transpose by {gap:.3g}.")
    return np.stack([squareform(matrix, checks=False) for matrix in values])
