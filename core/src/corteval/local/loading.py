"""A described folder as a stimulus set and an assembly, checked and in plain form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import check_behavioural, check_neural
from corteval.local.description import Description, within
from corteval.local.formats import columns as cells_of
from corteval.local.formats import tables
from corteval.local.formats.arrays import StoredArray, read_npy, read_npz
from corteval.local.formats.axes import named_axes
from corteval.local.formats.behaviour_tables import BEHAVIOUR, behaviour_of, behavioural_table
from corteval.local.formats.long_tables import neural_table
from corteval.local.formats.matlab import read_mat
from corteval.local.formats.netcdf import from_netcdf
from corteval.local.formats.rows import (
    along,
    made_ids,
    neuroid_table,
    refuse_missing,
    rows_by_stimulus,
)
from corteval.local.problems import Findings, refuse
from corteval.local.stimulus_table import read_stimuli
from corteval.stimuli import StimulusSet

ARRAYS = (".npy", ".npz", ".mat")
NETCDF = (".nc", ".nc4", ".cdf", ".h5netcdf")
FORMATS = (*ARRAYS, *NETCDF, *tables.SUFFIXES, ".nwb")


def load_stimuli(description: Description) -> StimulusSet:
    """Stimuli of a folder.

    Raises:
        DatasetError: lists everything that is wrong with the table and the files it names.
    """
    findings = Findings()
    found = read_stimuli(description, findings)
    return findings.required(found, description.id).stimuli


def load_assembly(description: Description, stimuli: StimulusSet) -> xr.DataArray:
    """Responses of a folder; a .npy is mapped and read where it is used.

    Args:
        description: of the folder.
        stimuli: of the same folder.

    Returns:
        (presentation, neuroid[, time_bin][, trial]), or (presentation) for behaviour.

    Raises:
        DatasetError: lists everything that is wrong with the responses and their tables.
    """
    findings = Findings()
    return findings.required(read_responses(description, stimuli, findings), description.id)


def read_responses(
    description: Description, stimuli: StimulusSet, findings: Findings
) -> xr.DataArray | None:
    """Responses of a folder; None, and errors, if there are none that could be read."""
    assembly = None
    with findings.collecting():
        assembly = _finished(_read(description, stimuli, findings), description)
    return assembly


def _read(description: Description, stimuli: StimulusSet, findings: Findings) -> xr.DataArray:
    responses = description.responses
    path = within(description.folder, responses.file, "the file of responses")
    suffix = path.suffix.lower()
    if suffix == ".nwb":
        from corteval.local.formats import nwb

        return nwb.read(description, stimuli)
    if path.is_dir() or path.name.lower().endswith((".nii", ".nii.gz", ".gii")):
        from corteval.local.formats import bids

        return bids.read(description, stimuli)
    if suffix in tables.SUFFIXES:
        return _from_table(description, stimuli, findings)
    if suffix not in FORMATS:
        refuse(f"Files {suffix or 'without an ending'} are not read.", responses.file, _known())
    if path.stat().st_size == 0:
        refuse("The file has 0 bytes.", responses.file, "Copy it again.")
    if suffix in NETCDF:
        return from_netcdf(description, stimuli, path, findings)
    return _from_array(description, stimuli, _stored(path, description), findings)


def _known() -> str:
    return f"Formats are {', '.join(FORMATS)}, and folders of BIDS derivatives."


def _stored(path: Path, description: Description) -> StoredArray:
    responses = description.responses
    match path.suffix.lower():
        case ".npy":
            return read_npy(path, responses.file)
        case ".npz":
            return read_npz(path, responses.file, responses.variable)
        case _:
            return read_mat(path, responses.file, responses.variable)


# Tables.


def _from_table(description: Description, stimuli: StimulusSet, findings: Findings) -> xr.DataArray:
    responses = description.responses
    table = tables.read_table(
        description.folder, responses.file, "the table of responses", findings
    )
    table = tables.renamed(table, description.columns)
    if responses.file == description.stimuli:  # ids of its rows were told with the stimuli
        table = tables.numbered(table, Findings())
    standard = {theirs: name for name, theirs in table.called.items()}
    value = responses.value and standard.get(responses.value, responses.value)
    found = value or behaviour_of(list(table.frame.columns))
    if responses.task or (not responses.target and found in BEHAVIOUR):
        return behavioural_table(table, value, responses.task, stimuli.stimulus_ids, findings)
    neuroids = neuroid_table(description, findings)
    known = None if neuroids is None else list(neuroids["neuroid_id"])
    of_stimuli = list(stimuli.table.columns)
    assembly = neural_table(table, value, stimuli.stimulus_ids, known, findings, of_stimuli)
    if responses.file == description.stimuli:  # its columns are those of stimuli
        kept = ("stimulus_id", "neuroid_id", "time_bin_start_ms", "time_bin_end_ms")
        assembly = assembly.drop_vars([c for c in assembly.coords if c not in kept])
    return assembly if neuroids is None else assembly.assign_coords(along("neuroid", neuroids))


# Arrays.


def _from_array(
    description: Description, stimuli: StimulusSet, stored: StoredArray, findings: Findings
) -> xr.DataArray:
    responses = description.responses
    neuroids = neuroid_table(description, findings)
    shown = _shown(description, stored, stimuli, findings)
    sizes = {
        "presentation": len(stimuli) if shown is None else len(shown),
        "neuroid": None if neuroids is None else len(neuroids["neuroid_id"]),
        "time_bin": len(responses.time_bin_ms) or None,
        "repetition": None,
    }
    values, dims = named_axes(
        stored.values,
        responses.dims,
        sizes,
        stored.where,
        findings,
        squeezable=stored.squeezable,
    )
    order: list[str] = [
        dim for dim in ("presentation", "neuroid", "time_bin", "repetition") if dim in dims
    ]
    values = values.transpose([dims.index(dim) for dim in order])
    if "neuroid" not in order:
        values, order = values[:, None], [order[0], "neuroid", *order[1:]]
    if shown is not None and shown != stimuli.stimulus_ids:
        values, order = rows_by_stimulus(values, order, shown, stimuli, stored.where)
    if neuroids is None:
        neuroids = {"neuroid_id": made_ids(values.shape[1])}
    coords = {"stimulus_id": ("presentation", np.array(stimuli.stimulus_ids, object))}
    return xr.DataArray(
        values,
        dims=["trial" if dim == "repetition" else dim for dim in order],
        coords=coords | along("neuroid", neuroids),
    )


def _shown(
    description: Description, stored: StoredArray, stimuli: StimulusSet, findings: Findings
) -> list[str] | None:
    """Stimulus of each row of the array; None if rows are the stimuli in table order."""
    name = description.responses.presentations
    if name is None:
        return None
    if stored.names is not None and (name in stored.others or "." not in name):
        if name.partition(".")[0] not in stored.others:
            refuse(
                f"There is no variable {name!r} with stimulus ids.",
                stored.where,
                f"There are {', '.join(stored.others)}.",
            )
        found = stored.names(name)
        frame = pd.DataFrame({"stimulus_id": found})
        table = tables.Table(
            name=f"{description.responses.file}, variable {name}",
            frame=frame,
            lines=np.arange(len(found)) + 1,
            separator="",
        )
    else:
        table = tables.read_table(description.folder, name, "the table of presentations", findings)
        table = tables.renamed(table, description.columns)
    table.column("stimulus_id")
    cells = table.text("stimulus_id")
    before = len(findings.errors)
    known = stimuli.stimulus_ids
    cells_of.match(cells, known, table, "stimulus_id", findings, "the stimulus table")
    if len(findings.errors) > before:
        last = findings.problems.pop()  # told by the exception
        refuse(last.what, last.where, last.next_step)
    seen = set(cells)
    missing = [stimulus_id for stimulus_id in known if stimulus_id not in seen]
    if missing:
        refuse_missing(missing, table.name)
    return [str(cell) for cell in cells]


# What all have in common.


def _finished(array: xr.DataArray, description: Description) -> xr.DataArray:
    """With time bins as coordinates, and checked."""
    responses = description.responses
    array = _plain_text(_timed(array, description))
    if responses.unit:
        array = array.assign_attrs(unit=responses.unit)
    if "neuroid" not in array.dims:
        return check_behavioural(array)
    order = [d for d in ("presentation", "neuroid", "time_bin", "trial") if d in array.dims]
    _check_bins(array, responses.file)
    return check_neural(array.transpose(*order, ...))


def _plain_text(array: xr.DataArray) -> xr.DataArray:
    """Text as arrays of text, not of Python objects, which no file takes."""
    texts = {
        name: (coordinate.dims, coordinate.values.astype(str))
        for name, coordinate in array.coords.items()
        if coordinate.dtype.kind not in "fiubU"
    }
    array = array.assign_coords(texts)
    return array.astype(str) if array.dtype == object else array


def _timed(array: xr.DataArray, description: Description) -> xr.DataArray:
    bins = description.responses.time_bin_ms
    if not bins or "neuroid" not in array.dims or "time_bin_start_ms" in array.coords:
        return array
    if "time_bin" not in array.dims:
        if len(bins) > 1:
            refuse(
                f"time_bin_ms has {len(bins)} bins, but the responses have no axis of time.",
                description.responses.file,
                'Name the axis "time_bin" in dims, or give the one bin.',
            )
        array = array.expand_dims(time_bin=1, axis=2)
    elif array.sizes["time_bin"] != len(bins):
        refuse(
            f"There are {array.sizes['time_bin']} time bins, time_bin_ms names {len(bins)}.",
            description.responses.file,
            "Give start and end of each: time_bin_ms = [[0, 100], [100, 200]].",
        )
    return array.assign_coords(
        time_bin_start_ms=("time_bin", [start for start, _ in bins]),
        time_bin_end_ms=("time_bin", [end for _, end in bins]),
    )


def _check_bins(array: xr.DataArray, where: str) -> None:
    if "time_bin" not in array.dims:
        return
    if "time_bin_start_ms" not in array.coords:
        refuse(
            f"It is not said when the {array.sizes['time_bin']} time bins are.",
            where,
            "Give start and end of each: time_bin_ms = [[0, 100], [100, 200]].",
        )
    starts, ends = array["time_bin_start_ms"].values, array["time_bin_end_ms"].values
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
        if not end > start:
            refuse(
                f"Time bin {number} runs from {start:g} to {end:g} ms, backwards.",
                where,
                f"Write [{end:g}, {start:g}] if that is meant."
                if end < start
                else "Give it a start and an end.",
            )
