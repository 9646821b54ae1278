"""Properties of tuning curves. Every function takes (..., unit-last) arrays of all units at once.

Source: spec ``marques2020`` section 3. Smoothing and cubic splines are fixed linear maps of the
measured points, so a population of curves is one matrix product.
"""

from __future__ import annotations

from functools import cache

import numpy as np

#: Tops of curves: width is measured where they fall to this share of the peak.
_HALF_POWER = 0.707

#: Suppression above which a surround counts, and with it the sizes of centre and surround.
_SUPPRESSED = 0.1

_SMOOTH = np.array([0, 1, 5, 1, 0]) / 7
_HANNING = np.array([0, 2, 5, 2, 0]) / 9


def modulation(cycle: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean (DC) and first harmonic (F1) over the phases of a drifting grating.

    F1 = 2 |FFT[1]| / number of phases.
    """
    harmonics = np.fft.rfft(cycle, axis=axis)
    first = 2 * np.abs(np.take(harmonics, 1, axis=axis)) / cycle.shape[axis]
    return cycle.mean(axis=axis), first


def preferred_orientation(curves: np.ndarray) -> np.ndarray:
    """Orientation in [-22.5, 157.5) at the top of the smoothed spline, whole degrees.

    Args:
        curves: (12 orientations 0, 15, ... 165, unit).
    """
    dense = _orientation_spline("smooth") @ curves
    degrees = np.argmax(dense[180:360], axis=0).astype(np.float64)
    return np.where(degrees >= 157.5, degrees - 180, degrees)


def orientation_bandwidth(curves: np.ndarray) -> np.ndarray:
    """Half width of the tuning at .707 of its peak, in degrees; NaN if it never falls so low.

    Args:
        curves: (12 orientations, unit).
    """
    dense = _orientation_spline("hanning") @ curves
    peak = np.argmax(dense[180:360], axis=0) + 180
    low, high = _flanks(dense, peak)
    width = high - low
    return np.where(width <= 180, width / 2, np.nan)


def circular_variance(curves: np.ndarray) -> np.ndarray:
    """1 - |Σ r e^{2iθ}| / Σ |r| over the 12 measured orientations; 0 is sharp, 1 untuned."""
    angles = np.exp(2j * np.deg2rad(15.0 * np.arange(12)))
    with np.errstate(invalid="ignore"):  # a silent unit has none
        return np.asarray(1 - np.abs(angles @ curves) / np.abs(curves).sum(axis=0))


def orthogonal_preferred_ratio(curves: np.ndarray) -> np.ndarray:
    """Response 90 degrees from the best measured orientation over the response there."""
    best = np.argmax(curves, axis=0)
    units = np.arange(curves.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(curves[(best + 6) % 12, units] / curves[best, units])


def orientation_selective(curves: np.ndarray) -> np.ndarray:
    """1 if the tuning for orientation falls to .707 of its peak on both sides, else 0."""
    return np.isfinite(orientation_bandwidth(curves)).astype(np.float64)


def variance_bandwidth_ratio(curves: np.ndarray) -> np.ndarray:
    """Circular variance over bandwidth, per degree; NaN where the bandwidth is."""
    return circular_variance(curves) / orientation_bandwidth(curves)


def orthogonal_ratio_less_variance(curves: np.ndarray) -> np.ndarray:
    """Orthogonal over preferred response, less the circular variance."""
    return orthogonal_preferred_ratio(curves) - circular_variance(curves)


def peak_spatial_frequency(curves: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Frequency at the top of the smoothed spline, in cycles per degree.

    Args:
        curves: (frequency, unit).
        frequencies: increasing, in cycles per degree.
    """
    dense, grid = _frequency_spline(curves, frequencies)
    return np.asarray(2 ** grid[np.argmax(dense, axis=0)])


def spatial_frequency_bandwidth(curves: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """100 times the lower over the upper frequency where the tuning falls to .707 of its peak.

    NaN if it does not fall so low on both sides.
    """
    dense, grid = _frequency_spline(curves, frequencies)
    low, high = _flanks(dense, np.argmax(dense, axis=0))
    positions = np.arange(len(grid))
    edges = [np.interp(side, positions, grid) for side in (low, high)]  # NaN stays NaN
    return np.asarray(100 * 2 ** (edges[0] - edges[1]))


def spatial_frequency_selective(curves: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """1 if the tuning falls to .707 of its peak on both sides, else 0."""
    bandwidth = spatial_frequency_bandwidth(curves, frequencies)
    return np.isfinite(bandwidth).astype(np.float64)


def surround_suppression(curves: np.ndarray) -> np.ndarray:
    """(peak - plateau) / peak of a size-tuning curve; the plateau is the largest stimulus.

    Args:
        curves: (radius, unit).
    """
    peak = curves.max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (peak - curves[-1]) / peak


def strongly_suppressed(curves: np.ndarray) -> np.ndarray:
    """1 if the surround suppresses by .1 or more, else 0."""
    return np.asarray(surround_suppression(curves) >= _SUPPRESSED, np.float64)


def grating_summation_field(curves: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Diameter of the smallest grating that drives .95 of the peak, degrees.

    NaN unless the surround suppresses by more than .1.
    """
    peak = curves.max(axis=0)
    first = np.argmax(curves >= 0.95 * peak, axis=0)
    return np.where(_suppressed(curves), 2 * radii[first], np.nan)


def surround_diameter(curves: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Diameter of the first grating past the peak at which suppression is complete, degrees.

    Complete means within 5 % of the plateau. NaN unless the surround suppresses by more than .1.
    """
    plateau = curves[-1]
    beyond = np.arange(len(radii))[:, None] > np.argmax(curves, axis=0)
    complete = beyond & (curves <= plateau + 0.05 * np.abs(plateau))
    first = np.argmax(complete, axis=0)
    return np.where(_suppressed(curves) & complete.any(axis=0), 2 * radii[first], np.nan)


def surround_ratio(curves: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Surround diameter over grating summation field; NaN where they are."""
    return surround_diameter(curves, radii) / grating_summation_field(curves, radii)


def _suppressed(curves: np.ndarray) -> np.ndarray:
    return np.asarray((curves.max(axis=0) > 0) & (surround_suppression(curves) > _SUPPRESSED))


def _flanks(dense: np.ndarray, peak: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Last sample before and first after the peak at or below .707 of it; NaN where none is."""
    below = dense <= _HALF_POWER * np.take_along_axis(dense, peak[None], axis=0)
    index = np.arange(len(dense))[:, None]
    left, right = below & (index < peak), below & (index > peak)
    low = np.where(left.any(axis=0), len(dense) - 1 - np.argmax(left[::-1], axis=0), np.nan)
    high = np.where(right.any(axis=0), np.argmax(right, axis=0), np.nan)
    return low, high


@cache
def _orientation_spline(kernel: str) -> np.ndarray:
    """(540 whole degrees from -180, 12 orientations): three turns, smoothed, cubic spline."""
    from scipy.interpolate import make_interp_spline

    weights = _SMOOTH if kernel == "smooth" else _HANNING
    turns = np.tile(np.eye(12), (3, 1))
    smoothed = np.stack([np.convolve(c, weights, "same") for c in turns.T], axis=1)
    spline = make_interp_spline(np.arange(-180, 360, 15), smoothed, k=3)
    return np.asarray(spline(np.arange(-180, 360)))


def _frequency_spline(curves: np.ndarray, frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smoothed cubic spline over log2 frequency at 100 even steps, and the steps."""
    from scipy.interpolate import make_interp_spline

    padded = np.concatenate([curves[:1]] * 2 + [curves] + [curves[-1:]] * 2)
    smoothed = sum(w * padded[i : i + len(curves)] for i, w in enumerate(_SMOOTH))
    grid = np.linspace(np.log2(frequencies[0]), np.log2(frequencies[-1]), 100)
    return np.asarray(make_interp_spline(np.log2(frequencies), smoothed, k=3)(grid)), grid
