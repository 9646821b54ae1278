"""A lab's data set packed for another lab, and two versions of one compared."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from corteval.errors import DatasetError
from corteval.local import digests
from corteval.local.description import FILE, Description, read_description, write_description
from corteval.local.exchange.comparison import compare
from corteval.local.exchange.differences import Differences
from corteval.local.exchange.packaging import module_name, write_package
from corteval.local.loading import load_assembly, load_stimuli
from corteval.local.package import FOLDER
from corteval.stimuli import StimulusSet

#: Name of the array of responses in the netCDF file.
VARIABLE = "responses"
_STIMULI, _FILES, _RESPONSES, _NEUROIDS = "stimuli.csv", "stimuli", "responses.nc", "neuroids.csv"
#: Of coordinates in netCDF files: a blank would end the name, a slash begin a group.
_FIT = re.compile(r"[^\s/]+")
#: Of files on every system.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+=@-]{0,99}")
_COMPRESSION = {"zlib": True, "complevel": 4, "shuffle": True}


def export(description: Description, target: Path, *, acknowledge_private: bool = False) -> Path:
    """Pack a data set so that another lab can install or register it.

    `target` becomes a Python package (``pip install TARGET``) whose folder
    ``src/<package>/dataset`` is a data set by itself (``corteval data register``): dataset.toml,
    stimuli.csv and files, responses.nc, SHA256SUMS. It is read back and compared before it appears
    under its name, so it is there whole or not at all.

    Args:
        description: of the folder to pack.
        target: a new folder, or a new file that ends in .zip.
        acknowledge_private: that a private set may leave the lab; it stays private where it goes.

    Returns:
        `target`.

    Raises:
        DatasetError: if the set is private and that was not acknowledged, `target` exists or
            cannot be written, or the set cannot be packed without loss.
    """
    if description.visibility == "private" and not acknowledge_private:
        raise DatasetError(
            f"{description.id} is private, and what is exported leaves the lab. If its owners "
            "agree, say so: --private, or acknowledge_private=True. It stays marked as private."
        )
    target = target.expanduser().absolute()
    if os.path.lexists(target) and not (target.is_dir() and not any(target.iterdir())):
        raise DatasetError(f"{target} exists already. Name a new folder or .zip file.")
    stimuli = load_stimuli(description)
    assembly = load_assembly(description, stimuli)
    with _new(target) as root:
        folder = root / "src" / module_name(description.id) / FOLDER
        folder.mkdir(parents=True)
        packed = _write_dataset(description, stimuli, assembly, folder)
        digest = digests.write_digests(folder)
        again = load_stimuli(packed)
        array = load_assembly(packed, again)
        lost = compare((description, stimuli, assembly), (packed, again, array))
        lost = replace(lost, files=())
        if lost:
            raise DatasetError(
                f"{description.id} cannot be packed without loss: {'; '.join(lost.lines())}. "
                "Nothing was written; please report this."
            )
        write_package(packed, again, array, root, digest)
    return target


def differences(old: Path | Description, new: Path | Description) -> Differences:
    """What differs between two versions of a data set.

    Args:
        old, new: descriptions, or folders: of a data set, or what `export` wrote.

    Raises:
        DatasetError: if one of them cannot be read, or its bytes are not those of its SHA256SUMS.
    """
    return compare(_version(old), _version(new))


def _version(source: Path | Description) -> tuple[Description, StimulusSet, xr.DataArray]:
    description = source
    if isinstance(description, Path):
        inside = sorted(description.glob(f"src/*/{FOLDER}/{FILE}"))
        own = (description / FILE).is_file() or len(inside) != 1
        description = read_description(description if own else inside[0].parent)
    if (description.folder / digests.FILE).is_file():
        digests.verify(description.folder)
    stimuli = load_stimuli(description)
    return description, stimuli, load_assembly(description, stimuli)


@contextlib.contextmanager
def _new(target: Path) -> Iterator[Path]:
    """A folder beside `target` that becomes it at the end, as it is or zipped; or vanishes."""
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}."))
        root = temporary / target.name.removesuffix(".zip")
        root.mkdir()
        yield root
        if target.suffix == ".zip":
            root = _zipped(root, temporary / target.name)
        root.rename(target)
    except OSError as error:
        raise DatasetError(
            f"{target} cannot be written: {error.strerror or error}. Nothing is left of it."
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _zipped(root: Path, path: Path) -> Path:
    """A zip of `root`, the same bytes whenever it is made."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        for file in sorted(p for p in root.rglob("*") if p.is_file()):
            info = zipfile.ZipInfo(file.relative_to(root.parent).as_posix())
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            info.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(info, "w") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    return path


# The folder


def _write_dataset(
    description: Description, stimuli: StimulusSet, assembly: xr.DataArray, folder: Path
) -> Description:
    """Write all but the digests; the description of what was written."""
    table = stimuli.table.copy()
    if "path" in table.columns:
        table["path"] = _copy_files(table["path"].tolist(), folder)
    _write_table(table.reset_index(), folder / _STIMULI)
    own = [str(name) for name in assembly.coords if not _is_of_table(assembly, str(name), stimuli)]
    responses = replace(
        description.responses,
        file=_RESPONSES,
        dims=(),
        neuroids=None,
        presentations=None,
        variable=VARIABLE,
        value=None,
    )
    if assembly.dtype.kind in "fiub":
        aside = [n for n in own if not _FIT.fullmatch(n) and assembly[n].dims == ("neuroid",)]
        if aside:
            columns = {n: assembly[n].values for n in ("neuroid_id", *aside)}
            _write_table(pd.DataFrame(columns), folder / _NEUROIDS)
            responses = replace(responses, neuroids=_NEUROIDS)
        _write_netcdf(assembly, [n for n in own if n not in aside], folder / _RESPONSES)
    else:
        value = next(n for n in ("choice", "response", "answer") if n not in assembly.coords)
        columns = {n: assembly[n].values for n in own} | {value: assembly.values}
        _write_table(pd.DataFrame(columns), folder / "responses.csv")
        responses = replace(responses, file="responses.csv", variable=None, value=value)
    packed = replace(description, folder=folder, stimuli=_STIMULI, responses=responses)
    write_description(packed)
    return packed


def _is_of_table(assembly: xr.DataArray, name: str, stimuli: StimulusSet) -> bool:
    """Whether a coordinate is a column of the stimuli, which reading makes anew."""
    if name not in stimuli.table.columns or assembly[name].dims != ("presentation",):
        return False
    column = stimuli.table[name].loc[assembly["stimulus_id"].values].to_numpy()
    values = assembly[name].values
    same = (values == column) | ((values != values) & (column != column))
    return values.dtype.kind == column.dtype.kind and bool(np.all(same))


def _copy_files(paths: Sequence[str], folder: Path) -> list[str]:
    """Copy files of stimuli into `folder`; their names relative to it."""
    (folder / _FILES).mkdir()
    places: dict[str, str] = {}
    folded = [unicodedata.normalize("NFKC", Path(p).name).casefold() for p in dict.fromkeys(paths)]
    keep = len(set(folded)) == len(folded)
    for number, path in enumerate(dict.fromkeys(paths), start=1):
        name = Path(path).name
        if not keep or not _SAFE.fullmatch(name):
            suffix = Path(path).suffix
            name = f"{number:06d}{suffix if _SAFE.fullmatch(f'x{suffix}') else ''}"
        shutil.copyfile(path, folder / _FILES / name)
        places[path] = f"{_FILES}/{name}"
    return [places[path] for path in paths]


def _write_table(table: pd.DataFrame, path: Path) -> None:
    """Text in quotes, numbers such that they are read back exactly, nothing where a value lacks."""
    table.to_csv(
        path, index=False, encoding="utf-8", lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC
    )


def _write_netcdf(assembly: xr.DataArray, names: Sequence[str], path: Path) -> None:
    unfit = [name for name in names if not _FIT.fullmatch(name)]
    if unfit:
        raise DatasetError(
            f"Coordinates {', '.join(map(repr, unfit))} have blanks or slashes, which names in "
            "netCDF files cannot have. Rename these columns, e.g. with '_'."
        )
    coords = {name: (assembly[name].dims, _storable(assembly[name].values)) for name in names}
    attrs = {str(k): v for k, v in assembly.attrs.items() if isinstance(v, str | int | float)}
    array = xr.DataArray(
        assembly.values, dims=assembly.dims, coords=coords, attrs=attrs, name=VARIABLE
    )
    array.to_dataset().to_netcdf(
        path, engine="h5netcdf", format="NETCDF4", encoding={VARIABLE: _COMPRESSION}
    )


def _storable(values: np.ndarray) -> np.ndarray[Any, Any]:
    """Numbers, or text of any length."""
    if values.dtype.kind in "fiub":
        return values
    return np.array([str(value) for value in values.ravel()], object).reshape(values.shape)
