"""Inputs for the conformance kit."""

from __future__ import annotations

import numpy as np
import xarray as xr

from corteval.assembly import neural


def trials() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Noiseless patterns, single trials of the same, and patterns that know nothing of them."""
    generator = np.random.default_rng(7)
    signal, unrelated = generator.standard_normal((2, 40, 10))
    noise = generator.standard_normal((40, 10, 8))
    ids = [f"stimulus-{number:02d}" for number in range(40)]
    source, target, other = (
        neural(values, ids, {"neuroid_id": [f"{name}-{number}" for number in range(10)]})
        for name, values in (
            ("source", signal),
            ("target", signal[:, :, None] + 0.3 * noise),
            ("noise", unrelated),
        )
    )
    return source, target, other
