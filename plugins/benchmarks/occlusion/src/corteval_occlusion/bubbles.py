"""Bubbles: Gaussian holes in a grey cover, through which an image is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corteval.errors import OptionError

#: Standard deviation of a bubble in pixels of an image of this side.
SIGMA_PIXELS, SIDE_PIXELS = 14.0, 256

#: A pixel is visible where the mask reaches this: two standard deviations from a centre.
VISIBLE = 0.134

#: The mask is 0 below this.
_NOTHING = 1e-8


def bubble_mask(
    shape: tuple[int, int], centres: Sequence[tuple[float, float]], sigma_pixels: float
) -> np.ndarray:
    """How much of each pixel is seen, in [0, 1].

        m = max over centres of exp(-r² / 2σ²),    m < 10⁻⁸ becomes 0

    r is the distance to a centre in pixels. Source: spec ``models`` section 6 (Tang et al. 2018).

    Args:
        shape: rows and columns.
        centres: (row, column) from 0; may lie outside of the image.
        sigma_pixels: σ.

    Returns:
        (row, column); 0 everywhere without centres.

    Raises:
        OptionError: if σ is not positive.
    """
    if not sigma_pixels > 0:
        raise OptionError(f"The standard deviation of a bubble is positive, not {sigma_pixels}.")
    mask = np.zeros(shape)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    for row, column in centres:
        # e^{-(a + b)} is e^{-a} e^{-b}: one exponential for a row or column, not one for a pixel
        down, right = (
            np.exp(-((places - place) ** 2) / (2 * sigma_pixels**2))
            for places, place in ((rows, row), (columns, column))
        )
        mask = np.maximum(mask, down * right)
    return np.where(mask < _NOTHING, 0.0, mask)


def seen_through(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`image` behind a grey cover with a mask of holes.

        out = uint8(255 ((x / max(255, max x) - ½) m + ½))

    where uint8 rounds halves away from zero. Source: spec ``models`` section 6.

    Args:
        image: (row, column) or (row, column, channel), from 0.
        mask: (row, column) in [0, 1].
    """
    x = image.astype(np.float64)
    m = mask if x.ndim == 2 else mask[..., None]
    light = 255 * ((x / max(255.0, float(x.max())) - 0.5) * m + 0.5)
    return np.floor(light + 0.5).clip(0, 255).astype(np.uint8)  # light is never negative


def share_visible(mask: np.ndarray, threshold: float = VISIBLE) -> float:
    """Share of the pixels where the mask reaches `threshold`."""
    return float((mask >= threshold).mean())
