"""Stimuli as a model may see them: under names and in an order that carry nothing.

Of every set, the content of each stimulus and what it is shown with remain: pixels, text, reading
order, extent in degrees, and labels where the task grants them. Ids, file names, paths, metadata,
times and the order of rows go.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval.errors import AssemblyError, StimuliError
from corteval.requests import OddOneOut, Probabilities, Request
from corteval.stimuli import StimulusSet

#: Modification time of all files, in seconds since 1970.
_MOMENT = 946_684_800
_LABEL = "label"

#: Coordinates of an answer that hold stimulus ids.
_IDS = ("stimulus_id", "first", "second", "third")


@final
@dataclass(frozen=True, kw_only=True)
class Disguise:
    """A stimulus set under other names.

    Args:
        ids: of the stimuli as the experimenter has them, in the shuffled order.
        opaque: their names for the model, in the same order.
    """

    ids: tuple[str, ...]
    opaque: tuple[str, ...]

    def names(self) -> Mapping[str, str]:
        """Opaque name of each id."""
        return dict(zip(self.ids, self.opaque, strict=True))

    def reveal(self, answer: xr.DataArray) -> xr.DataArray:
        """`answer` with the experimenter's ids.

        Raises:
            AssemblyError: if it names stimuli that were not shown.
        """
        known = dict(zip(self.opaque, self.ids, strict=True))
        changed: dict[str, Any] = {}
        for name in _IDS:
            if name not in answer.coords:
                continue
            given = answer[name].values.astype(str)
            strange = sorted({i for i in given.ravel().tolist() if i not in known})
            if strange:
                raise AssemblyError(
                    f"The answer names {len(strange)} stimuli that were not shown, such as "
                    f"{', '.join(strange[:5])}; a subject answers under the ids it is given."
                )
            changed[name] = (
                answer[name].dims,
                np.vectorize(known.__getitem__, otypes=[str])(given),
            )
        answer = answer.assign_coords(changed)
        if answer.dtype.kind in "US":  # chosen stimuli, as in odd one out
            chosen = answer.values.astype(str)
            if chosen.size and set(np.unique(chosen).tolist()) <= known.keys():
                answer = answer.copy(data=_looked_up(chosen, known))
        return answer


def disguised(stimuli: StimulusSet, folder: Path, seed: str) -> tuple[dict[str, Any], Disguise]:
    """Write what of `stimuli` a model may see into `folder`.

    Args:
        stimuli: as the benchmark has them; a column ``label`` is passed on only if it is there, so
            take it off (`StimulusSet.shown`) where the task does not grant it.
        folder: new or empty, and the model's alone.
        seed: of the order, text that differs from run to run.

    Returns:
        a description for `revealed_set`, and the key to the names.
    """
    digest = hashlib.sha256(f"{seed}|{stimuli.digest()}".encode()).digest()
    rng = np.random.default_rng(np.frombuffer(digest, np.uint32))
    order = rng.permutation(len(stimuli))
    ids = [stimuli.stimulus_ids[n] for n in order]
    names = [f"s{n:06d}" for n in range(len(ids))]
    table = stimuli.table.loc[ids]
    rows: dict[str, list[Any]] = {"stimulus_id": names}
    if "context_id" in table.columns:
        rows["context_id"] = _renamed(table["context_id"])
    for column in ("position", "text", _LABEL):
        if column in table.columns:
            rows[column] = [_scalar(value) for value in table[column]]
    folder.mkdir(parents=True, exist_ok=True)
    if stimuli.modality == "image":
        for number, stimulus_id in enumerate(ids):
            path = folder / f"{names[number]}.npy"
            np.save(path, stimuli.image(stimulus_id), allow_pickle=False)
            os.utime(path, (_MOMENT, _MOMENT))
    elif stimuli.modality == "video":
        for number, path in enumerate(table["path"]):
            source = Path(str(path))
            target = folder / f"{names[number]}{source.suffix}"
            shutil.copyfile(source, target)
            os.utime(target, (_MOMENT, _MOMENT))
    description = {
        "modality": stimuli.modality,
        "visual_degrees": stimuli.visual_degrees,
        "folder": str(folder),
        "rows": rows,
    }
    return description, Disguise(ids=tuple(ids), opaque=tuple(names))


def revealed_set(description: Mapping[str, Any]) -> StimulusSet:
    """The stimulus set that `disguised` described, in the process of the model."""
    rows = dict(description["rows"])
    index = pd.Index(rows.pop("stimulus_id"), name="stimulus_id")
    table = pd.DataFrame(rows, index=index)
    folder = Path(description["folder"])
    modality = description["modality"]
    if modality == "video":
        found = {path.stem: str(path) for path in folder.iterdir()}
        table["path"] = [found[str(name)] for name in index]
    return StimulusSet(
        identifier="stimuli",
        modality=modality,
        table=table,
        visual_degrees=description["visual_degrees"],
        images=PixelFiles(folder) if modality == "image" else None,
    )


@final
class PixelFiles:
    """Images whose pixels lie in files, one a stimulus."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """Pixels of one image."""
        try:
            pixels: np.ndarray = np.load(self.folder / f"{stimulus_id}.npy", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise StimuliError(f"Stimulus {stimulus_id} cannot be read: {error}") from error
        return pixels


def renamed_request(request: Request, names: Mapping[str, str]) -> Request:
    """`request` under the opaque names, where it names stimuli."""
    if isinstance(request, OddOneOut):
        return OddOneOut(tuple((names[a], names[b], names[c]) for a, b, c in request.triplets))
    return request


def granted(request: Request) -> StimulusSet | None:
    """The further stimuli a request shows: of `Probabilities`, those to fit on, with labels."""
    if not isinstance(request, Probabilities):
        return None
    shown = request.fit.shown()
    labels = request.fit.table.get(_LABEL)
    if labels is None:
        return shown
    table = shown.table.assign(**{_LABEL: labels})
    return StimulusSet(
        identifier=request.fit.identifier,
        modality=request.fit.modality,
        table=table,
        visual_degrees=request.fit.visual_degrees,
        images=request.fit.images,
    )


def _renamed(contexts: Iterable[Any]) -> list[str | None]:
    names: dict[str, str] = {}
    return [None if _is_missing(context) else _named(str(context), names) for context in contexts]


def _named(context: str, names: dict[str, str]) -> str:
    return names.setdefault(context, f"c{len(names):05d}")


def _looked_up(names: np.ndarray, known: Mapping[str, str]) -> np.ndarray:
    return np.array([known[name] for name in names.ravel().tolist()], str).reshape(names.shape)


def _scalar(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return None if _is_missing(value) else value


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
