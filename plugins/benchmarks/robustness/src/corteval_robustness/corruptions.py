r"""Corruptions of images: eleven formulas with five severities each.

An image x has values in [0, 1]; s is its shorter side in pixels, and every length is a share of s,
so that the same severity means the same for images of any resolution. Results are cut off at 0
and 1 and rounded to grey levels. g is standard normal noise, drawn for each pixel and channel.

==============  ================================================================================
gaussian_noise  x + σ g
shot_noise      Poisson(λ x) / λ, λ photons at white
impulse_noise   a share p of the pixels becomes black or white, by even chance
gaussian_blur   x convolved with a Gaussian of standard deviation σ s
defocus_blur    x convolved with an even disc of radius r s
motion_blur     x convolved with an even line of length l s, whose direction is drawn
contrast        m + c (x - m), m the mean over pixels and channels
brightness      x + b
pixelate        means over square cells, n of them along the shorter side
jpeg            JPEG of quality q, by Pillow, without subsampling of colour
fog             (1 - α) x + α (½ + n/5), n smooth noise (amplitude 1/f), mean 0 and variance 1
==============  ================================================================================

Images are mirrored at their borders for the three blurs. The kinds follow Hendrycks and Dietterich
(ICLR 2019); formulas and levels are our own, so that scores are no scores on ImageNet-C.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from PIL import Image
from scipy import fft, ndimage, signal

from corteval.errors import OptionError

#: Of an image (row, column, channel) in [0, 1], a level and a generator: the corrupted image.
Formula = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]

SEVERITIES = (1, 2, 3, 4, 5)

#: Samples per pixel and axis of the kernels.
_FINE = 5


@final
@dataclass(frozen=True, kw_only=True)
class Corruption:
    """A formula, and its parameter at the five severities.

    Args:
        formula: see the module.
        parameter: what the levels are, with unit.
        levels: at severities 1 to 5.
    """

    formula: Formula
    parameter: str
    levels: tuple[float, float, float, float, float]


def corrupt(
    image: np.ndarray, corruption: str, severity: int, *, stimulus_id: str, seed: int = 0
) -> np.ndarray:
    """A corrupted `image`.

    What is drawn depends on `seed`, `corruption` and `stimulus_id` alone: neither on other images
    nor on the severity, so that more severe noise is the same noise with more of it.

    Args:
        image: uint8, (row, column) or (row, column, 3).
        corruption: key of `CORRUPTIONS`.
        severity: 1 to 5.
        stimulus_id: of the image before it is corrupted.
        seed: of what is drawn.

    Returns:
        uint8 of the same shape.

    Raises:
        OptionError: for a corruption or a severity that does not exist.
    """
    check(corruption, severity)
    chosen = CORRUPTIONS[corruption]
    digest = hashlib.sha256(f"{seed}|{corruption}|{stimulus_id}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:16], "big"))
    x = image.astype(np.float64).reshape(*image.shape[:2], -1) / 255
    found = chosen.formula(x, chosen.levels[severity - 1], generator)
    return np.round(255 * found.clip(0, 1)).astype(np.uint8).reshape(image.shape)


def check(corruption: str, severity: int) -> None:
    """Refuse what does not exist.

    Raises:
        OptionError
    """
    if corruption not in CORRUPTIONS:
        raise OptionError(
            f"There is no corruption {corruption!r}; there are {', '.join(CORRUPTIONS)}."
        )
    if severity not in SEVERITIES:
        raise OptionError(f"Severities are 1, 2, 3, 4 and 5, not {severity!r}.")


def fog_noise(shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Noise of amplitude 1/f over cycles per image side: (row, column), mean 0, variance 1.

    The noise is periodic on a square over the longer side, of which the image is a part.
    """
    side = fft.next_fast_len(max(shape), real=True)
    white = np.fft.rfft2(generator.standard_normal((side, side)))
    rows, columns = np.fft.fftfreq(side), np.fft.rfftfreq(side)
    frequency = side * np.hypot(rows[:, None], columns[None, :])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(white / frequency, s=(side, side))[: shape[0], : shape[1]]
    spread = noise.std()
    return np.asarray((noise - noise.mean()) / (spread if spread > 0 else 1.0))


def disc(radius_pixels: float) -> np.ndarray:
    """Share of each pixel that a disc covers, of sum 1; (row, column), odd sides."""
    return _kernel(radius_pixels, lambda x, y: np.hypot(x, y) <= radius_pixels)


def line(length_pixels: float, angle: float) -> np.ndarray:
    """Share of each pixel that a line one pixel wide covers, of sum 1; (row, column), odd sides."""

    def inside(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along = x * np.cos(angle) + y * np.sin(angle)
        across = y * np.cos(angle) - x * np.sin(angle)
        return np.asarray((abs(along) <= length_pixels / 2) & (abs(across) <= 0.5))

    return _kernel(length_pixels / 2, inside)


def _kernel(reach: float, inside: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    half = int(np.ceil(reach + 0.5))
    count = 2 * half + 1
    fine = (np.arange(count * _FINE) + 0.5) / _FINE - count / 2
    lit = inside(fine[None, :], fine[:, None]).astype(np.float64)
    kernel = lit.reshape(count, _FINE, count, _FINE).mean(axis=(1, 3))
    return np.asarray(kernel / kernel.sum())


def _side(x: np.ndarray) -> int:
    return min(x.shape[:2])


def _convolved(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    reach = kernel.shape[0] // 2
    around = np.pad(x, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    return np.asarray(signal.fftconvolve(around, kernel[..., None], mode="valid", axes=(0, 1)))


def _gaussian_noise(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    return np.asarray(x + level * generator.standard_normal(x.shape))


def _shot_noise(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    return np.asarray(generator.poisson(x * level) / level)


def _impulse_noise(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    chance = generator.random(x.shape[:2])[..., None]
    white = generator.random(x.shape[:2])[..., None] < 0.5
    return np.where(chance < level, np.where(white, 1.0, 0.0), x)


def _gaussian_blur(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    del generator
    sigma = level * _side(x)
    return np.asarray(ndimage.gaussian_filter(x, (sigma, sigma, 0), mode="reflect"))


def _defocus_blur(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    del generator
    return _convolved(x, disc(level * _side(x)))


def _motion_blur(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    return _convolved(x, line(level * _side(x), generator.uniform(0, np.pi)))


def _contrast(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    del generator
    return np.asarray(x.mean() + level * (x - x.mean()))


def _brightness(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    del generator
    return np.asarray(x + level)


def _pixelate(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    del generator
    size = _side(x) / level
    found = x
    for axis in (0, 1):
        count = max(1, round(x.shape[axis] / size))
        cell = np.arange(x.shape[axis]) * count // x.shape[axis]
        pixels = np.bincount(cell, minlength=count)
        starts = np.concatenate([[0], np.cumsum(pixels)[:-1]])
        kept = pixels > 0
        shape = [-1 if a == axis else 1 for a in range(3)]
        sums = np.add.reduceat(found, starts[kept], axis=axis)
        means = sums / pixels[kept].reshape(shape)
        found = np.take(means, np.cumsum(kept)[cell] - 1, axis=axis)
    return found


def _jpeg(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    del generator
    levels = np.round(255 * x).astype(np.uint8)
    file = io.BytesIO()
    picture = Image.fromarray(levels[..., 0] if x.shape[2] == 1 else levels)
    picture.save(file, "JPEG", quality=int(level), subsampling=0)
    with Image.open(file) as opened:
        return np.asarray(opened, np.float64).reshape(x.shape) / 255


def _fog(x: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    rows, columns = x.shape[:2]
    fog = (0.5 + fog_noise((rows, columns), generator) / 5).clip(0, 1)
    return np.asarray((1 - level) * x + level * fog[..., None])


#: By name.
CORRUPTIONS: Mapping[str, Corruption] = {
    "gaussian_noise": Corruption(
        formula=_gaussian_noise,
        parameter="σ, share of the range from black to white",
        levels=(0.04, 0.08, 0.12, 0.18, 0.26),
    ),
    "shot_noise": Corruption(
        formula=_shot_noise, parameter="λ, photons at white", levels=(100, 40, 15, 6, 3)
    ),
    "impulse_noise": Corruption(
        formula=_impulse_noise, parameter="p, share of pixels", levels=(0.02, 0.05, 0.1, 0.17, 0.27)
    ),
    "gaussian_blur": Corruption(
        formula=_gaussian_blur,
        parameter="σ, share of the side",
        levels=(0.006, 0.01, 0.018, 0.03, 0.045),
    ),
    "defocus_blur": Corruption(
        formula=_defocus_blur,
        parameter="r, share of the side",
        levels=(0.01, 0.018, 0.028, 0.04, 0.06),
    ),
    "motion_blur": Corruption(
        formula=_motion_blur,
        parameter="l, share of the side",
        levels=(0.04, 0.07, 0.1, 0.15, 0.2),
    ),
    "contrast": Corruption(
        formula=_contrast, parameter="c, factor", levels=(0.6, 0.4, 0.25, 0.15, 0.08)
    ),
    "brightness": Corruption(
        formula=_brightness,
        parameter="b, share of the range from black to white",
        levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    ),
    "pixelate": Corruption(
        formula=_pixelate, parameter="n, cells along the side", levels=(48, 32, 24, 16, 12)
    ),
    "jpeg": Corruption(formula=_jpeg, parameter="q, quality", levels=(25, 15, 10, 7, 4)),
    "fog": Corruption(
        formula=_fog, parameter="α, share of fog", levels=(0.2, 0.35, 0.5, 0.65, 0.8)
    ),
}
