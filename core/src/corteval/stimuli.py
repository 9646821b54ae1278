"""Stimulus sets: what is shown to a subject, identified by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol, final
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from corteval.cards import Modality
from corteval.errors import StimuliError

#: Columns a subject is shown; every other column (labels, conditions) stays with the benchmark.
SHOWN = ("path", "text", "context_id", "position")

#: Refused before decoding: an image this large is a mistake or an attack, not a stimulus.
MAX_PIXELS = 100_000_000


class ImageSource(Protocol):
    """Images made in memory."""

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """Pixels, uint8 (height, width) or (height, width, 3)."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class StimulusSet:
    """An ordered set of stimuli of one modality.

    Args:
        identifier: name for messages; identity is `digest`.
        modality: ``"image"``, ``"text"`` or ``"video"``.
        table: one row a stimulus, indexed by ``stimulus_id``. Images have a column ``path`` unless
            `images` makes them; texts a column ``text``. Rows of one ``context_id`` are read in
            the order of ``position``, each with what came before.
        visual_degrees: extent of the images in degrees of visual angle; None if unknown, and then
            they fill the subject's screen.
        images: maker of images that lie in no file.

    Raises:
        StimuliError: if ids repeat or are no text, or a column is missing.
    """

    identifier: str
    modality: Modality
    table: pd.DataFrame
    visual_degrees: float | None = None
    images: ImageSource | None = None

    def __post_init__(self) -> None:
        table = self.table.copy()
        if table.index.name != "stimulus_id":
            raise StimuliError(
                f"{self.identifier}: the table is indexed by {table.index.name!r}, not by "
                "'stimulus_id'. Use table.set_index('stimulus_id')."
            )
        odd = [i for i in table.index if not isinstance(i, str) or not i]
        if odd:
            raise StimuliError(f"{self.identifier}: stimulus ids are text; found {odd[:5]}.")
        repeated = list(table.index[table.index.duplicated()].unique()[:5])
        if repeated:
            raise StimuliError(f"{self.identifier}: stimulus ids repeat: {', '.join(repeated)}.")
        needed = {"image": "path", "video": "path", "text": "text"}.get(self.modality)
        if needed is None:
            raise StimuliError(f"{self.identifier}: unknown modality {self.modality!r}.")
        if needed not in table.columns and self.images is None:
            raise StimuliError(
                f"{self.identifier}: {self.modality} stimuli need column {needed!r}."
            )
        if self.visual_degrees is not None and not self.visual_degrees > 0:
            raise StimuliError(f"{self.identifier}: {self.visual_degrees} visual degrees.")
        object.__setattr__(self, "table", table)

    def __len__(self) -> int:
        return len(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StimulusSet) and self.digest() == other.digest()

    def __hash__(self) -> int:
        return hash(self.digest())

    def __repr__(self) -> str:
        degrees = "" if self.visual_degrees is None else f", {self.visual_degrees:g} degrees"
        return f"<StimulusSet {self.identifier}: {len(self)} of {self.modality}{degrees}>"

    @property
    def stimulus_ids(self) -> list[str]:
        """Ids in order."""
        return list(self.table.index)

    def select(self, stimulus_ids: Sequence[str]) -> StimulusSet:
        """The named stimuli, in the order named."""
        missing = [i for i in stimulus_ids if i not in self.table.index]
        if missing:
            raise StimuliError(f"{self.identifier} has no stimulus {', '.join(missing[:5])}.")
        return replace(self, table=self.table.loc[list(stimulus_ids)])

    def where(self, **columns: Any) -> StimulusSet:
        """Stimuli whose columns equal the given values."""
        rows = np.ones(len(self), bool)
        for name, value in columns.items():
            if name not in self.table.columns:
                raise StimuliError(f"{self.identifier} has no column {name!r}.")
            rows &= (self.table[name] == value).to_numpy()
        return replace(self, table=self.table.loc[rows])

    def sized(self, visual_degrees: float | None) -> StimulusSet:
        """These stimuli, of the extent `visual_degrees` if they do not say theirs."""
        if visual_degrees is None or self.visual_degrees is not None:
            return self
        return replace(self, visual_degrees=visual_degrees)

    def shown(self) -> StimulusSet:
        """What a subject may see: no labels, conditions or other columns of the experimenter."""
        return replace(self, table=self.table[[c for c in SHOWN if c in self.table.columns]])

    def image(self, stimulus_id: str) -> np.ndarray:
        """Pixels of one image, uint8, (height, width) if grey, else (height, width, 3) RGB."""
        if stimulus_id not in self.table.index:
            raise StimuliError(f"{self.identifier} has no stimulus {stimulus_id}.")
        if self.images is not None:
            return self.images(stimulus_id)
        return read_image(Path(str(self.table.at[stimulus_id, "path"])), stimulus_id)

    def digest(self) -> str:
        """SHA-256 over the ordered ids and content bytes, visual degrees and reading order."""
        return self._digest

    def contents(self) -> list[str]:
        """SHA-256 of what each stimulus shows, in order: of the file, the pixels or the text."""
        if self.modality == "text":  # column by column, for there may be hundreds of thousands
            texts = self.table["text"].astype(str)
            return [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        return [self._content(i) for i in self.stimulus_ids]

    @cached_property
    def _digest(self) -> str:
        order = [c for c in ("context_id", "position") if c in self.table.columns]
        content = {
            "modality": self.modality,
            "visual_degrees": self.visual_degrees,
            "stimuli": [
                list(pair) for pair in zip(self.stimulus_ids, self.contents(), strict=True)
            ],
            **{column: [str(v) for v in self.table[column]] for column in order},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def _content(self, stimulus_id: str) -> str:
        if self.images is not None:
            return _pixels_digest(self.images, stimulus_id)
        path = Path(str(self.table.at[stimulus_id, "path"]))
        try:
            status = path.stat()
            return _file_digest(str(path), status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError as error:
            raise StimuliError(f"Stimulus {stimulus_id}: {path} cannot be read: {error}") from error


def joined(parts: Sequence[StimulusSet]) -> StimulusSet:
    """Stimuli of all `parts`, in their order.

    Raises:
        StimuliError: if parts differ in modality or size, or share an id.
    """
    first, *others = parts
    if not others:
        return first
    for part in others:
        for name in ("modality", "visual_degrees"):
            a, b = getattr(first, name), getattr(part, name)
            if a != b:
                raise StimuliError(
                    f"{first.identifier} and {part.identifier} differ in {name}: {a} and {b}."
                )
    images = None
    if any(part.images is not None for part in parts):
        images = _EitherImages(parts=tuple(parts))
    return StimulusSet(
        identifier=" and ".join(dict.fromkeys(part.identifier for part in parts)),
        modality=first.modality,
        table=pd.concat([part.table for part in parts]),
        visual_degrees=first.visual_degrees,
        images=images,
    )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _EitherImages:
    """Images of several sets, by id."""

    parts: tuple[StimulusSet, ...]

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """The image of the set that has it."""
        holder = next(part for part in self.parts if stimulus_id in part.table.index)
        return holder.image(stimulus_id)


@lru_cache(maxsize=1_000_000)
def _file_digest(path: str, modified_ns: int, size: int, inode: int) -> str:
    """SHA-256 of a file, read again when it changed."""
    del modified_ns, size, inode  # they tell one state of the file from another
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: Digests of images made in memory, forgotten with their maker.
_PIXELS: WeakKeyDictionary[Any, dict[str, str]] = WeakKeyDictionary()


def _pixels_digest(images: ImageSource, stimulus_id: str) -> str:
    try:
        known = _PIXELS.setdefault(images, {})
    except TypeError:  # a maker that cannot be hashed, or not weakly referred to
        known = {}
    if stimulus_id not in known:
        image = np.ascontiguousarray(images(stimulus_id))
        shape = f"{image.shape}{image.dtype}".encode()
        known[stimulus_id] = hashlib.sha256(shape + image.data).hexdigest()
    return known[stimulus_id]


def read_image(path: Path, stimulus_id: str) -> np.ndarray:
    """Decode an image file to uint8 grey (height, width) or RGB (height, width, 3).

    Palette, CMYK, 16-bit and transparent images are converted to RGB; transparency is laid over
    grey 128, the colour of the screen.
    """
    from PIL import Image

    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise StimuliError(
                    f"Stimulus {stimulus_id}: {path} has {opened.width}x{opened.height} pixels; "
                    f"at most {MAX_PIXELS} are read."
                )
            if opened.mode == "L":
                return np.asarray(opened)
            if opened.mode.startswith("I;16"):
                return (np.asarray(opened) >> 8).astype(np.uint8)
            if "A" in opened.getbands() or "transparency" in opened.info:
                grey = Image.new("RGBA", opened.size, (128, 128, 128, 255))
                return np.asarray(
                    Image.alpha_composite(grey, opened.convert("RGBA")).convert("RGB")
                )
            return np.asarray(opened.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise StimuliError(
            f"Stimulus {stimulus_id}: {path} is not a readable image: {error}"
        ) from error
