r"""The four stages of HMAX, each a frozen module.

Images are grey, (batch, 1, row, column); bands and maps have a channel per orientation or patch.

S1. Filter of size n (7, 9, ...), number i, of orientation θ = d + 90 degrees:

        λ = 2 n / (4 - .05 i),  σ = .8 λ,  γ = .3,  X = y cos θ + x sin θ,  Y = -y sin θ + x cos θ
        g = exp(-(X² + γ² Y²) / 2σ²) cos(2π X / λ), zero beyond n/2 pixels, mean taken off, length 1

    with x, y columns and rows from the middle. The response is |g * I| / √(sum of I² under the
    filter), zero within (n+1)/2 pixels of the top and left border and (n-1)/2 of the others.
C1. Larger response of two sizes; maximum over p x p pixels, every p/2, p = 8, 10, ...; moved by
    one place up and left, the last row and column zero.
S2. Response to a patch p, for every window w of a band: d = √(Σw² - 2 p·w + |p|²), or
    exp(-d²/2σ²). The module computes d².
C2. Minimum of the response over positions and bands.

With ``"gaussian"`` the minimum picks the worst match; it is what the source does. Source:
Riesenhuber and Poggio 1999, Serre et al. 2007; spec ``models`` section 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from corteval.errors import OptionError

#: Pixels per side of S1 filters; the last has no partner and takes no part in C1.
S1_SIZES = tuple(range(7, 40, 2))

#: d above. A grating whose wave runs along d in image coordinates with y upwards drives it most.
ORIENTATIONS_DEGREES = (90.0, -45.0, 0.0, 45.0)

#: Pixels per side over which C1 pools, one a band.
C1_SIZES = tuple(range(8, 23, 2))

#: Places per side of patches.
PATCH_SIZES = tuple(range(2, 17, 2))

Response = Literal["euclidean", "gaussian"]

_ASPECT = 0.3
_SIGMA_WAVELENGTHS = 0.8


def s1_filters(size: int) -> np.ndarray:
    """Filters of one size: (orientation, row, column), float64."""
    number = S1_SIZES.index(size)
    wavelength = 2 * size / (4 - 0.05 * number)
    sigma = _SIGMA_WAVELENGTHS * wavelength
    y, x = np.indices((size, size)) - size // 2
    filters = []
    for degrees in ORIENTATIONS_DEGREES:
        theta = np.deg2rad(degrees + 90)
        along, across = y * np.cos(theta) + x * np.sin(theta), x * np.cos(theta) - y * np.sin(theta)
        wave = np.cos(2 * np.pi * along / wavelength)
        g = np.exp(-(along**2 + _ASPECT**2 * across**2) / (2 * sigma**2)) * wave
        g = np.where(np.hypot(x, y) > size / 2, 0, g)
        g = g - g.mean()
        filters.append(g / np.linalg.norm(g))
    return np.stack(filters)


@final
class S1(nn.Module):
    """Simple cells of one size.

    Args:
        size: one of `S1_SIZES`.
    """

    filters: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("filters", torch.from_numpy(s1_filters(size)[:, None]).float())

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, row, column) to (batch, orientation, row, column)."""
        response = functional.conv2d(images, self.filters, padding=self.size // 2).abs()
        energy = _box_sum(images**2, self.size, self.size // 2)
        response = response / torch.where(energy > 0, energy, 1).sqrt()
        near, far = (self.size + 1) // 2, (self.size - 1) // 2
        inside = response[:, :, near:-far, near:-far]
        return functional.pad(inside, (near, far, near, far))


@final
class C1(nn.Module):
    """Complex cells of one band.

    Args:
        size: pixels per side over which they pool.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, smaller: Tensor, larger: Tensor) -> Tensor:
        """Responses of two sizes of S1 to one band, with a place for every half pool."""
        half = self.size // 2
        pooled = functional.max_pool2d(torch.maximum(smaller, larger), self.size, half, half)
        return functional.pad(pooled[:, :, 1:, 1:], (0, 1, 0, 1))


@final
class S2(nn.Module):
    """Units that compare every window of a band with a patch, by d².

    Args:
        patches: (patch, orientation, row, column).
    """

    patches: Tensor
    norms: Tensor

    def __init__(self, patches: Tensor) -> None:
        super().__init__()
        self.register_buffer("patches", patches)
        norms = (patches.double() ** 2).sum(dim=(1, 2, 3))
        self.register_buffer("norms", norms.float(), persistent=False)

    def forward(self, band: Tensor) -> Tensor:
        """(batch, orientation, row, column) to (batch, patch, row, column)."""
        size = self.patches.shape[-1]
        half = size // 2
        distances = functional.conv2d(band, -2 * self.patches, self.norms, padding=half)
        energy = _box_sum((band**2).sum(dim=1, keepdim=True), size, half)
        return distances.add_(energy)[:, :, 1:, 1:]  # in place: nothing else here is as large


@final
class C2(nn.Module):
    """Response of the unit at which the minimum of the stage lies, over the whole image.

    Args:
        response: of S2 units.
        sigma: of the Gaussian.
    """

    def __init__(self, response: Response = "euclidean", sigma: float = 1.0) -> None:
        super().__init__()
        if response not in ("euclidean", "gaussian"):
            raise OptionError(f"S2 units answer 'euclidean' or 'gaussian', not {response!r}.")
        if not sigma > 0:
            raise OptionError(f"The width of Gaussian S2 units is positive, not {sigma}.")
        self.response = response
        self.sigma = sigma

    def forward(self, maps: Iterable[Tensor]) -> Tensor:
        """d² of all bands to (batch, patch); they may be made one by one, so that one is held.

        Both responses are monotone in d², so they are computed of its extremum only.
        """
        if self.response == "euclidean":
            return torch.stack([m.amin(dim=(2, 3)) for m in maps]).amin(dim=0).clamp(min=0).sqrt()
        largest = torch.stack([m.amax(dim=(2, 3)) for m in maps]).amax(dim=0).clamp(min=0)
        return torch.exp(-largest / (2 * self.sigma**2))


def _box_sum(x: Tensor, size: int, padding: int) -> Tensor:
    """Sum over windows of `size` x `size`, zero outside."""
    ones = torch.ones(1, 1, size, 1, dtype=x.dtype, device=x.device)
    rows = functional.conv2d(x, ones, padding=(padding, 0))
    return functional.conv2d(rows, ones.mT, padding=(0, padding))
