"""Responses that separate objects in ramps of known onset."""

from __future__ import annotations

import numpy as np
import xarray as xr

from corteval.assembly import neural
from corteval.requests import TimeBin


def ramps(
    *,
    stimuli: int = 100,
    objects: int = 3,
    neuroids: int = 600,
    time_bins: int = 6,
    threshold: float = 2.5,
    noise: float = 0.1,
    seed: int = 0,
) -> tuple[xr.DataArray, xr.DataArray]:
    """Responses and the onsets that made them.

        r(image, neuroid, t) = max(0, t - onset of image) / 40 ms · pattern of its object + noise

    Noise does not change in time, so the order of onsets is that of solution times.

    Args:
        stimuli, objects, neuroids, time_bins: how many there are; bins are 10 ms wide, from 70 ms.
        threshold: I1 at which every image counts as solved.
        noise: standard deviation; that of patterns is 1.
        seed: of patterns, noise and onsets.

    Returns:
        Source and target of `ObjectSolutionTimes`.
    """
    generator = np.random.default_rng(seed)
    bins = [TimeBin(70 + 10 * n, 80 + 10 * n) for n in range(time_bins)]
    start_ms = np.array([b.start_ms for b in bins])
    onset_ms = generator.permutation(np.linspace(50, start_ms[-1] - 20, stimuli))
    truth = np.arange(stimuli) % objects
    ramp = np.maximum(0, start_ms - onset_ms[:, None]) / 40
    patterns = generator.standard_normal((objects, neuroids))
    values = ramp[:, None, :] * patterns[truth][:, :, None]
    values += noise * generator.standard_normal((stimuli, neuroids, 1))
    ids = [f"stimulus-{n:03d}" for n in range(stimuli)]
    names = {"neuroid_id": [f"neuroid-{n:04d}" for n in range(neuroids)]}
    target = xr.DataArray(
        onset_ms,
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", ids),
            "truth": ("presentation", [f"object-{n}" for n in truth]),
            "i1": ("presentation", np.full(stimuli, threshold)),
        },
    )
    return neural(values, ids, names, time_bins=bins), target


def example() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Ramps, their onsets, and the same ramps with stimuli exchanged."""
    source, target = ramps()
    order = np.random.default_rng(1).permutation(source.sizes["presentation"])
    return source, target, source.copy(data=source.values[order])
