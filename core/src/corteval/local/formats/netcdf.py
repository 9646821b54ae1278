"""Labelled arrays of netCDF files, which bring their own dimensions and coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.local.description import Description
from corteval.local.formats import columns as cells_of
from corteval.local.formats import hdf5, tables
from corteval.local.formats.arrays import check_numbers, check_size, chosen_variable
from corteval.local.formats.rows import (
    along,
    made_ids,
    neuroid_table,
    refuse_missing,
    rows_by_stimulus,
)
from corteval.local.problems import Findings, refuse
from corteval.stimuli import StimulusSet

#: What an axis may be called.
DIMS: Mapping[str, str] = {
    "presentation": "presentation",
    "stimulus": "presentation",
    "stimuli": "presentation",
    "image": "presentation",
    "stimulus_id": "presentation",
    "neuroid": "neuroid",
    "neuroids": "neuroid",
    "neuron": "neuroid",
    "unit": "neuroid",
    "voxel": "neuroid",
    "channel": "neuroid",
    "electrode": "neuroid",
    "neuroid_id": "neuroid",
    "time_bin": "time_bin",
    "time": "time_bin",
    "trial": "trial",
    "trials": "trial",
    "repetition": "trial",
    "repeat": "trial",
    "rep": "trial",
    "choice": "choice",
}


#: Attributes that say how missing values are stored, not what the values are.
_MARKS = ("_FillValue", "missing_value")


def read_netcdf(
    path: Path, name: str, variable: str | None, dims: tuple[str, ...] = ()
) -> xr.DataArray:
    """One variable of a netCDF file with its coordinates, in memory.

    Args:
        path: of the file.
        name: for messages.
        variable: if there are several.
        dims: names for its axes, if those of the file are not known ones.

    Raises:
        DatasetError: if the file is damaged, or axes cannot be told apart.
    """
    with path.open("rb") as file:
        start = file.read(8)
    if start == hdf5.MAGIC:
        with hdf5.opened(path, name) as content:
            _check_sizes(content, name, variable)
        dataset = _opened(path, name, "h5netcdf")
    elif start[:4] in (b"CDF\x01", b"CDF\x02"):
        dataset = _opened(path, name, "scipy")
    else:
        refuse(
            f"The file begins with {start[:4]!r}, as no netCDF does.",
            name,
            "Copy it again, or save it by xarray's to_netcdf.",
        )
    with dataset:
        shapes = {
            str(key): tuple(array.shape)
            for key, array in dataset.data_vars.items()
            if array.dtype.kind in "fiub"
        }
        chosen = chosen_variable(shapes, [str(k) for k in dataset.data_vars], variable, name)
        where = f"{name}, variable {chosen}"
        array = dataset[chosen]
        check_size(array.nbytes, 0, where)
        try:
            array = array.load()
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, IndexError) as error:
            refuse(f"Its values are damaged: {_line(error)}.", where, "Copy the file again.")
    array = array.copy(data=check_numbers(array.values, where))
    array.attrs = {key: value for key, value in array.attrs.items() if key not in _MARKS}
    return _renamed(array, dims, where)


def _opened(path: Path, name: str, engine: Any) -> xr.Dataset:
    try:
        dataset = xr.open_dataset(
            path, engine=engine, decode_times=False, mask_and_scale=False, cache=False
        )
        if any(_is_packed(variable) for variable in dataset.variables.values()):
            dataset.close()  # masking copies the values, so it is done where there is need
            dataset = xr.open_dataset(path, engine=engine, decode_times=False, cache=False)
        return dataset
    except Exception as error:  # xarray, h5netcdf and scipy share no error for a damaged file
        refuse(f"The file is no readable netCDF: {_line(error)}.", name, "Copy or save it again.")


def _is_packed(variable: xr.Variable) -> bool:
    """Whether numbers are scaled, or missing ones are marked by a number rather than by NaN."""
    marks = [variable.attrs.get(key) for key in _MARKS]
    marked = any(mark is not None and not _is_nan(mark) for mark in marks)
    return (marked and variable.dtype.kind in "fiu") or bool(
        {"scale_factor", "add_offset"} & set(variable.attrs)
    )


def _is_nan(mark: object) -> bool:
    return bool(np.all(np.asarray(mark) != np.asarray(mark)))


def _check_sizes(content: Any, name: str, variable: str | None) -> None:
    """Before anything is read: an array that was never written has any size."""
    for key, item in content.items():
        if not hasattr(item, "dtype"):
            continue
        count = int(np.prod([int(n) for n in item.shape], dtype=object)) * item.dtype.itemsize
        is_scale = item.attrs.get("CLASS") == b"DIMENSION_SCALE"
        if variable in (None, key) and not is_scale:
            check_size(count, int(item.id.get_storage_size()), f"{name}, variable {key}")


def _coordinates(array: xr.DataArray) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Dims and values of coordinates as text or numbers; an index by ids has the ids' name."""
    columns: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for key, coordinate in array.coords.items():
        values = coordinate.values
        if values.dtype.kind in "OS":
            values = np.array([_text(v) for v in values.ravel().tolist()], object).reshape(
                values.shape
            )
        name = str(key)
        if name in array.dims:
            name = _id_of(name)
            if name != str(key) and name in array.coords:
                continue
        columns[name] = (tuple(map(str, coordinate.dims)), values)
    return columns


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _id_of(dim: str) -> str:
    """Name of the coordinate that an index along `dim` stands for."""
    return {"presentation": "stimulus_id", "neuroid": "neuroid_id"}.get(
        DIMS.get(dim, dim), f"{dim}_number"
    )


def _renamed(array: xr.DataArray, dims: tuple[str, ...], where: str) -> xr.DataArray:
    names = [str(dim) for dim in array.dims]
    if dims and len(dims) == len(names):
        wanted = ["trial" if dim == "repetition" else dim for dim in dims]
    else:
        wanted = [DIMS.get(dim.lower(), "") for dim in names]
    unknown = [dim for dim, known in zip(names, wanted, strict=True) if not known]
    if unknown or len(set(wanted)) < len(wanted):
        sizes = ", ".join(f"{dim} ({size})" for dim, size in array.sizes.items())
        refuse(
            f"Its dimensions are {sizes}"
            + (f"; {', '.join(unknown)} is none of a recording." if unknown else "."),
            where,
            'Name them in order: dims = ["presentation", "neuroid", "time_bin", "repetition"].',
        )
    new = dict(zip(names, wanted, strict=True))
    return xr.DataArray(
        array.values,
        dims=wanted,
        coords={
            f"{key}_number" if key in wanted else key: ([new[dim] for dim in dims_of], values)
            for key, (dims_of, values) in _coordinates(array).items()
        },
        attrs=array.attrs,
    )


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def from_netcdf(
    description: Description, stimuli: StimulusSet, path: Path, findings: Findings
) -> xr.DataArray:
    """Assembly of a netCDF file, with one row a stimulus if it is neural.

    Args:
        description: of the folder.
        stimuli: of the same folder.
        path: of the file.
        findings: told of rows that are wrong.

    Raises:
        DatasetError: if rows or neuroids cannot be told apart.
    """
    responses = description.responses
    array = read_netcdf(path, responses.file, responses.variable, responses.dims)
    where = responses.file
    array = _called(array, description)
    if "presentation" not in array.dims:
        refuse(f"Dimensions are {', '.join(map(str, array.dims))}; presentation is missing.", where)
    if "stimulus_id" not in array.coords or array["stimulus_id"].dims != ("presentation",):
        if array.sizes["presentation"] != len(stimuli):
            refuse(
                f"There is no coordinate stimulus_id, and {array.sizes['presentation']} rows for "
                f"{len(stimuli)} stimuli.",
                where,
                "Add the coordinate: array.assign_coords(stimulus_id=('presentation', ids)).",
            )
        findings.warning(
            "There is no coordinate stimulus_id; rows are taken in the order of stimuli.",
            where,
        )
        array = array.assign_coords(stimulus_id=("presentation", stimuli.stimulus_ids))
    shown = [str(cell) for cell in array["stimulus_id"].values]
    table = tables.Table(
        name=f"{where}, presentation",
        frame=pd.DataFrame({"stimulus_id": shown}),
        lines=np.arange(len(shown)) + 1,
        separator="",
    )
    rows = cells_of.match(
        table.text("stimulus_id"),
        stimuli.stimulus_ids,
        table,
        "stimulus_id",
        findings,
        "the stimulus table",
    )
    if (rows < 0).all():
        refuse("No row belongs to a stimulus of the stimulus table.", where)
    shown = [stimuli.stimulus_ids[row] for row in rows if row >= 0]
    if (rows < 0).any():  # told already; what is left shows what else is wrong
        array = array.isel(presentation=rows >= 0)
    array = array.assign_coords(stimulus_id=("presentation", np.array(shown, object)))
    if "neuroid" not in array.dims and not responses.target:
        return array
    if "neuroid" not in array.dims:
        array = array.expand_dims("neuroid", axis=1)
    if "neuroid_id" not in array.coords or array["neuroid_id"].dims != ("neuroid",):
        array = array.assign_coords(neuroid_id=("neuroid", made_ids(array.sizes["neuroid"])))
    seen = set(shown)
    missing = [name for name in stimuli.stimulus_ids if name not in seen]
    if missing:
        refuse_missing(missing, where)
    if (rows < 0).any() or shown == stimuli.stimulus_ids:
        return _extended(array, description, findings)
    return _extended(_stacked(array, shown, stimuli, where), description, findings)


def _called(array: xr.DataArray, description: Description) -> xr.DataArray:
    """With coordinates under their standard names."""
    names = {
        theirs: name
        for name, theirs in description.columns.items()
        if theirs in array.coords and name not in array.coords
    }
    return array.rename(names) if names else array


def _stacked(
    array: xr.DataArray, shown: list[str], stimuli: StimulusSet, where: str
) -> xr.DataArray:
    """The array with one row a stimulus, in their order."""
    dims = [d for d in ("presentation", "neuroid", "time_bin", "trial") if d in array.dims]
    array = array.transpose(*dims)
    order = ["repetition" if dim == "trial" else dim for dim in dims]
    values, order = rows_by_stimulus(array.values, order, shown, stimuli, where)
    others = {
        name: (coordinate.dims, coordinate.values)
        for name, coordinate in array.coords.items()
        if "presentation" not in coordinate.dims and "trial" not in coordinate.dims
    }
    return xr.DataArray(
        values,
        dims=["trial" if dim == "repetition" else dim for dim in order],
        coords=others | {"stimulus_id": ("presentation", stimuli.stimulus_ids)},
        attrs=array.attrs,
    )


def _extended(array: xr.DataArray, description: Description, findings: Findings) -> xr.DataArray:
    """With the columns of the table of neuroids, by id."""
    neuroids = neuroid_table(description, findings)
    if neuroids is None:
        return array
    ids = [str(cell) for cell in array["neuroid_id"].values]
    row = {name: number for number, name in enumerate(neuroids["neuroid_id"])}
    unknown = [name for name in ids if name not in row]
    if unknown:
        refuse(
            f"{len(unknown)} neuroids are not in it: {', '.join(map(repr, unknown[:5]))}.",
            str(description.responses.neuroids),
            "Name neuroids alike in both files.",
        )
    rows = [row[name] for name in ids]
    return array.assign_coords(
        along("neuroid", {name: cells[rows] for name, cells in neuroids.items()})
    )
