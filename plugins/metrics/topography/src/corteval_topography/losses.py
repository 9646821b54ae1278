"""Spatial losses: units that are near in tissue should respond alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final, get_args

import numpy as np

from corteval.errors import AssemblyError, OptionError
from corteval_topography.grids import as_places, on_grid

Kind = Literal["relative", "absolute"]

#: Of TopoLM: in steps of the grid, and how many centres a layer has.
RADIUS, CENTRES = 5, 400

#: A spread below this share of the magnitude is rounding.
_ROUNDING = 1e-12


@final
@dataclass(frozen=True, kw_only=True)
class Neighbourhoods:
    """Groups of units that lie near each other.

    Args:
        members: numbers of the units of each.
        radius: Chebyshev distance from the centre, in steps of the grid.
        seed: of the centres.
    """

    members: tuple[np.ndarray, ...]
    radius: float
    seed: int

    def sampled(self, number: int, seed: int) -> list[np.ndarray]:
        """So many different neighbourhoods, by seed; all if there are not so many."""
        if number >= len(self.members):
            return list(self.members)
        drawn = np.random.default_rng(seed).choice(len(self.members), number, replace=False)
        return [self.members[n] for n in drawn]


def neighbourhoods(
    x: np.ndarray, y: np.ndarray, *, radius: int = RADIUS, centres: int = CENTRES, seed: int = 0
) -> Neighbourhoods:
    """Squares of units around random centres, as in TopoLM; cut off at the edge of the grid.

    Args:
        x, y: (unit) places on a grid.
        radius: Chebyshev distance, in steps of the grid: 5 makes squares of 11 x 11 units.
        centres: number of units around which there is one, different ones; of a smaller grid all.
        seed: of the centres.

    Raises:
        AssemblyError: if places are on no grid.
        OptionError: for a radius or a number below 1.
    """
    if radius < 1 or centres < 1:
        raise OptionError(
            f"A neighbourhood has radius {radius}, and there are {centres}; 1 or more."
        )
    places = on_grid(x, y)
    number = min(centres, len(places))
    chosen = np.random.default_rng(seed).choice(len(places), number, replace=False)
    members = tuple(
        np.flatnonzero(np.abs(places - places[centre]).max(axis=1) <= radius) for centre in chosen
    )
    return Neighbourhoods(members=members, radius=radius, seed=seed)


def spatial_loss(
    responses: np.ndarray, x: np.ndarray, y: np.ndarray, *, kind: Kind = "relative"
) -> float:
    """Spatial loss of one group of units.

        relative:  SL = ½ (1 - corr(r_ij, D_ij)),    absolute:  SL = mean |r_ij - D_ij|
        D_ij = 1 / (1 + ‖p_i - p_j‖)

    over pairs i > j, with r_ij the Pearson correlation of the responses of two units. The relative
    loss lies between 0, correlations fall with distance as D does, and 1. A constant unit
    correlates 0 with every other. Source: spec ``language`` section 5 (TopoLM, relative),
    ``models`` section 5 (TDANN, both).

    Args:
        responses: (stimulus, unit); of a language model (token, unit), all of a batch.
        x, y: (unit) places, of which distances are Euclidean.
        kind: of the loss.

    Raises:
        AssemblyError: for responses that are not finite, or fewer than three units.
    """
    if kind not in get_args(Kind):
        raise OptionError(f"A spatial loss is relative or absolute, not {kind!r}.")
    places = as_places(x, y)
    responses = np.asarray(responses, np.float64)
    if responses.ndim != 2 or responses.shape[1] != len(places):
        raise AssemblyError(
            f"Responses are (stimulus, unit) of {len(places)} units, not {responses.shape}."
        )
    if len(places) < 3 or len(responses) < 2:
        raise AssemblyError(
            f"A spatial loss needs three units and two stimuli, not {len(places)} and "
            f"{len(responses)}."
        )
    if not np.isfinite(responses).all():
        raise AssemblyError("Some responses are not finite.")
    centred = responses - responses.mean(axis=0)
    lengths = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    rounding = _ROUNDING * np.sqrt(len(responses)) * np.abs(responses).max(axis=0)
    standard = np.where(lengths <= rounding, 0.0, centred / np.where(lengths > 0, lengths, 1.0))
    rows, columns = np.tril_indices(len(places), -1)
    r = np.clip(standard.T @ standard, -1, 1)[rows, columns]
    distance = np.linalg.norm(places[rows] - places[columns], axis=1)
    d = 1 / (1 + distance)
    if kind == "absolute":
        return float(np.abs(r - d).mean())
    a, b = r - r.mean(), d - d.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float((1 - (a @ b / scale if scale > 0 else 0.0)) / 2)


def sampled_spatial_loss(
    responses: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    groups: Neighbourhoods | None = None,
    *,
    number: int | None = None,
    seed: int = 0,
    kind: Kind = "relative",
) -> float:
    """Mean spatial loss over neighbourhoods.

    Args:
        responses, x, y, kind: see `spatial_loss`.
        groups: as `neighbourhoods` makes them, which it does with its defaults if None.
        number: of neighbourhoods drawn by `seed`, as TopoLM draws 5 a batch; all if None.
        seed: of that draw.

    Raises:
        AssemblyError: see `spatial_loss`.
    """
    groups = groups or neighbourhoods(x, y, seed=seed)
    x, y = np.asarray(x), np.asarray(y)
    members = groups.sampled(len(groups.members) if number is None else number, seed)
    values = [spatial_loss(np.asarray(responses)[:, m], x[m], y[m], kind=kind) for m in members]
    return float(np.mean(values))
