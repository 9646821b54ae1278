"""Textures and spectrally matched noise of Freeman, Ziemba et al. 2013, as subjects see them.

The 450 images (noise or texture, 15 families, 15 samples) come from Brain-Score's archive, where
they lie in their aperture on 8 degrees, or are placed so from the originals of 4 degrees that a
user has. Source: spec ``marques2020`` section 1, texture images.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd

from corteval.errors import StimuliError
from corteval.screen import place
from corteval.stimuli import StimulusSet, read_image
from corteval_marques2020.gratings import BACKGROUND, CENTRE_DEGREES, VISUAL_DEGREES, stimuli
from corteval_marques2020.recorded import archive, explained, provided_folder

MEMBER = "FreemanZiemba2013_properties"

#: Columns that tell textures apart; type is 1 for noise and 2 for texture.
COLUMNS = ("type", "family", "sample")
_LEVELS = (2, 15, 15)

_ORIGINAL_DEGREES = 4.0
_SHOWN_DEGREES = 8.0
_APERTURE_DEGREES = 4.0

#: Numbers that the authors gave the photographs; a family's place here is its number from 1 on.
_PHOTOGRAPHS = (60, 56, 13, 48, 71, 18, 327, 336, 402, 38, 23, 52, 99, 393, 30)
_ORIGINAL = re.compile(r"(?P<type>noise|tex)-.+-im(?P<photograph>\d+)-smp(?P<sample>\d+)\.png")
_FIRST = 3


@final
@dataclass(frozen=True, kw_only=True)
class Textures:
    """Files of the 450 images.

    Args:
        table: columns ``path``, `COLUMNS`, one row an image, indexed by ``stimulus_id``.
        visual_degrees: extent of the images. Those of 4 degrees are originals.
    """

    table: pd.DataFrame
    visual_degrees: float

    def __post_init__(self) -> None:
        wanted = {
            (kind, family, sample)
            for kind in range(1, _LEVELS[0] + 1)
            for family in range(1, _LEVELS[1] + 1)
            for sample in range(1, _LEVELS[2] + 1)
        }
        rows = self.table[list(COLUMNS)].apply(pd.to_numeric, errors="coerce")
        found = [tuple(row) for row in rows.to_numpy(float).tolist()]
        lacking = sorted(wanted - set(found))
        if lacking or len(found) != len(wanted):
            example = f", such as type, family, sample {lacking[0]}" if lacking else ""
            raise StimuliError(
                f"There are {len(found)} textures, and {len(lacking)} of the {len(wanted)} "
                f"published ones are not among them{example}. Types are 1 (noise) and 2 (texture), "
                "families and samples 1 to 15."
            )


def textures(folder: str | Path | None) -> Textures:
    """The images in ``stim`` of the user's folder if it is there, else those of the archive.

    Args:
        folder: with the archive's files, or with originals named as the authors name them
            (``tex-320x320-im60-smp1.png``) in its folder ``stim``.

    Raises:
        FetchError: if they cannot be had.
        StimuliError: if images are missing or the table is of another form.
    """
    place_ = provided_folder(folder)
    if place_ is not None and (place_ / "stim").is_dir():
        return _originals(place_ / "stim")
    with explained("their images, in a folder called stim,"):
        shown = archive(MEMBER, place_).stimuli()
    lacking = [c for c in (*COLUMNS, "path") if c not in shown.table.columns]
    if lacking:
        listed = ", ".join(map(str, shown.table.columns))
        raise StimuliError(
            f"{shown.identifier} has no column {', '.join(lacking)}; it has {listed}."
        )
    degrees = _SHOWN_DEGREES if shown.visual_degrees is None else shown.visual_degrees
    return Textures(table=shown.table[["path", *COLUMNS]], visual_degrees=degrees)


def with_textures(shown: Textures, *gratings: str) -> StimulusSet:
    """Named sets of gratings and the textures, on one field of 12 degrees.

    Textures of fewer degrees lie in the middle of a grey 128 field, so whatever part of it a
    subject sees is what it would see of the smaller image.
    """
    rows = shown.table[list(COLUMNS)].astype(float)
    rows.insert(0, "stimulus_set", "texture")
    drawn = stimuli(*gratings)
    files = StimulusSet(identifier="textures", modality="image", table=shown.table[["path"]])
    maker = _maker(
        tuple(files.stimulus_ids),
        tuple(map(str, shown.table["path"])),
        tuple(files.contents()),
        shown.visual_degrees,
    )
    return replace(
        drawn,
        identifier="Marques2020.textures",
        table=pd.concat([drawn.table, rows]).rename_axis("stimulus_id"),
        images=maker,
    )


def placed(original: np.ndarray) -> np.ndarray:
    """An original of 4 degrees in its aperture, on a field of 8 degrees.

        out = ⌊128 + (im - 128) · ½ (1 + cos(π d/a))⌋  for d < a, else 128

    with d the distance from the image's centre, which lies .5 degrees right of and below that of
    the field, and a half of 4 degrees.

    Args:
        original: uint8 (n, n), or (n, n, 3) of equal channels.
    """
    grey = original if original.ndim == 2 else original[..., 0]
    size = grey.shape[0]
    per_degree = size / _ORIGINAL_DEGREES
    field = int(size * _SHOWN_DEGREES / _ORIGINAL_DEGREES)
    shift = int(CENTRE_DEGREES * per_degree)
    first = (field - size) // 2 + shift
    contrast = np.zeros((field, field))
    contrast[first : first + size, first : first + size] = grey.astype(np.float64) - BACKGROUND
    axis = np.arange(field) - field / 2 - shift
    distance = np.hypot(axis[:, None], axis[None])
    radius = _APERTURE_DEGREES / 2 * per_degree
    aperture = np.where(distance < radius, (1 + np.cos(np.pi * distance / radius)) / 2, 0)
    return np.asarray((BACKGROUND + contrast * aperture).astype(np.uint8))


@final
class _Images:
    """Draws gratings, and reads and places textures."""

    def __init__(self, paths: dict[str, str], visual_degrees: float) -> None:
        self._paths = paths
        self._degrees = visual_degrees
        self._gratings = stimuli("blank").images

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """Pixels of one stimulus."""
        if stimulus_id not in self._paths:
            assert self._gratings is not None
            return self._gratings(stimulus_id)
        image, degrees = read_image(Path(self._paths[stimulus_id]), stimulus_id), self._degrees
        if degrees == _ORIGINAL_DEGREES:
            image, degrees = placed(image), _SHOWN_DEGREES
        return place(image, degrees, VISUAL_DEGREES)


@lru_cache(maxsize=2)
def _maker(
    ids: tuple[str, ...], paths: tuple[str, ...], contents: tuple[str, ...], degrees: float
) -> _Images:
    """One maker for files of the same content, so that each image is digested once."""
    del contents
    return _Images(dict(zip(ids, paths, strict=True)), degrees)


def _originals(folder: Path) -> Textures:
    rows = {}
    for path in sorted(folder.glob("*.png")):
        name = _ORIGINAL.fullmatch(path.name)
        if name is not None and int(name["photograph"]) in _PHOTOGRAPHS:
            rows[path.name] = {
                "path": str(path),
                "type": 2 if name["type"] == "tex" else 1,
                "family": _PHOTOGRAPHS.index(int(name["photograph"])) + 1,
                "sample": int(name["sample"]),
            }
    if not rows:
        there = sorted(p.name for p in folder.iterdir())[:_FIRST]
        raise StimuliError(
            f"{folder} has no image named as the authors name them, tex-320x320-im60-smp1.png; "
            f"there is {', '.join(there) or 'nothing'}."
        )
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("stimulus_id")
    return Textures(table=table, visual_degrees=_ORIGINAL_DEGREES)
