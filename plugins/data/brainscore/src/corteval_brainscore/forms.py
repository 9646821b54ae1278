"""Assemblies that are not neural: trials of behaviour, properties, scores and spikes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import check_behavioural, check_neural
from corteval.errors import AssemblyError
from corteval.requests import TimeBin
from corteval_brainscore.netcdf import StoredArray, text

#: Names that metrics ask for, and those the archive is known or likely to have instead.
_NAMED = {
    "subject": ("subject_id", "subject_UID", "participant_id", "participant", "worker_id"),
    "truth": ("image_label", "sample_obj", "ground_truth"),
    "distractor": ("dist_obj",),
    "story": ("story_id",),
}
_MILLISECONDS = {"ms": 1.0, "milliseconds": 1.0, "s": 1000.0, "seconds": 1000.0}


def plain_assembly(stored: StoredArray) -> xr.DataArray:
    """The array as it is stored: its dimensions, and its coordinates without an index.

    Rows (dim presentation) also have the coordinates that metrics of behaviour ask for, copied
    from what the archive calls otherwise: see `named`.
    """
    dims = stored.dims
    coords: dict[str, Any] = {}
    for name, (over, values) in stored.coords.items():
        if name in {"presentation", "neuroid"} and name in dims:
            continue  # the number of the row
        coords[name] = (over, values) if over else values[()]
    if "stimulus_id" in coords:
        over, values = stored.coords["stimulus_id"]
        coords["stimulus_id"] = over, np.array(text(values), str).reshape(values.shape)
        if len(over) == 1 and f"{over[0]}_2" in dims:
            coords["stimulus_id_2"] = f"{over[0]}_2", coords["stimulus_id"][1]
    assembly = xr.DataArray(stored.read(), dims=dims, coords=coords)
    order = [d for d in ("presentation", "neuroid") if d in dims]
    assembly = assembly.transpose(*order, ...)
    if dims == ("presentation",) and "stimulus_id" in coords:
        return check_behavioural(assembly)
    return assembly


def named(assembly: xr.DataArray) -> xr.DataArray:
    """`assembly` with ``subject``, ``truth``, ``distractor`` and ``story`` where it has them.

    ``subject`` comes from the first of ``subject_id``, ``subject_UID``, ``participant_id``,
    ``participant`` and ``worker_id``; ``truth`` from ``image_label``, ``sample_obj`` or
    ``ground_truth``; ``distractor`` from ``dist_obj``; ``story`` from ``story_id``. What is there
    is kept.
    """
    coords = {}
    for name, others in _NAMED.items():
        other = next((o for o in others if o in assembly.coords and assembly[o].dims), None)
        if name not in assembly.coords and other is not None:
            coords[name] = assembly[other].dims, assembly[other].values
    return assembly.assign_coords(coords)


def counted(stored: StoredArray, time_bins: Sequence[TimeBin]) -> xr.DataArray:
    """Spikes (dim event) as counts: presentation x neuroid x time_bin[ x trial].

    A presentation without any spike is not in such a file, and so is missing (NaN).

    Raises:
        AssemblyError: if events do not say their stimulus and neuroid, or times have no unit.
    """
    along = stored.along("event")
    lacking = [name for name in ("stimulus_id", "neuroid_id") if name not in along]
    if lacking:
        raise AssemblyError(f"{stored.path}: events have no {' and no '.join(lacking)}.")
    unit = str(stored.attrs.get("units", stored.attrs.get("unit", "")))
    if unit not in _MILLISECONDS:
        raise AssemblyError(
            f"{stored.path} gives its times in {unit or 'no unit'}; ms and s are understood. "
            "Read the events without time_bins and count them yourself."
        )
    time_ms = stored.read().astype(np.float64) * _MILLISECONDS[unit]
    stimulus, stimulus_ids = pd.factorize(np.array(text(along["stimulus_id"])))
    neuroid, neuroid_ids = pd.factorize(np.array(text(along["neuroid_id"])), sort=True)
    repetition = along.get("repetition", np.zeros(len(time_ms)))
    trial, names = pd.factorize(repetition, sort=True)
    shape = len(stimulus_ids), len(neuroid_ids), len(time_bins), len(names)
    counts = np.zeros(shape)
    for place, time_bin in enumerate(time_bins):
        inside = (time_ms >= time_bin.start_ms) & (time_ms < time_bin.end_ms)
        np.add.at(counts[:, :, place], (stimulus[inside], neuroid[inside], trial[inside]), 1)
    seen = np.zeros((shape[0], shape[3]), bool)
    seen[stimulus, trial] = True
    counts[np.broadcast_to(~seen[:, None, None, :], shape)] = np.nan
    stored.notes.append("Presentations without a spike are not in the file: they are missing.")
    assembly = xr.DataArray(
        counts,
        dims=["presentation", "neuroid", "time_bin", "trial"],
        coords={
            "stimulus_id": ("presentation", list(map(str, stimulus_ids))),
            "neuroid_id": ("neuroid", list(map(str, neuroid_ids))),
            "time_bin_start_ms": ("time_bin", [b.start_ms for b in time_bins]),
            "time_bin_end_ms": ("time_bin", [b.end_ms for b in time_bins]),
        },
    )
    return check_neural(assembly if len(names) > 1 else assembly.isel(trial=0))
