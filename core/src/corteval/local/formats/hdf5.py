"""HDF5 files of strangers: opened after a look at what they refer to outside themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from corteval.local.formats.arrays import check_size
from corteval.local.problems import refuse

MAGIC = b"\x89HDF\r\n\x1a\n"
_MAX_OBJECTS = 100_000
#: Group in which MATLAB keeps what cells refer to.
_CELLS = "#refs#"


@contextmanager
def opened(path: Path, name: str) -> Iterator[Any]:
    """An h5py file whose objects all lie inside it.

    Raises:
        DatasetError: if it is damaged, or refers to other files.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _refuse_references(h5py, file, name)
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, MemoryError) as error:
        refuse(f"The file is damaged: {_first_line(error)}.", name, "Copy or save it again.")


def read(dataset: Any, where: str) -> np.ndarray:
    """Values of a dataset, after its size was checked."""
    refuse_outside(dataset, where)
    count = int(np.prod([int(n) for n in dataset.shape], dtype=object)) * dataset.dtype.itemsize
    stored = int(dataset.id.get_storage_size())
    if count and not stored:
        refuse("The array was never written: the file has no values for it.", where)
    check_size(count, stored, where)
    return np.asarray(dataset[()])


def _refuse_references(h5py: Any, file: Any, name: str) -> None:
    """External links and storage would let a file show what lies elsewhere on this machine."""
    seen = 0
    waiting = [file]
    while waiting:
        group = waiting.pop()
        for key in group:
            seen += 1
            if seen > _MAX_OBJECTS:
                refuse(f"The file has more than {_MAX_OBJECTS} objects.", name)
            if key == _CELLS:
                continue  # each is checked when it is read
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                refuse(
                    f"{group.name.rstrip('/')}/{key} is a link to another file "
                    f"({link.filename!r}).",
                    name,
                    "Save the values in the file itself.",
                )
            if isinstance(link, h5py.SoftLink):
                continue
            item = group[key]
            if isinstance(item, h5py.Dataset):
                refuse_outside(item, name)
            elif isinstance(item, h5py.Group):
                waiting.append(item)


def refuse_outside(dataset: Any, name: str) -> None:
    """Refuse a dataset whose values lie in other files."""
    if dataset.external is not None or dataset.is_virtual:
        refuse(
            f"The values of {dataset.name} lie in other files.",
            name,
            "Save the values in the file itself.",
        )


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
