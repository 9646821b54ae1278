"""Receptive-field centres of a subject's units, from small gratings on a grid of positions.

Source: spec ``marques2020`` section 2, steps 1 and 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import xarray as xr

from corteval.assembly import responses_matrix
from corteval.errors import UndefinedScore
from corteval.model import ModelCommitment, record
from corteval.requests import Between, Recording, UnitFilter
from corteval.stimuli import StimulusSet

#: Gratings that measure properties are centred here, in degrees from the middle of the screen.
CENTRE_DEGREES = 0.5

#: Units are used if their receptive field is centred this close.
TOLERANCE_DEGREES = 0.15

#: Positions that drive a unit less than this share of its maximum do not count for its centre.
_THRESHOLD = 0.05

#: Units whose declared centre is farther off, in x or y, cannot be measured to lie near: asking
#: for the others only keeps a recording of millions of units down to thousands.
_WINDOW_DEGREES = 0.5

NEAR_CENTRE = UnitFilter(
    tuple(
        Between(
            f"receptive_field_{axis}_degrees",
            CENTRE_DEGREES - _WINDOW_DEGREES,
            CENTRE_DEGREES + _WINDOW_DEGREES,
        )
        for axis in "xy"
    )
)


def central_units(
    model: ModelCommitment, stimuli: StimulusSet, request: Recording
) -> tuple[list[str], int]:
    """Ids of the units centred near the gratings, and the number of units mapped.

    Args:
        model: asked for units near the centre if it knows where its units look, else for all.
        stimuli: the sets ``blank`` and ``receptive_field``.
        request: recording of the target.

    Raises:
        UndefinedScore: if no unit is near.
    """
    request = mapping_request(model, request)
    blank_set = stimuli.where(stimulus_set="blank")
    gratings = stimuli.where(stimulus_set="receptive_field")
    blank = responses_matrix(record(model, blank_set, request))
    drive = []
    for y in sorted(gratings.table["y"].unique()):  # row by row: the whole map is never held
        row = gratings.where(y=y)
        order = row.table.sort_values(["x", "orientation", "phase"]).index
        responses = responses_matrix(record(model, row.select(list(order)), request))
        responses = in_neuroid_order(responses, blank["neuroid_id"].values)
        above = rectified(responses.values) - rectified(blank.values)
        drive.append(above.reshape(row.table["x"].nunique(), -1, above.shape[1]).max(axis=1))
    x = np.sort(gratings.table["x"].unique())
    y = np.sort(gratings.table["y"].unique())
    centres = centres_degrees(np.stack(drive), y, x)
    with np.errstate(invalid="ignore"):
        near = np.hypot(*(centres - CENTRE_DEGREES)) <= TOLERANCE_DEGREES
    if not near.any():
        raise UndefinedScore(
            f"None of the {near.size} units mapped has its receptive field within "
            f"{TOLERANCE_DEGREES} degrees of ({CENTRE_DEGREES}, {CENTRE_DEGREES}), where the "
            "gratings are."
        )
    return list(blank["neuroid_id"].values[near].astype(str)), int(near.size)


def mapping_request(model: ModelCommitment, request: Recording) -> Recording:
    """`request` for units near the centre, if `model` knows where its units look."""
    filtered = replace(request, units=NEAR_CENTRE)
    return filtered if model.supports(filtered) else request


def centres_degrees(drive: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Centre of mass of the receptive fields, over positions driven above 5 % of the maximum.

    Args:
        drive: (y, x, unit) largest response above blank at each position.
        y, x: positions in degrees.

    Returns:
        (2, unit) y and x; NaN for units that nothing drives.
    """
    drive = np.maximum(drive, 0)
    drive = np.where(drive > _THRESHOLD * drive.max(axis=(0, 1)), drive, 0)
    with np.errstate(invalid="ignore"):
        weights = drive / drive.sum(axis=(0, 1))
    return np.stack([np.einsum("y,yxu->u", y, weights), np.einsum("x,yxu->u", x, weights)])


def in_neuroid_order(responses: xr.DataArray, neuroid_ids: Iterable[str]) -> xr.DataArray:
    """`responses` with its neuroids in the order of `neuroid_ids`."""
    position = {n: i for i, n in enumerate(responses["neuroid_id"].values.tolist())}
    return responses.isel(neuroid=[position[str(n)] for n in neuroid_ids])


def rectified(responses: np.ndarray) -> np.ndarray:
    """Responses below zero are silence."""
    return np.maximum(responses.astype(np.float64), 0)
