"""Images of ImageNet in a user's folder, in the layouts that people have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from corteval.errors import StimuliError
from corteval_imagenet.classes import synsets
from corteval_imagenet.truth import SYNSET, TABLES, find_truth

#: Name of a validation image, without its extension.
VALIDATION = re.compile(r"ILSVRC2012_val_(\d{8})")

_EXTENSIONS = {".jpeg", ".jpg", ".png"}

#: Where the images may lie in the folder that is named.
_BELOW = (".", "val", "validation", "ILSVRC2012_img_val", "ILSVRC/Data/CLS-LOC/val", "images")


class Labelled(NamedTuple):
    """An image file and the synset of its class."""

    path: Path
    synset: str


def labelled_images(folder: Path) -> dict[str, Labelled]:
    """Images of `folder` by file name, in a folder for each synset or flat beside a table.

    Raises:
        StimuliError: if there are no images, or it is not known of which class they are.
    """
    empty = True
    for name in _BELOW:
        place = folder / name
        if not place.is_dir():
            continue
        if _synsets_in(place):
            return images_by_synset(place)
        flat = _flat(place)
        if flat:
            return _with_truth(folder, flat)
        empty &= not _entries(place)
    what = "is empty" if empty else "has neither folders of synsets nor ILSVRC2012_val_*.JPEG"
    raise StimuliError(
        f"{folder} {what}. Lay the validation images there as n01440764/ILSVRC2012_val_*.JPEG, "
        f"or flat with one of these tables: {', '.join(TABLES)}."
    )


def images_by_synset(folder: Path) -> dict[str, Labelled]:
    """Images in folders that are called like their synsets.

    Raises:
        StimuliError: if a folder is no class of ILSVRC 2012, or an image is in two of them.
    """
    known = set(synsets())
    found: dict[str, Labelled] = {}
    names = _synsets_in(folder)
    strange = [name for name in names if name not in known]
    if strange:
        raise StimuliError(
            f"{folder}: {len(strange)} folders are no classes of ILSVRC 2012, such as "
            f"{strange[0]}. Another ImageNet (21k, Tiny) is not its validation set."
        )
    for synset in names:
        for name in _images(folder / synset):
            if name in found:
                raise StimuliError(
                    f"{folder}: {name} is in {found[name].synset} and in {synset}; an image is of "
                    "one class. Training images are not the validation set."
                )
            found[name] = Labelled(folder / synset / name, synset)
    if not found:
        raise StimuliError(f"{folder}: the folders of synsets hold no images.")
    return found


def require_complete(images: dict[str, Labelled], folder: Path, per_class: int = 50) -> None:
    """Refuse a part of the validation set.

    Raises:
        StimuliError: says how much of what is missing.
    """
    counts = dict.fromkeys(synsets(), 0)
    for image in images.values():
        counts[image.synset] += 1
    lacking = [s for s, count in counts.items() if count != per_class]
    if lacking:
        first = lacking[0]
        raise StimuliError(
            f"{folder} holds {len(images)} of {per_class * len(counts)} images: {len(lacking)} of "
            f"{len(counts)} classes have not {per_class}, such as {first} ({counts[first]}). "
            "Complete it, or give the option partial=True to use what is there."
        )


def number_of(name: str) -> str:
    """Name of the validation image that a file shows, corrupted or not; empty if it tells none."""
    found = VALIDATION.search(name)
    return found[0] if found else ""


def _synsets_in(folder: Path) -> list[str]:
    """Folders that are called like synsets, sorted."""
    return sorted(e.name for e in _entries(folder) if SYNSET.fullmatch(e.name) and e.is_dir())


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise StimuliError(f"{folder} cannot be read: {error}") from error


def _flat(folder: Path) -> list[Path]:
    return [folder / n for n in _images(folder) if VALIDATION.fullmatch(n.rpartition(".")[0])]


def _images(folder: Path) -> Iterator[str]:
    """Names of the image files in `folder`, sorted; what begins with a dot is none."""
    for name in sorted(e.name for e in _entries(folder) if e.is_file()):
        if not name.startswith(".") and Path(name).suffix.lower() in _EXTENSIONS:
            yield name


def _with_truth(folder: Path, paths: Sequence[Path]) -> dict[str, Labelled]:
    table, truth = find_truth(folder)
    found, lacking = {}, []
    for path in paths:
        synset = truth.get(path.name.rpartition(".")[0])
        if synset is None:
            lacking.append(path.name)
        else:
            found[path.name] = Labelled(path, synset)
    if lacking:
        raise StimuliError(
            f"{table} does not tell the class of {len(lacking)} of {len(paths)} images, such as "
            f"{lacking[0]}."
        )
    known = set(synsets())
    strange = sorted({image.synset for image in found.values()} - known)
    if strange:
        raise StimuliError(
            f"{table} names {len(strange)} classes that are none of ILSVRC 2012, such as "
            f"{strange[0]!r}."
        )
    return found
