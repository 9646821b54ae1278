"""Drawing one view of one object."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache
from typing import final

import numpy as np

from corteval_shapes.outlines import OUTLINES

#: Samples per pixel and axis whose mean a pixel is.
_SAMPLES = 2

#: Mean luminance of the background, and of objects, in [0, 1].
_BACKGROUND, _OBJECT = 0.5, 0.75


@final
@dataclass(frozen=True, kw_only=True)
class View:
    """What is drawn. Lengths are shares of the image's side, x to the right and y downwards.

    Args:
        label: class of the outline.
        form: of the outline, in [0, 1].
        hue: of the object, in [0, 1].
        texture: 0 plain, 1 stripes, 2 checks, 3 blotches.
        phase: of the texture, in [0, 1].
        x, y: of the centre, from that of the image.
        radius: of the circle around the object.
        tilt_degrees: clockwise.
        background: seed of the background.
        ground_contrast: standard deviation of the background, as a share of the range from black
            to white.
    """

    label: str
    form: float
    hue: float
    texture: int
    phase: float
    x: float
    y: float
    radius: float
    tilt_degrees: float
    background: int
    ground_contrast: float


@lru_cache(maxsize=1024)  # what is made of an image, such as a corrupted copy, asks for it again
def render(view: View, side_pixels: int) -> np.ndarray:
    """The view as an image, (row, column, 3) uint8.

    With coverage a of each pixel by the object, texture t and colour c,

        image = round(255 (a (0.75 + 0.15 t) c + (1 - a) b)),    b = 0.5 + k n

    where k is the contrast of the ground and n smooth noise with variance 1, cut off at ±2.5.
    Everything is cut off at 0 and 1.
    """
    fine = (np.arange(side_pixels * _SAMPLES) + 0.5) / (side_pixels * _SAMPLES) - 0.5
    dx, dy = (fine[None, :] - view.x) / view.radius, (fine[:, None] - view.y) / view.radius
    tilt = np.deg2rad(view.tilt_degrees)
    u = dx * np.cos(tilt) + dy * np.sin(tilt)
    v = -dx * np.sin(tilt) + dy * np.cos(tilt)
    inside = OUTLINES[view.label](u, v, view.form).astype(np.float64)
    surface = inside * (_OBJECT + 0.15 * _texture(u, v, view.texture, view.phase))
    shape = (side_pixels, _SAMPLES, side_pixels, _SAMPLES)
    cover, light = (a.reshape(shape).mean(axis=(1, 3))[..., None] for a in (inside, surface))
    colour = np.array(colorsys.hsv_to_rgb(view.hue, 0.5, 1.0))
    colour = colour / colour.mean()
    noise = smooth_noise(np.random.default_rng(view.background), side_pixels)
    ground = _BACKGROUND + view.ground_contrast * noise.clip(-2.5, 2.5)[..., None]
    image = light * colour + (1 - cover) * ground
    levels = np.round(255 * image.clip(0, 1)).astype(np.uint8)
    levels.setflags(write=False)  # it is shared by all who ask for it
    return levels


def smooth_noise(generator: np.random.Generator, side_pixels: int) -> np.ndarray:
    """Noise with an amplitude spectrum of 1/f in cycles per image: mean 0, variance 1.

    Returns:
        (row, column).
    """
    white = np.fft.rfft2(generator.standard_normal((side_pixels, side_pixels)))
    rows, columns = np.fft.fftfreq(side_pixels), np.fft.rfftfreq(side_pixels)
    frequency = side_pixels * np.hypot(rows[:, None], columns[None, :])
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(white / frequency, s=(side_pixels, side_pixels))
    return np.asarray((noise - noise.mean()) / noise.std())


def _texture(u: np.ndarray, v: np.ndarray, kind: int, phase: float) -> np.ndarray:
    """In [-1, 1], fixed to the object."""
    angle = 2 * np.pi * phase
    if kind == 0:
        return np.zeros(u.shape)
    if kind == 1:
        return np.asarray(np.sin(2 * np.pi * 2.5 * (u * np.cos(angle) + v * np.sin(angle))))
    if kind == 2:
        return np.asarray(np.sign(np.sin(2 * np.pi * 2 * u + angle) * np.sin(2 * np.pi * 2 * v)))
    return np.asarray(np.sin(5 * u + angle) * np.cos(4 * v - angle))
