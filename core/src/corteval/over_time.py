"""Responses over several time bins: comparisons in each of them, and their means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import xarray as xr

from corteval.assembly import average_trials, check_neural
from corteval.errors import AssemblyError, UndefinedScore
from corteval.intervals import Replicates
from corteval.requests import TimeBin
from corteval.score import Estimate, Score

#: What a benchmark does with time bins of its data; see `corteval.benchmark.NeuralBenchmark`.
OverTime = Literal["single", "averaged", "each", "whole"]


def time_bins(assembly: xr.DataArray) -> tuple[TimeBin, ...]:
    """Bins of `assembly`; none if it has no time."""
    if "time_bin" not in assembly.dims:
        return ()
    ends = (assembly[f"time_bin_{end}_ms"].values for end in ("start", "end"))
    return tuple(TimeBin(float(start), float(end)) for start, end in zip(*ends, strict=True))


def mean_of_bins(assembly: xr.DataArray) -> xr.DataArray:
    """Mean over the time bins, which must be of one width: others would count by their number.

    Raises:
        AssemblyError: if they are not.
    """
    bins = time_bins(assembly)
    if not bins:
        return assembly
    widths = {round(b.end_ms - b.start_ms, 6) for b in bins}
    if len(widths) > 1:
        raise AssemblyError(
            f"Time bins are {', '.join(f'{w:g}' for w in sorted(widths))} ms wide; their mean is "
            "taken of bins of one width only."
        )
    return assembly.mean("time_bin", keep_attrs=True)


def responses(assembly: xr.DataArray) -> xr.DataArray:
    """(presentation, neuroid[, time_bin]) view: trials averaged.

    Raises:
        AssemblyError: if a response is not finite.
    """
    flat = average_trials(check_neural(assembly)).transpose("presentation", "neuroid", ...)
    bad = ~np.isfinite(flat.values).all(axis=tuple(range(1, flat.ndim)))
    if bad.any():
        ids = ", ".join(map(str, flat["stimulus_id"].values[bad][:5]))
        raise AssemblyError(f"Responses to {int(bad.sum())} stimuli are not finite: {ids}.")
    return flat


def in_each_bin(assembly: xr.DataArray) -> list[xr.DataArray]:
    """`assembly` at each of its time bins, without the dim."""
    count = assembly.sizes.get("time_bin")
    if count is None:
        return [assembly]
    return [assembly.isel(time_bin=n, drop=True) for n in range(count)]


def mean_score(scores: Sequence[Score], bins: Sequence[TimeBin]) -> Score:
    """Mean of the scores of time bins, whose samples keep them apart.

    Replicates are averaged draw by draw, since all bins are of the same stimuli and neuroids.
    """
    if len(scores) == 1:
        return scores[0]
    raws = [score.raw for score in scores]
    if any(raw is None for raw in raws):
        raise UndefinedScore("A metric gave no raw estimate, of which no mean over time is taken.")
    raw = mean_estimate([raw for raw in raws if raw is not None])
    samples = None
    if all(score.samples is not None for score in scores):
        ends = {f"time_bin_{e}_ms": [getattr(b, f"{e}_ms") for b in bins] for e in ("start", "end")}
        parts = [score.samples for score in scores if score.samples is not None]
        samples = xr.concat(parts, "time_bin", coords="minimal", compat="override", join="exact")
        samples = samples.assign_coords({n: ("time_bin", column) for n, column in ends.items()})
    notes = dict.fromkeys(note for score in scores for note in score.notes)
    return replace(scores[0], value=raw.value, raw=raw, samples=samples, notes=tuple(notes))


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Mean of the estimates of time bins.

    Its error is the mean of theirs, as if bins erred together; it is at most too large.
    """
    first = estimates[0]
    if len(estimates) == 1:
        return first
    errors = [e.error for e in estimates if e.error is not None]
    return replace(
        first,
        value=float(np.mean([e.value for e in estimates])),
        error=float(np.mean(errors)) if len(errors) == len(estimates) else None,
        method=f"{first.method}, mean over {len(estimates)} time bins",
        replicates=tuple(
            _mean_replicates(same) for same in zip(*(e.replicates for e in estimates), strict=True)
        ),
    )


def _mean_replicates(same: Sequence[Replicates]) -> Replicates:
    return replace(same[0], values=tuple(np.mean([r.values for r in same], axis=0).tolist()))
