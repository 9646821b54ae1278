"""Recordings over time in bins that need not be those of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.data import DataSource
from corteval.errors import AssemblyError
from corteval.requests import TimeBin, as_time_bins
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class InTimeBins:
    """A recording of the archive with its responses in other time bins.

    Args:
        data: identifier of the recording.
        time_bins: (start_ms, end_ms) of the wanted bins; none keeps those of the file.
        visual_degrees, folder: options of that data set.
    """

    data: str
    time_bins: tuple[TimeBin, ...] = ()
    visual_degrees: float | None = None
    folder: str | Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))

    def stimuli(self) -> StimulusSet:
        """What was shown."""
        return self._recording.stimuli()

    def assembly(self) -> xr.DataArray:
        """Presentation x neuroid x time_bin[ x trial], in the wanted bins."""
        assembly = self._recording.assembly()
        return in_time_bins(assembly, self.time_bins) if self.time_bins else assembly

    @property
    def _recording(self) -> DataSource:
        options = {"visual_degrees": self.visual_degrees, "folder": self.folder}
        return cast("DataSource", registry.data.create(self.data, **options))


def in_time_bins(assembly: xr.DataArray, time_bins: Sequence[TimeBin]) -> xr.DataArray:
    """Responses in `time_bins`, from those of the bins that overlap them.

        y_t = sum_s w_ts x_s / sum_s w_ts,    w_ts = overlap of s and t / width of s

    A bin of the assembly is used as it is. Rates stay rates; where a wanted bin is narrower than
    those there are, neighbours get the same value. Source: spec ``metrics`` 2.8, time alignment.

    Args:
        assembly: (..., time_bin, ...), with ``time_bin_start_ms`` and ``time_bin_end_ms``.
        time_bins: wanted.

    Raises:
        AssemblyError: if it has no time bins, or a wanted one is not covered by them.
    """
    if "time_bin" not in assembly.dims:
        raise AssemblyError("The recording has no time bins, so none can be taken from it.")
    starts, ends = (assembly[f"time_bin_{edge}_ms"].values for edge in ("start", "end"))
    weights = np.stack([_overlaps(b, starts, ends) for b in time_bins])
    axis = assembly.dims.index("time_bin")
    moved = np.moveaxis(assembly.values, axis, 0)
    shape = (len(time_bins), *moved.shape[1:])
    values = np.empty(shape, moved.dtype if moved.dtype.kind == "f" else np.float64)
    for row, share in zip(values, weights, strict=True):
        used = np.flatnonzero(share)
        row[...] = np.tensordot(share[used] / share[used].sum(), moved[used], axes=1)
    others = {n: c for n, c in assembly.coords.items() if "time_bin" not in c.dims}
    made = xr.DataArray(
        np.moveaxis(values, 0, axis), dims=assembly.dims, coords=others, attrs=assembly.attrs
    )
    return made.assign_coords(
        time_bin_start_ms=("time_bin", [b.start_ms for b in time_bins]),
        time_bin_end_ms=("time_bin", [b.end_ms for b in time_bins]),
    )


def _overlaps(wanted: TimeBin, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(time_bin) share of each bin's width that lies in `wanted`; of an equal bin alone, 1."""
    equal = (starts == wanted.start_ms) & (ends == wanted.end_ms)
    if equal.any():
        return equal.astype(np.float64)
    first, last = np.maximum(starts, wanted.start_ms), np.minimum(ends, wanted.end_ms)
    reached = wanted.start_ms
    for start, end in sorted(zip(first.tolist(), last.tolist(), strict=True)):
        if start <= reached < end:
            reached = end
    if reached < wanted.end_ms:
        raise AssemblyError(
            f"The recording's time bins, from {starts.min():g} to {ends.max():g} ms, do not cover "
            f"{wanted.start_ms:g}-{wanted.end_ms:g} ms. Ask for others by time_bins."
        )
    return np.maximum(last - first, 0) / (ends - starts)
