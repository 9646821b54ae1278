r"""VOneBlock: the V1 of VOneNet, a bank of fixed Gabor filters with neuronal noise.

Filter k at row x and column y, in pixels from its centre, with f cycles a pixel, σx = nx / f,
σy = ny / f:

    u = x cos θ + y sin θ,  v = -x sin θ + y cos θ
    g(x, y) = exp(-½ (u²/σx² + v²/σy²)) / (2π σx σy) · cos(2π f u + φ)

q0 filters with g, q1 with the phase φ + π/2. Each filter sees one colour channel, drawn for q0 and
q1 apart, so most pairs look at two colours; it is part of the model. The first half of the filters
are simple cells, ReLU(q0), the others complex cells, √(q0² + q1²)/√2; both times 25.

Noise (z ~ N(0, 1), r the clean response, a = .35, b = .07):

    "neuronal":  m = a r + b,  r ← ReLU((m + z √(ReLU(m) + 10⁻⁴) - b) / a)
    "gaussian":  r ← ReLU(r + a z)

Source: Dapello, Marques et al. 2020; spec ``models`` section 2.
"""

from __future__ import annotations

import math
from typing import Literal, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from corteval.errors import OptionError
from corteval_pytorch import expand_trials, normal_like
from corteval_vonenet.gabors import Gabors

Noise = Literal["neuronal", "gaussian"]

SIZE_PIXELS = 224
VISUAL_DEGREES = 8.0
KERNEL_PIXELS = 25
STRIDE = 4
COLOURS = 3

_GAIN = 25.0
_NOISE_SCALE = 0.35
_NOISE_LEVEL = 0.07
_LEAST_VARIANCE = 1e-4


def kernels(
    frequency: np.ndarray,
    sigma_x: np.ndarray,
    sigma_y: np.ndarray,
    theta: np.ndarray,
    phase: np.ndarray,
    size: int = KERNEL_PIXELS,
) -> np.ndarray:
    """Gabor filters by the equation of the module; lengths in pixels, angles in radians.

    Args:
        frequency, sigma_x, sigma_y, theta, phase: one a filter.
        size: odd number of pixels per side.

    Returns:
        (filter, row, column), float64.
    """
    column = [np.atleast_1d(p)[:, None, None] for p in (frequency, sigma_x, sigma_y, theta, phase)]
    f, sx, sy, angle, offset = column
    x, y = np.indices((size, size)) - size // 2
    u = x * np.cos(angle) + y * np.sin(angle)
    v = -x * np.sin(angle) + y * np.cos(angle)
    envelope = np.exp(-0.5 * (u**2 / sx**2 + v**2 / sy**2)) / (2 * np.pi * sx * sy)
    return np.asarray(envelope * np.cos(2 * np.pi * f * u + offset))


def channels(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Colour channel of every filter of q0 and of q1, drawn apart."""
    generator = torch.Generator().manual_seed(seed)
    q0, q1 = (torch.randint(0, COLOURS, (count,), generator=generator) for _ in range(2))
    return q0, q1


@final
class GaborFilters(nn.Module):
    """Frozen convolution, stride 4, of which each filter sees one colour.

    Args:
        gabors: parameters of the filters.
        channel: colour of each filter.
        phase: added to the phase of all, radians.
        screen: side of the image in pixels, and in degrees.
    """

    weight: nn.Parameter

    def __init__(
        self,
        gabors: Gabors,
        channel: torch.Tensor,
        phase: float,
        screen: tuple[int, float] = (SIZE_PIXELS, VISUAL_DEGREES),
    ) -> None:
        super().__init__()
        size_pixels, visual_degrees = screen
        frequency = gabors.spatial_frequency_cpd * (visual_degrees / size_pixels)
        filters = kernels(
            frequency,
            gabors.nx / frequency,
            gabors.ny / frequency,
            np.deg2rad(gabors.theta_degrees),
            np.deg2rad(gabors.phase_degrees) + phase,
        )
        weight = torch.zeros(len(gabors), COLOURS, KERNEL_PIXELS, KERNEL_PIXELS)
        weight[torch.arange(len(gabors)), channel] = torch.from_numpy(filters).float()
        self.weight = nn.Parameter(weight, requires_grad=False)

    def forward(self, framed: torch.Tensor, first: int = 0) -> torch.Tensor:
        """Responses of the filters from `first` on, where they lie inside the framed images."""
        return functional.conv2d(framed, self.weight[first:], stride=STRIDE)


@final
class VOneBlock(nn.Module):
    """V1 by the equations of the module; (batch, 3, row, column) to (batch, filter, ...).

    The submodules ``simple``, ``complex``, ``gabors`` and ``output`` do nothing and ``noise``
    rectifies; they are there to be recorded.

    Args:
        q0, q1: filters of two phases; the first half are simple cells.
        noise: law of the noise, or None.
        window: rows and columns of the map that are computed; all if None.
    """

    def __init__(
        self,
        q0: GaborFilters,
        q1: GaborFilters,
        *,
        noise: Noise | None = "neuronal",
        window: tuple[slice, slice] | None = None,
    ) -> None:
        super().__init__()
        if noise not in (None, "neuronal", "gaussian"):
            raise OptionError(f"The noise of VOneNet is 'neuronal', 'gaussian' or None; {noise!r}.")
        self.simple_conv_q0 = q0
        self.simple_conv_q1 = q1
        self.simple = nn.Identity()
        self.complex = nn.Identity()
        self.gabors = nn.Identity()
        self.noise = nn.ReLU(inplace=True)
        self.output = nn.Identity()
        self.noise_mode: Noise | None = noise
        self.window = window

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Responses of all cells, with noise if there is any."""
        height, width = (math.ceil(n / STRIDE) for n in images.shape[-2:])
        window = self.window or (slice(0, height), slice(0, width))
        clean = self.gabors(self._clean(_framed(images, window)))
        if self.noise_mode is not None:
            clean = self._noisy(clean, self.noise_mode, (height, width), window)
        return torch.as_tensor(self.output(self.noise(clean)))

    def windowed(self, rows: slice, columns: slice) -> VOneBlock:
        """The same cells, noise included, at some rows and columns of the map only."""
        return VOneBlock(
            self.simple_conv_q0,
            self.simple_conv_q1,
            noise=self.noise_mode,
            window=(rows, columns),
        )

    def _clean(self, framed: torch.Tensor) -> torch.Tensor:
        """Responses without noise; the complex half alone needs q1."""
        half = len(self.simple_conv_q0.weight) // 2
        even = self.simple_conv_q0(framed)
        odd = self.simple_conv_q1(framed, half)
        simple = functional.relu(even[:, :half])
        energy = torch.sqrt(even[:, half:] ** 2 + odd**2) / math.sqrt(2)
        return _GAIN * torch.cat([self.simple(simple), self.complex(energy)], dim=1)

    def _noisy(
        self,
        clean: torch.Tensor,
        noise: Noise,
        shape: tuple[int, int],
        window: tuple[slice, slice],
    ) -> torch.Tensor:
        """Responses with noise, before they are rectified; all trials of a row after another.

        (m + z s - b) / a is r + z s / a, so what a row's trials share is computed once.
        """
        gain = torch.full_like(clean, _NOISE_SCALE)
        if noise == "neuronal":
            mean = _NOISE_SCALE * clean + _NOISE_LEVEL
            gain = torch.sqrt(functional.relu(mean) + _LEAST_VARIANCE) / _NOISE_SCALE
        z = foveal_normal(clean, shape, window)
        # in place: with many trials this is by far the largest tensor, and all that is new is z
        z.unflatten(0, (len(clean), -1)).mul_(gain[:, None]).add_(clean[:, None])
        return z


def vone_block(
    gabors: Gabors,
    *,
    seed: int = 0,
    noise: Noise | None = "neuronal",
    size_pixels: int = SIZE_PIXELS,
    visual_degrees: float = VISUAL_DEGREES,
) -> VOneBlock:
    """V1 with filters of the given parameters.

    Args:
        gabors: the first half become simple cells.
        seed: of the colours.
        noise: law of the noise, or None.
        size_pixels: side of the image.
        visual_degrees: extent of the image.
    """
    screen = (size_pixels, visual_degrees)
    even, odd = channels(len(gabors), seed)
    q0 = GaborFilters(gabors, even, 0.0, screen)
    return VOneBlock(q0, GaborFilters(gabors, odd, math.pi / 2, screen), noise=noise)


def foveal_normal(
    clean: torch.Tensor, shape: tuple[int, int], window: tuple[slice, slice]
) -> torch.Tensor:
    """N(0, 1) for every trial of every row of `clean`, drawn from the fovea outwards.

    Places are drawn by the larger of their distances, in rows and in columns, from the middle, and
    then by row and column. So a window gets what the whole map would get in its places, and one
    near the fovea, where most is recorded, costs little.

    Args:
        clean: (batch, filter, row, column) of the window.
        shape: rows and columns of the whole map.
        window: of the map.

    Returns:
        (batch · trial, filter, row, column).
    """
    y, x = np.indices(shape)
    distance = np.maximum(abs(y - shape[0] // 2), abs(x - shape[1] // 2)).ravel()
    rank = np.empty(distance.size, np.int64)
    rank[np.argsort(distance, kind="stable")] = np.arange(distance.size)
    wanted = torch.from_numpy(rank.reshape(shape)[window].ravel())
    # torch draws normals by 16; only in whole sixteens is a shorter draw the start of a longer one
    places = 16 * (int(wanted.max()) // 16 + 1)
    trials = len(expand_trials(clean[:, 0, 0, 0]))
    drawn = normal_like(clean.new_empty((trials, places, clean.shape[1])))
    placed = drawn[:, wanted.to(clean.device)].unflatten(1, clean.shape[2:])
    return placed.permute(0, 3, 1, 2)


def _framed(images: torch.Tensor, window: tuple[slice, slice]) -> torch.Tensor:
    """The part of the images, in a frame of zeros, that the filters of a window see."""
    rows, columns = (slice(w.start * STRIDE, (w.stop - 1) * STRIDE + KERNEL_PIXELS) for w in window)
    return functional.pad(images, (KERNEL_PIXELS // 2,) * 4)[:, :, rows, columns]
