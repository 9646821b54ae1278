"""Reading the archive's netCDF files: one variable, flat coordinates, attributes as JSON."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, CortevalError

#: Names of the variable with the values; the second is what xarray calls an array without a name.
_VALUES = ("data", "__xarray_dataarray_variable__")
#: Deflate makes at most so many bytes of one; a file that promises more has parts without content.
_MAX_RATIO = 1032
_RATIO_FLOOR = 64 * 2**20
#: Values are read in blocks of about so many bytes.
BLOCK_BYTES = 64 * 2**20
#: Seconds in which a file without a known digest must have been read once.
PROBE_SECONDS = 600.0
#: Attributes of legacy files that point to objects of a bucket instead of holding a value.
_POINTER = "s3:"


@final
class StoredArray:
    """An array in an open file: coordinates in memory, values read as they are asked for.

    Attributes:
        path: of the file.
        values: the variable, not yet read.
        dims: as in the file; the second of one name, in a matrix over pairs, ends in ``_2``.
        coords: by name: dimensions and values. Text is numpy text, and ``image_id`` is called
            ``stimulus_id``.
        attrs: of file and variable; JSON is decoded.
        notes: what the file has and the assembly has not.
    """

    def __init__(self, path: Path, dataset: xr.Dataset) -> None:
        self.path = path
        name = next((n for n in _VALUES if n in dataset.variables), None)
        if name is None:
            listed = ", ".join(map(str, list(dataset.variables)[:8])) or "none"
            raise AssemblyError(f"{path} has no variable 'data'; its variables are {listed}.")
        self.values: xr.Variable = dataset.variables[name]
        self.dims = _distinct(tuple(map(str, self.values.dims)))
        self.attrs, pointers = _attributes({**dataset.attrs, **self.values.attrs})
        self.notes = [f"Attribute {p} points to a bucket; it was ignored." for p in pointers]
        self.coords: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
        for key, variable in dataset.variables.items():
            if key != name:
                self._take(str(key), variable)
        if "stimulus_id" not in self.coords and "image_id" in self.coords:
            self.coords["stimulus_id"] = self.coords.pop("image_id")

    def along(self, *dims: str) -> dict[str, np.ndarray]:
        """Coordinates that have exactly these dimensions."""
        return {name: values for name, (over, values) in self.coords.items() if over == dims}

    def blocks(self, dim: str) -> Iterator[tuple[slice, np.ndarray]]:
        """Values in pieces along `dim`, which comes first; every stored chunk is read once."""
        axis, size = self.dims.index(dim), self.values.sizes[dim]
        rows = self._rows(axis)
        for start in range(0, size, rows):
            piece = slice(start, min(start + rows, size))
            with _readable(self.path):
                block = np.asarray(self.values[{dim: piece}].values)
            yield piece, np.moveaxis(block, axis, 0)

    def read(self) -> np.ndarray:
        """All values."""
        with _readable(self.path):
            return _plain(np.asarray(self.values.values))

    def _rows(self, axis: int) -> int:
        row = max(1, self.values.nbytes // max(1, self.values.shape[axis]))
        wanted = max(1, BLOCK_BYTES // row)
        chunks = self.values.encoding.get("chunksizes") or ()
        chunk = int(chunks[axis]) if len(chunks) == len(self.dims) else 1
        return max(chunk, wanted // chunk * chunk)

    def _take(self, name: str, variable: xr.Variable) -> None:
        dims = tuple(map(str, variable.dims))
        if not set(dims) <= set(self.dims):
            self.notes.append(f"Variable {name} is not along dimensions of the data; left out.")
            return
        with _readable(self.path):
            values = _plain(np.asarray(variable.values))
        # an index over one dimension that was reset is stored as the name of the dimension and `_`
        bare = name.removesuffix("_")
        name = bare if bare in dims and bare not in self.coords else name
        self.coords[name] = dims, values
        if len(dims) == 1 and f"{dims[0]}_2" in self.dims:
            self.coords[f"{name}_2"] = (f"{dims[0]}_2",), values


@contextlib.contextmanager
def opened(path: Path) -> Iterator[StoredArray]:
    """The array in the file at `path`.

    Raises:
        AssemblyError: names the file and what is wrong with it; hostile files are among those.
    """
    with _readable(path), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Duplicate dimension names")
        _inspect(path)
        dataset = xr.open_dataset(
            path, engine="h5netcdf", decode_times=False, decode_coords=False, cache=False
        )
    with dataset:
        with _readable(path):
            stored = StoredArray(path, dataset)
        yield stored


def probe(path: Path) -> None:
    """Read a file of which no digest is known in a process of its own, which may crash or hang.

    The HDF5 library does both on some damaged files, and then nothing in this process could help.

    Raises:
        AssemblyError: if that process did not come to an end, or found the file unreadable.
    """
    command = [sys.executable, "-m", "corteval_brainscore.netcdf", str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise AssemblyError(
            f"{path} was not read within {PROBE_SECONDS:g} seconds, so it is taken to be damaged. "
            "Get it anew, or tell its publisher."
        ) from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise AssemblyError(f"{path} is refused: {reason[:500]}")


def text(values: np.ndarray) -> list[str]:
    """Ids as text: whole numbers without a decimal point."""
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == values.round()).all():
        values = values.astype(np.int64)
    return [str(v) for v in values.tolist()]


def _distinct(dims: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{dim}_2" if dim in dims[:place] else dim for place, dim in enumerate(dims))


def _inspect(path: Path) -> None:
    """Refuse what would read other files, or fill the memory with what the file does not hold."""
    import h5py

    most = max(_MAX_RATIO * path.stat().st_size, _RATIO_FLOOR)

    def inspect(name: str, item: h5py.HLObject) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.external or item.is_virtual:
            raise AssemblyError(f"{path} is refused: {name!r} takes its values from other files.")
        size = item.size or 0
        if size * max(1, item.dtype.itemsize) > most:
            raise AssemblyError(
                f"{path} is refused: {name!r} claims {item.shape} values of {item.dtype}, more "
                f"than its {path.stat().st_size} bytes can hold."
            )

    with h5py.File(path, "r") as file:
        for group in _groups(file):
            for name in group:
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise AssemblyError(f"{path} is refused: {name!r} is a link, not a value.")
        file.visititems(inspect)


def _groups(file: Any) -> list[Any]:
    import h5py

    found = [file]
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Group) else None)
    return found


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever h5py, h5netcdf and xarray raise for a damaged or hostile file, as one error."""
    try:
        yield
    except CortevalError:
        raise
    except Exception as error:  # they have no common base: OSError, KeyError, struct, overflow ...
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise AssemblyError(
            f"{path} is no readable netCDF-4 file: {reason}. Get it anew, or tell its publisher."
        ) from error


def _attributes(stored: dict[Any, Any]) -> tuple[dict[str, Any], list[str]]:
    """Decoded attributes, and the names of those that are pointers."""
    found: dict[str, Any] = {}
    pointers = []
    for name, value in stored.items():
        if name == "coordinates":  # the list of their names, which says nothing new
            continue
        value = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        if isinstance(value, str) and value.startswith(_POINTER):
            pointers.append(str(name))
        else:
            found[str(name)] = _decoded(value)
    return found, pointers


def _decoded(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, str) and value[:1] in {"{", "[", '"'}:
        with contextlib.suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def _plain(values: np.ndarray) -> np.ndarray:
    """Numbers as they are; every kind of text as numpy text, with nothing missing but ''."""
    if values.dtype.kind in "biufU":
        return values
    flat = [_word(v) for v in values.ravel().tolist()]
    if flat and all(isinstance(v, bool) for v in flat):
        return np.array(flat, bool).reshape(values.shape)
    if flat and all(isinstance(v, int | float) for v in flat):
        return np.array(flat).reshape(values.shape)
    return np.array([str(v) for v in flat], str).reshape(values.shape)


def _word(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None or value != value else value


if __name__ == "__main__":  # the process of `probe`
    with opened(Path(sys.argv[1])) as asked:
        for _ in asked.blocks(asked.dims[0]) if asked.dims else [asked.read()]:
            pass
