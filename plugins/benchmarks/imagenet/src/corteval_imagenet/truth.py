"""Tables of the classes of validation images, as they are in circulation."""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from corteval.errors import StimuliError
from corteval_imagenet.classes import synsets

#: Synset by name of the image, without extension.
Truth = Mapping[str, str]

#: Name of a synset, and of the folder of its images.
SYNSET = re.compile(r"n\d{8}")

_IMAGES = 50_000


def find_truth(folder: Path) -> tuple[Path, Truth]:
    """The first table of `TABLES` that lies in `folder` or up to three folders below it.

    Raises:
        StimuliError: if there is none, or it cannot be read.
    """
    places = [folder, *_subfolders(folder, 3)]
    for name, read in TABLES.items():
        for place in places:
            path = place / name
            if path.is_file():
                try:
                    return path, read(path)
                except (OSError, UnicodeDecodeError, ValueError, KeyError, IndexError) as error:
                    raise StimuliError(f"{path} is no table of classes: {error}") from error
    raise StimuliError(
        f"{folder} has images but no table of their classes. Lay one of these beside them: "
        f"{', '.join(TABLES)}."
    )


def _subfolders(folder: Path, depth: int) -> list[Path]:
    """Folders below `folder`, except those of synsets, nearest first."""
    if not depth:
        return []
    here = sorted(
        p
        for p in folder.iterdir()
        if p.is_dir() and not SYNSET.fullmatch(p.name) and not p.name.startswith(".")
    )
    return [*here, *(below for place in here for below in _subfolders(place, depth - 1))]


def _name(number: int) -> str:
    return f"ILSVRC2012_val_{number:08d}"


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line]


def _in_order(path: Path, classes: list[str]) -> Truth:
    if len(classes) != _IMAGES:
        raise ValueError(f"it has {len(classes)} lines, one for each of {_IMAGES} images is needed")
    return {_name(n): synset for n, synset in enumerate(classes, 1)}


def _synset_a_line(path: Path) -> Truth:
    """``imagenet_2012_validation_synset_labels.txt``: a synset for each image, in order."""
    return _in_order(path, _lines(path))


def _kaggle(path: Path) -> Truth:
    """``LOC_val_solution.csv``: ``ImageId,PredictionString``, which begins with the synset."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["ImageId"]: row["PredictionString"].split()[0] for row in rows}


def _numbered(path: Path) -> Truth:
    """``val.txt``: a file name and the number of its class, from 0 in the order of synsets."""
    names = synsets()
    pairs = (line.rsplit(None, 1) for line in _lines(path))
    return {Path(name).name.rpartition(".")[0]: _at(names, number) for name, number in pairs}


def _at(names: tuple[str, ...], number: str) -> str:
    if not 0 <= int(number) < len(names):
        raise ValueError(f"there is no class {number}; classes are counted from 0")
    return names[int(number)]


def _table(path: Path) -> Truth:
    """``synsets.csv`` of your own: columns ``filename`` and ``synset``."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["filename"].rpartition(".")[0] or row["filename"]: row["synset"] for row in rows}


def _devkit(path: Path) -> Truth:
    """``ILSVRC2012_validation_ground_truth.txt`` with ``meta.mat`` beside it, of the devkit.

    Its numbers are those of ``meta.mat`` (``ILSVRC2012_ID``), not those of logits.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    meta = path.with_name("meta.mat")
    if not meta.is_file():
        raise ValueError(
            "its numbers are those of meta.mat of the same devkit, which is not beside it"
        )
    try:
        classes = loadmat(meta, squeeze_me=True)["synsets"]
    except (
        MatReadError,
        NotImplementedError,
        TypeError,
        ValueError,
        IndexError,
        KeyError,
        zlib.error,
    ) as error:  # what scipy raises for files of another kind
        raise ValueError(f"{meta.name} beside it is no readable MATLAB file: {error}") from error
    by_number = {
        int(number): str(synset)
        for number, synset in zip(classes["ILSVRC2012_ID"], classes["WNID"], strict=True)
    }
    return _in_order(path, [by_number[int(line)] for line in _lines(path)])


#: Readers by file name, the most explicit first.
TABLES: dict[str, Callable[[Path], Truth]] = {
    "synsets.csv": _table,
    "LOC_val_solution.csv": _kaggle,
    "imagenet_2012_validation_synset_labels.txt": _synset_a_line,
    "ILSVRC2012_validation_ground_truth.txt": _devkit,
    "val.txt": _numbered,
}
