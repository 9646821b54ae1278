"""Recordings of several subjects for the conformance kit."""

from __future__ import annotations

import numpy as np
import xarray as xr

from corteval.assembly import neural


def subjects() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Six subjects of eight neuroids that agree well, six that agree little, and one alone."""
    generator = np.random.default_rng(8)
    signal = np.tile(generator.standard_normal((60, 8)), 6)
    noise = generator.standard_normal(signal.shape)
    ids = [f"stimulus-{n:02d}" for n in range(60)]
    names = [f"subject-{n // 8}" for n in range(48)]
    regions = [f"region-{n % 8}" for n in range(48)]
    neuroids = {
        "neuroid_id": [f"{s}.{r}" for s, r in zip(names, regions, strict=True)],
        "subject": names,
        "region": regions,
    }
    clear, noisy = (neural(signal + size * noise, ids, neuroids) for size in (0.5, 4.0))
    return clear, noisy, clear.isel(neuroid=slice(0, 8))
