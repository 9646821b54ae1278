"""Files of records: long tables of choices and probabilities, wide tables and arrays of responses.

================ ================================================================================
choices          csv or tsv with ``stimulus_id, choice[, subject, session, trial]``
model-vs-human   csv with ``subj, session, trial, rt, object_response, category, condition,
                 imagename``, recognised by its header; case is ignored
probabilities    csv or tsv with ``stimulus_id, choice, probability[, subject, trial]``
responses        csv or tsv with ``stimulus_id[, subject, trial]`` and a column of numbers a unit
npz              ``responses`` (stimulus, unit[, time bin][, trial]), ``stimulus_id``, and if known
                 ``neuroid_id``, ``neuroid_<coordinate>``, ``time_bin_start_ms``,
                 ``time_bin_end_ms``
nc               a netCDF file of a Corteval assembly that xarray can read as it is installed
================ ================================================================================

What a trial was about (``category``, ``condition``) and how long it took is not read: a subject
answers by what it was shown.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.assembly import check_neural, neural
from corteval.cards import human_size
from corteval.errors import AssemblyError, CortevalError, OptionError
from corteval.requests import TimeBin

Kind = Literal["choices", "probabilities", "responses"]

#: Read into memory at once; larger recordings belong into a data set with blocks.
MOST_BYTES = 4 * 2**30

_MODEL_VS_HUMAN = {
    "imagename": "stimulus_id",
    "object_response": "choice",
    "subj": "subject",
    "session": "session",
    "trial": "trial",
}
_RECOGNISED = frozenset({*_MODEL_VS_HUMAN, "rt", "category", "condition"})
_KEYS = ("subject", "session", "trial")
_NOT_UNITS = frozenset({"stimulus_id", *_KEYS, "rt", "condition", "category"})


@final
@dataclass(frozen=True, kw_only=True)
class Records:
    """What a file holds.

    Args:
        kind: of the records.
        format: name of the format, for messages and manifests.
        table: one row a trial, with ``stimulus_id``, ``subject``, ``session``, ``trial`` and, by
            kind, ``choice``, ``probability`` or units (None for assemblies). Of columns that the
            file lacks the values are "".
        units: names of the columns of responses.
        assembly: responses that were stored as an array.
        no_response: choice by which the format marks trials without a response.
    """

    kind: Kind
    format: str
    table: pd.DataFrame | None = None
    units: tuple[str, ...] = ()
    assembly: xr.DataArray | None = None
    no_response: str | None = None


def read(path: Path) -> Records:
    """Read a file by its extension and header.

    Raises:
        AssemblyError: says which column, row or array is wrong.
        OptionError: there is no such file, or it has no known format.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror or error}.") from error
    if size > MOST_BYTES:
        raise OptionError(
            f"{path.name} has {human_size(size)}; at most {human_size(MOST_BYTES)} are replayed."
        )
    readers = {".csv": _text, ".tsv": _text, ".npz": _npz, ".nc": _netcdf}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        hint = (
            " An array alone does not say which stimuli its rows belong to: save it by "
            "np.savez(file, responses=array, stimulus_id=ids)."
            if path.suffix.lower() == ".npy"
            else ""
        )
        raise OptionError(f"{path.name}: known are {', '.join(readers)}.{hint}")
    try:
        return reader(path)
    except CortevalError as error:
        raise type(error)(f"{path.name}: {error}") from error


def from_frame(table: pd.DataFrame) -> Records:
    """Records of a table in memory, by its columns.

    Raises:
        AssemblyError: says which column or row is wrong.
    """
    lowered = {str(column).lower(): column for column in table.columns}
    if set(lowered) >= _RECOGNISED:
        names = {lowered[own]: ours for own, ours in _MODEL_VS_HUMAN.items()}
        found = table[[*names]].rename(columns=names)
        return Records(
            kind="choices",
            format="model-vs-human",
            table=_checked(found, "choice"),
            no_response="na",
        )
    repeated = table.columns[table.columns.duplicated()]
    if len(repeated):
        raise AssemblyError(f"The column {repeated[0]!r} stands there twice.")
    if "stimulus_id" not in table.columns:
        raise AssemblyError(
            f"There is no column 'stimulus_id'; there are {_first(list(table.columns))}. Tables "
            "have stimulus_id and choice, or stimulus_id and a column of numbers a unit."
        )
    if "choice" in table.columns and "probability" in table.columns:
        found = _checked(table[_present(table, "choice", "probability")], "choice", "probability")
        found["probability"] = _numbers(found, ["probability"])["probability"]
        return Records(kind="probabilities", format="long table", table=found)
    if "choice" in table.columns:
        found = _checked(table[_present(table, "choice")], "choice")
        return Records(kind="choices", format="long table", table=found)
    units = [str(column) for column in table.columns if column not in _NOT_UNITS]
    if not units:
        raise AssemblyError(
            f"There is neither a column 'choice' nor one of a unit; there are "
            f"{_first(list(table.columns))}."
        )
    found = _checked(table[_present(table)])
    numbers = _numbers(table, units).set_axis(found.index)
    return Records(
        kind="responses",
        format="wide table",
        table=pd.concat([found, numbers], axis=1),
        units=tuple(units),
    )


def from_assembly(assembly: xr.DataArray, format: str = "assembly") -> Records:
    """Records of a neural assembly.

    Raises:
        AssemblyError: if it is none.
    """
    return Records(kind="responses", format=format, assembly=check_neural(assembly))


def _text(path: Path) -> Records:
    try:
        table = pd.read_csv(
            path,
            sep="\t" if path.suffix.lower() == ".tsv" else ",",
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
        )
    except (ValueError, pd.errors.ParserError) as error:  # of an empty or broken file, or no UTF-8
        raise AssemblyError(f"it is no table: {' '.join(str(error).split())}.") from error
    return from_frame(table)


def _npz(path: Path) -> Records:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise AssemblyError(f"it is no npz file of plain arrays: {error}") from error
    lacking = [name for name in ("responses", "stimulus_id") if name not in arrays]
    if lacking:
        raise AssemblyError(
            f"there is no array {' and no '.join(lacking)}; there are {_first([*arrays])}."
        )
    responses = arrays.pop("responses")
    stimulus_ids = [str(name) for name in arrays.pop("stimulus_id").ravel()]
    bins = [arrays.pop(f"time_bin_{end}_ms", None) for end in ("start", "end")]
    times = [] if bins[0] is None or bins[1] is None else zip(*bins, strict=False)
    units = {
        name if name == "neuroid_id" else name.removeprefix("neuroid_"): column
        for name, column in arrays.items()
        if name.startswith("neuroid_")
    }
    if responses.ndim >= 2:
        units.setdefault("neuroid_id", np.array([f"unit-{n}" for n in range(responses.shape[1])]))
    assembly = neural(
        responses,
        stimulus_ids,
        units,
        time_bins=[TimeBin(float(start), float(end)) for start, end in times],
    )
    return from_assembly(assembly, "npz")


def _netcdf(path: Path) -> Records:
    try:
        assembly = xr.load_dataarray(path)
    except (OSError, ValueError, ImportError) as error:
        raise AssemblyError(
            f"xarray cannot read it as it is installed ({str(error).splitlines()[0]}). Install "
            "h5netcdf or netCDF4, or save the responses as .npz."
        ) from error
    return from_assembly(assembly, "netCDF")


def _present(table: pd.DataFrame, *columns: str) -> list[str]:
    return ["stimulus_id", *(key for key in _KEYS if key in table.columns), *columns]


def _checked(table: pd.DataFrame, *needed: str) -> pd.DataFrame:
    """A copy with all columns of a trial as text, where stimulus and what is `needed` are given."""
    found = table.reset_index(drop=True).copy()
    if found.empty:
        raise AssemblyError("There are no rows.")
    for column in found.columns:
        values = found[column]
        empty = values.isna() | (values.astype(str) == "")
        if column in ("stimulus_id", *needed) and empty.any():
            raise AssemblyError(
                f"{int(empty.sum())} rows have no {column}, the first is row "
                f"{int(np.flatnonzero(empty)[0]) + 1}."
            )
        found[column] = values.where(~empty, "").astype(str)
    return found.assign(**{key: "" for key in _KEYS if key not in found.columns})


def _numbers(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The columns as float64; empty cells are NaN."""
    found: dict[str, Any] = {}
    for column in columns:
        values = pd.to_numeric(table[column].replace("", np.nan), errors="coerce")
        lost = values.isna() & table[column].notna() & ~table[column].isin(["", "nan", "NaN"])
        if lost.any():
            raise AssemblyError(
                f"Column {column!r} holds numbers; row {int(np.flatnonzero(lost)[0]) + 1} has "
                f"{str(table[column][lost].iloc[0])[:40]!r}."
            )
        found[column] = values.astype(np.float64).to_numpy()
    return pd.DataFrame(found)


def _first(names: list[Any]) -> str:
    return ", ".join(map(str, names[:5])) + (", ..." if len(names) > 5 else "")
