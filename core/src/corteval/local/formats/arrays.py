"""Arrays of .npy and .npz, mapped or read without running anything they may contain."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, final

import numpy as np

from corteval.local.description import closest
from corteval.local.problems import refuse

#: An array beyond this is not read into memory; .npy of any size is read in place.
MAX_BYTES = 16 << 30
#: A compressed array that grows more is none of measurements.
MAX_RATIO = 1000
_RATIO_FLOOR = 64 << 20
_CHUNK = 16 << 20


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class StoredArray:
    """An array as its file has it.

    Args:
        values: in the order of axes of the file.
        where: file, and variable if it has names.
        names: reads another variable of the file as text, e.g. stimulus ids.
        others: what those variables are called.
        squeezable: axes of length 1 may have been added or left out by the format.
    """

    values: np.ndarray
    where: str
    names: Callable[[str], list[str]] | None = None
    others: tuple[str, ...] = ()
    squeezable: bool = False
    coordinates: Mapping[str, Any] = field(default_factory=dict)


def read_npy(path: Path, name: str) -> StoredArray:
    """Map an array of a .npy file; nothing is read before it is used.

    Raises:
        DatasetError: if it is no .npy, holds Python objects, or is cut short.
    """
    with path.open("rb") as file:
        shape, fortran, dtype = _header(file, name)
        offset = file.tell()
    _check_type(dtype, name)
    expected = _bytes(shape, dtype)
    if path.stat().st_size - offset != expected:
        refuse(
            f"The header says {_shape(shape)} of {dtype}, {expected} bytes; the file has "
            f"{path.stat().st_size - offset}.",
            name,
            "Copy or save it again.",
        )
    if not expected:
        refuse(f"The array is empty: its shape is {_shape(shape)}.", name)
    mapped = np.memmap(path, dtype, "r", offset, shape, "F" if fortran else "C")
    return StoredArray(values=check_numbers(np.asarray(mapped), name), where=name)


def read_npz(path: Path, name: str, variable: str | None) -> StoredArray:
    """Read one array of a .npz file.

    Raises:
        DatasetError: if it is no .npz, has no such array or several, or is a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                info.filename.removesuffix(".npy"): info
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
            headers = {key: _member_header(archive, info, name) for key, info in members.items()}
            chosen = chosen_variable(
                {key: shape for key, (shape, _, dtype) in headers.items() if _is_number(dtype)},
                list(members),
                variable,
                name,
            )
            where = f"{name}, array {chosen}"
            values = check_numbers(_read_member(archive, members[chosen], where), where)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        refuse(f"The file is no readable .npz: {error}.", name, "Copy or save it again.")

    def names(key: str) -> list[str]:
        with zipfile.ZipFile(path) as archive:
            found = _read_member(archive, members[key], f"{name}, array {key}", text=True)
        return [_text(value) for value in found.ravel().tolist()]

    return StoredArray(values=values, where=where, names=names, others=tuple(members))


def chosen_variable(
    arrays: Mapping[str, tuple[int, ...]], there: list[str], variable: str | None, name: str
) -> str:
    """The array that is meant: the named one, or the only one of numbers with two axes or more.

    Args:
        arrays: shapes of the arrays of numbers.
        there: everything the file has.
        variable: that the description names.
        name: of the file.

    Raises:
        DatasetError: lists what there is.
    """
    if variable is not None:
        if variable in there:
            return variable
        refuse(
            f"There is no variable {variable!r}{closest(variable, there)}.",
            name,
            f"There are {', '.join(there) or 'none'}.",
        )
    found = [key for key, shape in arrays.items() if sum(size > 1 for size in shape) > 1]
    found = found or [key for key, shape in arrays.items() if max(shape, default=0) > 1]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{key} ({_shape(arrays[key])})" for key in found or arrays)
    if found:
        refuse(
            f"There are several arrays: {listed}.",
            name,
            "Name one: --variable NAME (variable in [responses]).",
        )
    refuse(
        f"There is no array of numbers; there are {', '.join(there) or 'no variables'}.",
        name,
        "Save the responses as one array of numbers.",
    )


def check_size(count: int, stored: int, where: str) -> None:
    """Refuse what would not fit, or what grows as no measurements do.

    Args:
        count: bytes in memory.
        stored: bytes in the file; 0 if unknown.
        where: for messages.
    """
    if count > MAX_BYTES:
        refuse(
            f"The array would take {count} bytes; at most {MAX_BYTES} are read into memory.",
            where,
            "Save it as .npy, which is read in place.",
        )
    if stored and count > _RATIO_FLOOR and count > MAX_RATIO * stored:
        refuse(
            f"{stored} bytes would become {count}, as a bomb would.",
            where,
            "Save it as .npy if it is none.",
        )


def check_numbers(values: np.ndarray, where: str) -> np.ndarray:
    """`values` if they are real numbers; truth values become 0 and 1."""
    _check_type(values.dtype, where)
    if values.dtype.kind == "b":
        return values.view(np.uint8)
    return values


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        one = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(file)
    except Exception as error:  # a damaged header meets a tokenizer, a parser and numpy's types
        refuse(f"This is no array in the format .npy: {error}.", where, "Save it by numpy.save.")
    if any(size < 0 for size in shape):
        refuse(f"The header says {_shape(shape)}.", where, "Save it by numpy.save.")
    return shape, fortran, dtype


def _member_header(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    with archive.open(info) as file:
        return _header(file, f"{name}, array {info.filename.removesuffix('.npy')}")


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, *, text: bool = False
) -> np.ndarray:
    """Read an array of a zip into memory that was asked for only after its size was checked."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        refuse("The array is compressed by another method than deflate.", where, "Save it anew.")
    with archive.open(info) as file:
        shape, fortran, dtype = _header(file, where)
        if dtype.hasobject or not text:
            _check_type(dtype, where)
        count = _bytes(shape, dtype)
        check_size(count, info.compress_size, where)
        if count != info.file_size - file.tell():
            refuse(
                f"The header says {_shape(shape)} of {dtype}, {count} bytes; there are "
                f"{info.file_size - file.tell()}.",
                where,
                "Save it again.",
            )
        if not count:
            refuse(f"The array is empty: its shape is {_shape(shape)}.", where)
        values = np.empty(shape, dtype, "F" if fortran else "C")
        target = values.ravel("K").view(np.uint8)  # a view: the array is contiguous
        at = 0
        while at < count:
            got = file.read(min(_CHUNK, count - at))
            if not got:
                refuse(f"The array ends after {at} of {count} bytes.", where, "Save it again.")
            target[at : at + len(got)] = np.frombuffer(got, np.uint8)
            at += len(got)
    return values


def _check_type(dtype: np.dtype[Any], where: str) -> None:
    if dtype.hasobject:
        refuse(
            "The array holds Python objects (pickles), which can run code and are not read.",
            where,
            "Save it as numbers: numpy.save(file, values.astype(float)); pad ragged repeats with "
            "NaN.",
        )
    if dtype.names:
        refuse(
            f"The array is a record array with fields {', '.join(dtype.names)}.",
            where,
            "Save one field as a plain array.",
        )
    if dtype.kind == "c":
        refuse("The values are complex numbers.", where, "Save their real part, or magnitude.")
    if dtype.kind not in "fiub":
        refuse(f"The values are {dtype}, not numbers.", where, "Save them as numbers.")
    if dtype.kind == "f" and dtype.itemsize > 8:
        refuse(f"The values are {dtype}, which machines differ about.", where, "Save float64.")


def _is_number(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "fiub" and not dtype.hasobject


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    count = dtype.itemsize
    for size in shape:  # Python's integers do not overflow
        count *= int(size)
    return count


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if shape else "a single value"


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
