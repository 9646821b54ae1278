"""Arrays of MATLAB's .mat files: version 5 to 7 by scipy, version 7.3 (HDF5) by h5py."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from corteval.errors import CortevalError
from corteval.local.formats import hdf5
from corteval.local.formats.arrays import StoredArray, check_numbers, check_size, chosen_variable
from corteval.local.problems import refuse

_MATRIX, _COMPRESSED = 14, 15
#: Cells of a cell array that are read as ids; more are none of a stimulus set.
_MAX_CELLS = 10_000_000
_NUMERIC = ("double", "single", "logical", "int8", "uint8", "int16", "uint16", "int32", "uint32")
_CLASSES = frozenset((*_NUMERIC, "int64", "uint64"))


def read_mat(path: Path, name: str, variable: str | None) -> StoredArray:
    """Read an array of a .mat file.

    Axes are in MATLAB's order: ``size(x)`` of either version is the shape. A field of a struct is
    named by a dot, ``data.responses``.

    Raises:
        DatasetError: if the file is damaged, or the variable is no array of numbers; a struct is
            described by its fields.
    """
    with path.open("rb") as file:
        start = file.read(520)
    if start[:8] == hdf5.MAGIC or start[512:520] == hdf5.MAGIC:
        return _read_hdf5(path, name, variable)
    return _read_old(path, name, variable)


# Versions 4 to 7.


def _read_old(path: Path, name: str, variable: str | None) -> StoredArray:
    import scipy.io

    try:
        _check_declared(path, name)
        contents = [one for one in scipy.io.whosmat(path) if not one[0].startswith("__")]
        head, _, rest = (variable or "").partition(".")
        shapes = {
            key: tuple(int(size) for size in shape)
            for key, shape, kind in contents
            if kind in _CLASSES
        }
        chosen = _chosen(shapes, [key for key, _, _ in contents], head or None, name, contents)
        found = _loaded(path, chosen)
    except CortevalError:
        raise
    except Exception as error:  # scipy and zlib share no error for a damaged file
        _refuse_damaged(error, name)
    value = _field(found, f"{chosen}.{rest}" if rest else chosen, name)

    def names(key: str) -> list[str]:
        try:
            found = _loaded(path, key.partition(".")[0])
        except Exception as error:
            _refuse_damaged(error, name)
        return _strings(_field(found, key, name), f"{name}, variable {key}")

    return StoredArray(
        values=_checked(value, f"{chosen}.{rest}" if rest else chosen, name),
        where=f"{name}, variable {variable or chosen}",
        names=names,
        others=tuple(key for key, _, _ in contents),
        squeezable=True,
    )


def _loaded(path: Path, variable: str) -> Any:
    import scipy.io

    return scipy.io.loadmat(path, variable_names=[variable])[variable]


def _chosen(
    shapes: Mapping[str, tuple[int, ...]],
    there: list[str],
    variable: str | None,
    name: str,
    contents: Sequence[tuple[str, tuple[int, ...], str]],
) -> str:
    structs = [key for key, _, kind in contents if kind == "struct"]
    if variable is None and not shapes and len(structs) == 1:
        return structs[0]  # its fields are named in the message that follows
    return chosen_variable(shapes, there, variable, name)


def _check_declared(path: Path, name: str) -> None:
    """Read only the headers of compressed variables, which say how large they become."""
    with path.open("rb") as file:
        header = file.read(128)
        order = {b"IM": "little", b"MI": "big"}.get(header[126:128])
        if order is None:
            return  # version 4 has no compression
        total = path.stat().st_size
        while len(tag := file.read(8)) == 8:
            kind = int.from_bytes(tag[:4], order)  # type: ignore[arg-type]
            count = int.from_bytes(tag[4:], order)  # type: ignore[arg-type]
            at = file.tell()
            if at + count > total:
                refuse(
                    f"The file is cut short: {at + count} bytes announced.", name, "Copy it again."
                )
            if kind == _COMPRESSED:
                inside = zlib.decompressobj().decompress(file.read(min(count, 4096)), 8)
                becomes = int.from_bytes(inside[4:8], order)  # type: ignore[arg-type]
                check_size(becomes, count, name)
            file.seek(at + count)


def _field(value: Any, dotted: str, name: str) -> Any:
    """Follow the fields of structs of one element."""
    top, *fields = dotted.split(".")
    at = top
    for field in fields:
        known = value.dtype.names if isinstance(value, np.ndarray) else None
        if not known or field not in known:
            refuse(
                f"{at} has no field {field!r}"
                + (f"; it has {', '.join(known)}." if known else "."),
                name,
            )
        if value.size != 1:
            _refuse_struct(value, at, name)
        value = value[field].ravel()[0]
        at = f"{at}.{field}"
    return value


def _checked(value: Any, variable: str, name: str) -> np.ndarray:
    """The array of numbers that `value` is."""
    where = f"{name}, variable {variable}"
    if not isinstance(value, np.ndarray):
        if hasattr(value, "toarray"):
            refuse("The array is sparse.", where, f"Save full({variable}).")
        refuse(f"This is no array but {type(value).__name__}.", where)
    if value.dtype.names:
        _refuse_struct(value, variable, name)
    if value.dtype == object:
        first = value.ravel()[0] if value.size else None
        if isinstance(first, np.ndarray) and first.dtype.kind in "fiub":
            _refuse_cells(value.shape, first.shape, variable, name)
        _refuse_cells(value.shape, None, variable, name)
    if value.dtype.kind in "SU":
        refuse("This is text.", where, "Name the array of numbers: --variable NAME.")
    if not value.size:
        refuse(f"The array is empty: its size is {_size(value.shape)}.", where)
    return check_numbers(value, where)


def _refuse_struct(value: np.ndarray, variable: str, name: str) -> None:
    """Say which fields of a struct are arrays, and how to get at them."""
    first = value.ravel()[0] if value.size else None
    arrays = {
        field: np.shape(first[field])
        for field in value.dtype.names or ()
        if first is not None and isinstance(first[field], np.ndarray)
        if first[field].dtype.kind in "fiub" and not first[field].dtype.names
    }
    _tell_struct(variable, value.shape, list(value.dtype.names or ()), arrays, name)


def _tell_struct(
    variable: str,
    shape: tuple[int, ...],
    fields: list[str],
    arrays: Mapping[str, tuple[int, ...]],
    name: str,
) -> None:
    count = int(np.prod(shape, dtype=object))
    listed = ", ".join(f"{field} ({_size(size)})" for field, size in arrays.items())
    what = (
        f"This is a {_size(shape)} struct{' array' if count != 1 else ''} with fields "
        f"{', '.join(fields)}; " + (f"arrays are {listed}." if arrays else "none is an array.")
    )
    best = max(arrays, key=lambda field: int(np.prod(arrays[field], dtype=object)), default="")
    if best and count == 1:
        step = f'Name a field: variable = "{variable}.{best}".'
    elif best:
        step = (
            f"Stack a field over its {count} elements and save that: "
            f"x = cat({len(arrays[best]) + 1}, {variable}.{best}); save('responses.mat', 'x')."
        )
    else:
        step = "Save the responses as one array of numbers."
    refuse(what, f"{name}, variable {variable}", step)


def _refuse_cells(
    shape: tuple[int, ...], of: tuple[int, ...] | None, variable: str, name: str
) -> NoReturn:
    """Say what a cell array holds, and how to make one array of it."""
    where = f"{name}, variable {variable}"
    if of is None:
        refuse(
            f"This is a cell array ({_size(shape)}) of something else than numbers.",
            where,
            "Name the array of numbers: --variable NAME (variable in [responses]).",
        )
    refuse(
        f"This is a cell array ({_size(shape)}) of arrays such as {_size(of)}.",
        where,
        f"Make it one array, ragged repeats padded with NaN: x = cat({len(of) + 1}, "
        f"{variable}{{:}}); save('responses.mat', 'x').",
    )


def _strings(value: Any, where: str) -> list[str]:
    """Text of a cell array of strings, a char array or a vector of numbers."""
    if not isinstance(value, np.ndarray) or value.dtype.names:
        refuse("This is no cell array of strings.", where)
    if value.size > _MAX_CELLS:
        refuse(f"There are {value.size} cells.", where)
    found = []
    for number, cell in enumerate(value.ravel(order="F").tolist(), start=1):
        while isinstance(cell, np.ndarray) and cell.size == 1 and not cell.dtype.names:
            cell = cell.ravel()[0]
        if isinstance(cell, np.ndarray):
            refuse(f"Cell {number} holds an array, not a string.", where)
        found.append(_plain(cell).rstrip() if value.dtype.kind in "SU" else _plain(cell))
    return found


def _plain(value: Any) -> str:
    """Whole numbers without a decimal point."""
    number = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if number else str(value)


# Version 7.3: axes are stored in reverse, text as numbers, cells as references.


def _read_hdf5(path: Path, name: str, variable: str | None) -> StoredArray:
    with hdf5.opened(path, name) as file:
        there = [key for key in file if not key.startswith("#")]
        shapes = {
            key: tuple(file[key].shape[::-1]) for key in there if _kind(file[key]) in _CLASSES
        }
        structs = [key for key in there if _is_group(file[key])]
        if variable is None and not shapes and len(structs) == 1:
            chosen = structs[0]
        elif variable is not None and "." in variable:
            chosen_variable(shapes, there, variable.partition(".")[0], name)
            chosen = variable
        else:
            chosen = chosen_variable(shapes, there, variable, name)
        values = _hdf5_array(_hdf5_item(file, chosen, name), chosen, name)

    def names(key: str) -> list[str]:
        with hdf5.opened(path, name) as again:
            return _hdf5_strings(again, _hdf5_item(again, key, name), f"{name}, variable {key}")

    return StoredArray(
        values=values,
        where=f"{name}, variable {chosen}",
        names=names,
        others=tuple(there),
        squeezable=True,
    )


def _kind(item: Any) -> str:
    kind = item.attrs.get("MATLAB_class", b"")
    text = kind.decode() if isinstance(kind, bytes) else str(kind)
    if text or _is_group(item):
        return text
    return "double" if item.dtype.kind in "fiu" else ""  # written by other software


def _is_group(item: Any) -> bool:
    return not hasattr(item, "dtype")


def _hdf5_item(file: Any, dotted: str, name: str) -> Any:
    item, at = file, ""
    for field in dotted.split("."):
        if not _is_group(item):
            refuse(f"{at} is no struct; it has no field {field!r}.", name)
        if field not in item:
            refuse(f"{at or 'The file'} has no {field!r}; it has {', '.join(item)}.", name)
        item, at = item[field], f"{at}.{field}".lstrip(".")
    return item


def _hdf5_array(item: Any, variable: str, name: str) -> np.ndarray:
    where = f"{name}, variable {variable}"
    if _is_group(item):
        if "MATLAB_sparse" in item.attrs:
            refuse("The array is sparse.", where, f"Save full({variable}).")
        _refuse_hdf5_struct(item, variable, name)
    if item.attrs.get("MATLAB_empty", 0):
        refuse("The array is empty.", where)
    kind = _kind(item)
    if kind == "cell":
        first: Any = item.file[item[()].ravel()[0]] if item.size else None
        of = first.shape[::-1] if first is not None and _kind(first) in _CLASSES else None
        _refuse_cells(item.shape[::-1], of, variable, name)
    if item.dtype.names:
        refuse("The values are complex numbers.", where, "Save their real part, or magnitude.")
    if kind not in _CLASSES:
        refuse(f"This is {kind or item.dtype}, not an array of numbers.", where)
    values = hdf5.read(item, where).T
    return check_numbers(values.astype(bool) if kind == "logical" else values, where)


def _refuse_hdf5_struct(group: Any, variable: str, name: str) -> None:
    fields = list(group)
    shape, arrays = (1, 1), {}
    for field in fields:
        item = group[field]
        if _is_group(item):
            continue
        if item.dtype.kind == "O" and "MATLAB_class" not in item.attrs:  # one reference an element
            shape = item.shape[::-1]
            element = group.file[item[()].ravel()[0]]
            if _kind(element) in _CLASSES:
                arrays[field] = element.shape[::-1]
        elif _kind(item) in _CLASSES:
            arrays[field] = item.shape[::-1]
    _tell_struct(variable, shape, fields, arrays, name)


def _hdf5_strings(file: Any, item: Any, where: str) -> list[str]:
    if _is_group(item):
        refuse("This is a struct, not a cell array of strings.", where)
    if item.size > _MAX_CELLS:
        refuse(f"There are {item.size} cells.", where)
    kind = _kind(item)
    if kind == "char":  # (character, row) as stored: MATLAB's rows are columns here
        codes = hdf5.read(item, where)
        return [_characters(row).rstrip() for row in np.atleast_2d(codes).T]
    if kind == "cell":
        found = []
        for number, reference in enumerate(item[()].ravel(), start=1):
            cell = file[reference]
            if _is_group(cell) or (cell.size > 1 and _kind(cell) != "char"):
                refuse(f"Cell {number} holds no string.", where)
            values = hdf5.read(cell, where)
            empty = bool(cell.attrs.get("MATLAB_empty", 0))
            text = _characters(values.ravel()) if _kind(cell) == "char" else _plain(values.item())
            found.append("" if empty else text)
        return found
    return [_plain(value) for value in hdf5.read(item, where).ravel().tolist()]


def _characters(codes: np.ndarray) -> str:
    return np.ascontiguousarray(codes, "<u2").tobytes().decode("utf-16-le", errors="replace")


def _refuse_damaged(error: BaseException, name: str) -> NoReturn:
    text = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    refuse(f"The file is no readable .mat: {text}.", name, "Save it again, by save -v7 or -v7.3.")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
