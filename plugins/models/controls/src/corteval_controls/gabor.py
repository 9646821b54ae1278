r"""A classic V1: simple and complex Gabor units on a grid of positions.

A unit at position (u, v) degrees, with orientation θ (direction of the wave vector, clockwise on
screen) and spatial frequency f has the complex response

    z = 1/(π σ²/2) ∫ I(x, y) e^{-(dx²+dy²)/2σ²} (e^{2πi f (dx cos θ + dy sin θ)} - κ) dx dy,
    dx = x - u,  dy = y - v,  κ = e^{-2π²σ²f²},  σ f = √(ln 2 / 2)/π · (2^b + 1)/(2^b - 1)

where I is luminance in [0, 1] less that of the grey screen, and b the bandwidth in octaves. κ makes
the response to uniform light zero; the factor makes \|z\| = 1 for a full-contrast grating of the
unit's own orientation and frequency. Simple units are Re z, -Re z, Im z, -Im z, rectified; the
complex unit is \|z\| (energy model of Adelson and Bergen 1985).

The Gaussian is round, so every filter is a product of a function of x and one of y: an image
costs two matrix products for all positions, in its own resolution (pixels are small squares of
even light, over which the filters are averaged), and nothing is resized.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import final

import numpy as np

from corteval.errors import OptionError
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.screen import BACKGROUND, place
from corteval.stimuli import StimulusSet
from corteval_controls.readouts import fitted_to

UNITS = "v1"
POOLED = "pooled-energy"

UNIT_TYPES = ("even-on", "even-off", "odd-on", "odd-off", "complex")

#: Defaults: every 15 degrees, and half octaves from .59 to 9.5 cycles per degree.
ORIENTATIONS_DEGREES = tuple(15.0 * k for k in range(12))
SPATIAL_FREQUENCIES_CPD = tuple(2 ** (-0.75 + 0.5 * k) for k in range(9))

#: Filters are sampled at least this often per degree before they are averaged over pixels.
_SAMPLES_PER_DEGREE = 112


@final
@dataclass(frozen=True, kw_only=True)
class GaborBank:
    """The filter bank as an extractor with two layers.

    ``v1`` has `UNIT_TYPES` at every position, orientation and frequency. ``pooled-energy``
    averages complex units over a square grid of blocks, for targets beyond V1.

    Args:
        orientations_degrees: of the wave vector.
        spatial_frequencies_cpd: cycles per degree.
        bandwidth_octaves: full width at half height of the frequency tuning.
        spacing_degrees: between positions, on a grid through the centre of the screen.
        visual_degrees: extent of the screen.
        blocks: of positions per axis, over which the pooled layer averages.
    """

    orientations_degrees: tuple[float, ...]
    spatial_frequencies_cpd: tuple[float, ...]
    bandwidth_octaves: float
    spacing_degrees: float
    visual_degrees: float
    blocks: int = 3

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """Coordinates of the units; y grows downwards."""
        return self._units if layer == UNITS else self._pooled

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block a stimulus; only positions that a wanted unit needs are filtered."""
        plans = {layer: self._plan(layer, units) for layer, units in wanted.items()}
        for stimulus_id in stimuli.stimulus_ids:
            image = place(stimuli.image(stimulus_id), stimuli.visual_degrees, self.visual_degrees)
            yield {layer: self._respond(image, plan)[None] for layer, plan in plans.items()}

    @cached_property
    def positions_degrees(self) -> np.ndarray:
        """Positions along one axis; the outermost lie at least one spacing inside the screen."""
        steps = math.ceil(self.visual_degrees / 2 / self.spacing_degrees) - 1
        return np.arange(-steps, steps + 1) * self.spacing_degrees

    @cached_property
    def _filters(self) -> list[tuple[float, float]]:
        return list(itertools.product(self.spatial_frequencies_cpd, self.orientations_degrees))

    @cached_property
    def _units(self) -> Mapping[str, np.ndarray]:
        count = len(self.positions_degrees)
        shape = (len(self._filters), len(UNIT_TYPES), count, count)
        filters, types, rows, columns = (index.ravel() for index in np.indices(shape))
        channel = filters * len(UNIT_TYPES) + types
        return {
            **self._coordinates(UNITS, filters, channel, rows, columns),
            "receptive_field_x_degrees": self.positions_degrees[columns],
            "receptive_field_y_degrees": self.positions_degrees[rows],
            "unit_type": np.array(UNIT_TYPES)[types],
        }

    @cached_property
    def _pooled(self) -> Mapping[str, np.ndarray]:
        shape = (len(self._filters), self.blocks, self.blocks)
        filters, rows, columns = (index.ravel() for index in np.indices(shape))
        centres = np.array([block.mean() for block in self._blocks(self.positions_degrees)])
        return {
            **self._coordinates(POOLED, filters, filters, rows, columns),
            "receptive_field_x_degrees": centres[columns],
            "receptive_field_y_degrees": centres[rows],
        }

    def _coordinates(
        self,
        layer: str,
        filters: np.ndarray,
        channel: np.ndarray,
        rows: np.ndarray,
        columns: np.ndarray,
    ) -> dict[str, np.ndarray]:
        table = np.array(self._filters)
        names = zip(channel.tolist(), rows.tolist(), columns.tolist(), strict=True)
        return {
            "neuroid_id": np.array([f"{layer}-{k}-{r}-{c}" for k, r, c in names]),
            "layer": np.full(len(channel), layer),
            "channel": channel,
            "channel_x": columns,
            "channel_y": rows,
            "spatial_frequency_cpd": table[filters, 0],
            "orientation_degrees": table[filters, 1],
        }

    def _blocks(self, along: np.ndarray) -> list[np.ndarray]:
        return np.array_split(along, self.blocks)

    def _plan(self, layer: str, units: np.ndarray) -> _Plan:
        every = np.arange(len(self.positions_degrees))
        if layer == POOLED:
            return _Plan(layer, units, every, every)
        columns, rows = self._units["channel_x"][units], self._units["channel_y"][units]
        return _Plan(layer, units, np.unique(rows), np.unique(columns))

    def _respond(self, image: np.ndarray, plan: _Plan) -> np.ndarray:
        z = self._filtered(image, plan.rows, plan.columns)
        if plan.layer == POOLED:
            energy = np.abs(z)
            for axis in (1, 2):
                blocks = np.array_split(energy, self.blocks, axis=axis)
                energy = np.stack([block.mean(axis=axis) for block in blocks], axis=axis)
            return energy.ravel()[plan.units]
        coordinates = self._units
        filters = coordinates["channel"][plan.units] // len(UNIT_TYPES)
        types = coordinates["channel"][plan.units] % len(UNIT_TYPES)
        rows = np.searchsorted(plan.rows, coordinates["channel_y"][plan.units])
        columns = np.searchsorted(plan.columns, coordinates["channel_x"][plan.units])
        z = z[filters, rows, columns]
        kinds = np.stack([z.real, -z.real, z.imag, -z.imag, np.abs(z)])
        return np.maximum(kinds[types, np.arange(len(z))], 0)

    def _filtered(self, image: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Complex responses (filter, row, column) at the given positions."""
        lit = image != BACKGROUND if image.ndim == 2 else (image != BACKGROUND).any(axis=2)
        top, bottom = _extent(lit.any(axis=1))
        left, right = _extent(lit.any(axis=0))
        lit_part = image[top:bottom, left:right].astype(np.float32)
        grey = lit_part if lit_part.ndim == 2 else lit_part.mean(axis=2)
        light = (grey - BACKGROUND) / np.float32(255)
        over_x = _profiles(self, image.shape[1], tuple(columns.tolist()), False)
        over_y = _profiles(self, image.shape[0], tuple(rows.tolist()), True)
        # (filter, pixel row, position column), then (filter, position row, position column)
        part = light @ over_x[:, :, left:right].swapaxes(1, 2)
        z = over_y[:, :, top:bottom] @ part
        waves, gaussians = np.split(z, [len(self._filters)])
        kappa = math.exp(-2 * (math.pi * self._sigma_times_frequency) ** 2)
        uniform = np.repeat(gaussians.real, len(self.orientations_degrees), axis=0)
        return np.asarray(waves - np.float32(kappa) * uniform)

    @property
    def _sigma_times_frequency(self) -> float:
        ratio = 2**self.bandwidth_octaves
        return math.sqrt(math.log(2) / 2) / math.pi * (ratio + 1) / (ratio - 1)


@dataclass(frozen=True)
class _Plan:
    """Wanted units of a layer and the positions they need."""

    layer: str
    units: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def _extent(lit: np.ndarray) -> tuple[int, int]:
    """First and one past the last lit pixel; the rest of the image adds nothing."""
    found = np.flatnonzero(lit)
    return (int(found[0]), int(found[-1]) + 1) if found.size else (0, 0)


@lru_cache(maxsize=16)
def _profiles(
    bank: GaborBank, pixels: int, positions: tuple[int, ...], vertical: bool
) -> np.ndarray:
    """One-dimensional filters averaged over pixels.

    Returns:
        complex64 (filter, position, pixel): all Gabor profiles, then one Gaussian a frequency.
    """
    degree = pixels / bank.visual_degrees
    fine = max(1, math.ceil(_SAMPLES_PER_DEGREE / degree))
    samples = (np.arange(pixels * fine) + 0.5) / (degree * fine) - bank.visual_degrees / 2
    distance = samples[None] - bank.positions_degrees[list(positions)][:, None]

    def profile(frequency: float, along: float) -> np.ndarray:
        sigma = bank._sigma_times_frequency / frequency
        envelope = np.exp(-(distance**2) / (2 * sigma**2)) / math.sqrt(math.pi / 2 * sigma**2)
        wave = envelope * np.exp(2j * np.pi * frequency * along * distance)
        means = wave.reshape(len(positions), pixels, fine).mean(axis=2) / degree
        return means.astype(np.complex64)

    part = np.sin if vertical else np.cos
    waves = [profile(f, float(part(np.deg2rad(theta)))) for f, theta in bank._filters]
    return np.stack(waves + [profile(f, 0.0) for f in bank.spatial_frequencies_cpd])


def build(
    identifier: str = "gabor-filterbank",
    orientations_degrees: Sequence[float] = ORIENTATIONS_DEGREES,
    spatial_frequencies_cpd: Sequence[float] = SPATIAL_FREQUENCIES_CPD,
    bandwidth_octaves: float = 1.5,
    spacing_degrees: float = 0.5,
    visual_degrees: float = 8.0,
) -> LayerCommitment:
    """A Gabor filter bank as a subject: V1 is its units, every other target its pooled energy."""
    if not orientations_degrees or not spatial_frequencies_cpd:
        raise OptionError("A Gabor filter bank needs an orientation and a spatial frequency.")
    positive = (*spatial_frequencies_cpd, bandwidth_octaves, spacing_degrees, visual_degrees)
    if min(positive) <= 0 or 2 * spacing_degrees > visual_degrees:
        raise OptionError(
            "Frequencies, bandwidth, spacing and visual degrees of a Gabor filter bank are "
            f"positive, and the spacing at most half the screen; got {positive}."
        )
    bank = GaborBank(
        orientations_degrees=tuple(orientations_degrees),
        spatial_frequencies_cpd=tuple(spatial_frequencies_cpd),
        bandwidth_octaves=bandwidth_octaves,
        spacing_degrees=spacing_degrees,
        visual_degrees=visual_degrees,
    )
    return LayerCommitment(
        identifier=identifier,
        extractor=bank,
        layers={"V1": UNITS, ANY_TARGET: POOLED},
        visual_degrees=visual_degrees,
        readouts=fitted_to(POOLED),
    )
