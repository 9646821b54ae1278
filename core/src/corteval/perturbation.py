r"""Perturbations of a subject's units: silencing, stimulation, suppression by light, or any change.

A perturbation names a recording target. Subjects made of a network change the units of the layer
behind it while the network runs, so everything computed from them changes too. The effects that
spread through tissue depend on the distance d of a unit from the site, in mm, and need subjects
whose units have a place: coordinates ``tissue_x_mm`` and ``tissue_y_mm``. With the spread
G(d; c) = exp(-d²/2c), c in mm², a unit's response r becomes

    ablation                r · [d > radius]
    muscimol (1 µL)         r · max(1 - G(d; 1.17), 0)
    optogenetic suppression r · max(1 - P · G(d; .234), 0),  P in mW
    microstimulation        r · (1 + exp(-d/λ) · rate/30 Hz),
                            λ = .00505047368 mm/µA · (I - 5.26062113 µA)

Source: spec ``models`` section 5. Microstimulation is multiplicative, so silent units stay silent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import final

import numpy as np

from corteval.errors import OptionError, UnsupportedRequest
from corteval.requests import UnitFilter

MUSCIMOL_SPREAD_MM2 = 1.17
LIGHT_SPREAD_MM2 = 0.234
_MM_PER_MICROAMPERE = 0.00505047368
_THRESHOLD_MICROAMPERE = 5.26062113
_RATE_HZ = 30.0

#: Changes responses (presentation, unit) of the units with the given coordinates.
Change = Callable[[np.ndarray, Mapping[str, np.ndarray]], np.ndarray]


@final
@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A change to the units of one recording target.

    Args:
        identifier: name that tells perturbed subjects apart.
        target: recording target whose units are changed.
        apply: maps responses (presentation, unit) and the units' coordinates to responses of the
            same shape.
        units: which units; all if None.
        parameters: what `apply` was made from. Where empty, its code identifies it.
    """

    identifier: str
    target: str
    apply: Change
    units: UnitFilter | None = None
    parameters: Mapping[str, float | str] = field(default_factory=dict, hash=False)


def ablation(
    target: str,
    units: UnitFilter | None = None,
    *,
    site_mm: tuple[float, float] | None = None,
    radius_mm: float | None = None,
) -> Perturbation:
    """Silence units: their responses become 0; with a site, those within `radius_mm` of it."""
    if (site_mm is None) != (radius_mm is None):
        raise OptionError("An ablation in tissue needs both site_mm and radius_mm.")
    if site_mm is None or radius_mm is None:
        return Perturbation(
            identifier="ablation",
            target=target,
            apply=lambda responses, _: np.zeros_like(responses),
            units=units,
            parameters={"kind": "ablation"},
        )
    radius = _positive("radius_mm", radius_mm)
    return _spreading(
        "ablation",
        target,
        units,
        site_mm,
        lambda distance: (distance > radius).astype(float),
        radius_mm=radius,
    )


def muscimol(
    target: str,
    site_mm: tuple[float, float],
    *,
    amount_microlitre: float = 1.0,
    units: UnitFilter | None = None,
) -> Perturbation:
    """Inactivate tissue around an injection of 1 µL, the one amount the kernel is known for."""
    if amount_microlitre != 1.0:
        raise OptionError(
            f"The kernel of muscimol is known for 1 microlitre, not {amount_microlitre}."
        )
    return _spreading(
        "muscimol",
        target,
        units,
        site_mm,
        lambda distance: np.maximum(1 - spread(distance, MUSCIMOL_SPREAD_MM2), 0),
        amount_microlitre=amount_microlitre,
    )


def optogenetic_suppression(
    target: str,
    site_mm: tuple[float, float],
    *,
    power_milliwatt: float,
    units: UnitFilter | None = None,
) -> Perturbation:
    """Suppress units by light of `power_milliwatt`; above 1 mW the centre is fully silent."""
    power = _positive("power_milliwatt", power_milliwatt)
    return _spreading(
        "optogenetic_suppression",
        target,
        units,
        site_mm,
        lambda distance: np.maximum(1 - power * spread(distance, LIGHT_SPREAD_MM2), 0),
        power_milliwatt=power,
    )


def microstimulation(
    target: str,
    site_mm: tuple[float, float],
    *,
    current_microampere: float,
    rate_hz: float,
    units: UnitFilter | None = None,
) -> Perturbation:
    """Drive units by pulses of `current_microampere` at `rate_hz`.

    Raises:
        OptionError: at or below 5.26 µA, where the published space constant is not positive.
    """
    rate = _positive("rate_hz", rate_hz)
    constant = space_constant_mm(current_microampere)
    return _spreading(
        "microstimulation",
        target,
        units,
        site_mm,
        lambda distance: 1 + np.exp(-distance / constant) * rate / _RATE_HZ,
        current_microampere=current_microampere,
        rate_hz=rate,
    )


def spread(distance_mm: np.ndarray, variance_mm2: float) -> np.ndarray:
    """G(d; c) = exp(-d²/2c)."""
    return np.asarray(np.exp(-(np.square(distance_mm)) / (2 * variance_mm2)))


def space_constant_mm(current_microampere: float) -> float:
    """Distance over which the effect of microstimulation falls by e."""
    constant = _MM_PER_MICROAMPERE * (current_microampere - _THRESHOLD_MICROAMPERE)
    if not constant > 0:
        raise OptionError(
            f"Microstimulation of {current_microampere} microampere has no effect by the published "
            f"space constant; use more than {_THRESHOLD_MICROAMPERE:.2f}."
        )
    return constant


def _spreading(
    name: str,
    target: str,
    units: UnitFilter | None,
    site_mm: tuple[float, float],
    gain: Callable[[np.ndarray], np.ndarray],
    **parameters: float,
) -> Perturbation:
    """A perturbation that multiplies responses by a function of distance from the site."""
    x, y = site_mm

    def apply(responses: np.ndarray, coordinates: Mapping[str, np.ndarray]) -> np.ndarray:
        lacking = [n for n in ("tissue_x_mm", "tissue_y_mm") if n not in coordinates]
        if lacking:
            raise UnsupportedRequest(
                f"{name} at ({x}, {y}) mm needs units with a place in tissue; they have no "
                f"{' and no '.join(lacking)}. Give the model such coordinates, or perturb units "
                "by a filter."
            )
        distance = np.hypot(
            np.asarray(coordinates["tissue_x_mm"], float) - x,
            np.asarray(coordinates["tissue_y_mm"], float) - y,
        )
        return np.asarray(responses * gain(distance).astype(responses.dtype))

    return Perturbation(
        identifier=name,
        target=target,
        apply=apply,
        units=units,
        parameters={"kind": name, "x_mm": float(x), "y_mm": float(y), **parameters},
    )


def _positive(name: str, value: float) -> float:
    if not (value > 0 and math.isfinite(value)):
        raise OptionError(f"{name} is positive, not {value}.")
    return float(value)
