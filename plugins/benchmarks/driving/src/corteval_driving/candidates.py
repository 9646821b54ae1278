"""Pools of stimuli to choose from: files, folders, data sets, and the features a subject has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast, final

import numpy as np
import pandas as pd

from corteval import hooks, registry
from corteval.assembly import responses_matrix
from corteval.cards import Modality
from corteval.data import DataSource
from corteval.errors import StimuliError
from corteval.model import ModelCommitment, record
from corteval.stimuli import StimulusSet

#: Stimuli whose features are held at a time.
BLOCK = 5000

_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
_TEXTS = ("text", "sentence", "stimulus")


class Pool(Protocol):
    """Features of candidates, too many perhaps to be held at once."""

    def __len__(self) -> int:
        """Number of candidates."""

    def blocks(self) -> Iterator[np.ndarray]:
        """(row, feature) of all candidates, in order, some at a time."""

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """(row, feature) of the candidates at `positions`."""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class HeldPool:
    """Candidates whose features, (row, feature), are in memory."""

    features: np.ndarray

    def __len__(self) -> int:
        return len(self.features)

    def blocks(self) -> Iterator[np.ndarray]:
        """All of them."""
        yield self.features

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """The features at `positions`."""
        return np.asarray(self.features[positions])


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedPool:
    """Candidates as a subject responds to them, computed when they are wanted.

    Candidates that are read in the context of others are shown all at once.

    Args:
        model: asked.
        stimuli: the candidates.
        target: what is recorded.
        block: candidates that are shown at a time.
    """

    model: ModelCommitment
    stimuli: StimulusSet
    target: str
    block: int = BLOCK
    _whole: list[np.ndarray] = field(default_factory=list, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.stimuli)

    def blocks(self) -> Iterator[np.ndarray]:
        """Features in the order of the candidates."""
        if "context_id" in self.stimuli.table.columns:
            yield self._all()
            return
        ids = self.stimuli.stimulus_ids
        for start in range(0, len(ids), self.block):
            part = self.stimuli.select(ids[start : start + self.block])
            yield features_of(self.model, part, self.target)
            done = min(start + self.block, len(ids))
            hooks.notify(hooks.Progress("candidates", done, len(ids), "stimuli"))

    def rows(self, positions: np.ndarray) -> np.ndarray:
        """Features of some candidates."""
        if "context_id" in self.stimuli.table.columns:
            return np.asarray(self._all()[positions])
        ids = self.stimuli.stimulus_ids
        chosen = self.stimuli.select([ids[position] for position in positions])
        return features_of(self.model, chosen, self.target)

    def _all(self) -> np.ndarray:
        if not self._whole:
            self._whole.append(features_of(self.model, self.stimuli, self.target))
        return self._whole[0]


def features_of(model: ModelCommitment, stimuli: StimulusSet, target: str) -> np.ndarray:
    """(stimulus, unit) responses of `model`."""
    return np.asarray(responses_matrix(record(model, stimuli, target)).values, np.float64)


def read_candidates(named: str, modality: Modality) -> StimulusSet:
    """Stimuli of a file, a folder or a data set.

    Args:
        named: a text file with one sentence a line; a table (csv, tsv) with a column ``text``,
            ``sentence`` or ``stimulus`` and perhaps ``stimulus_id``; a folder of images; or the
            identifier of a data set.
        modality: of the stimuli to expect.

    Raises:
        StimuliError: if there is nothing of this modality.
        UnknownIdentifier: if there is neither a file nor a data set.
    """
    path = Path(named).expanduser()
    if path.is_dir():
        found = _images(path, modality)
    elif path.is_file():
        found = _texts(path, modality)
    else:
        try:
            source = cast("DataSource", registry.data.create(named))
        except Exception as error:
            raise type(error)(f"There is no file {named!r}. {error}") from error
        found = source.stimuli()
    if found.modality != modality:
        raise StimuliError(f"{named} has {found.modality} stimuli; the data have {modality}.")
    return found


def new_only(
    candidates: StimulusSet, shown: Sequence[StimulusSet] = ()
) -> tuple[StimulusSet, tuple[str, ...]]:
    """Candidates without repetitions and without what was `shown`, and notes on what was left out.

    What was recorded needs no prediction, and a fit on it would flatter its own.

    Raises:
        StimuliError: if nothing is left.
    """
    known = {digest for stimuli in shown for digest in stimuli.contents()}
    seen: set[str] = set()
    kept, repeated, recorded = [], 0, 0
    for stimulus_id, digest in zip(candidates.stimulus_ids, candidates.contents(), strict=True):
        recorded += digest in known
        repeated += digest in seen and digest not in known
        if digest not in known and digest not in seen:
            kept.append(stimulus_id)
        seen.add(digest)
    if not kept:
        raise StimuliError(
            f"None of the {len(candidates)} candidates is new: all were recorded. Give others."
        )
    notes = []
    if repeated:
        notes.append(f"{repeated} candidates repeat an earlier one and are left out")
    if recorded:
        notes.append(f"{recorded} candidates were recorded and are left out")
    return (candidates if len(kept) == len(candidates) else candidates.select(kept)), tuple(notes)


def _texts(path: Path, modality: Modality) -> StimulusSet:
    if modality != "text":
        raise StimuliError(f"{path} is a file; candidates of {modality} data lie in a folder.")
    try:
        if path.suffix.casefold() in (".csv", ".tsv"):
            return _table(path)
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError, ValueError, pd.errors.ParserError) as error:
        raise StimuliError(f"{path} is no readable text in UTF-8: {error}") from error
    kept = {f"line-{n}": line.strip() for n, line in enumerate(lines, 1) if line.strip()}
    if not kept:
        raise StimuliError(f"{path} has no text. Write one sentence a line.")
    table = pd.DataFrame({"text": list(kept.values())}, index=pd.Index(kept, name="stimulus_id"))
    return StimulusSet(identifier=path.name, modality="text", table=table)


def _table(path: Path) -> StimulusSet:
    separator = "\t" if path.suffix.casefold() == ".tsv" else ","
    read: Any = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False)
    column = next((name for name in _TEXTS if name in read.columns), None)
    if column is None:
        raise StimuliError(
            f"{path} has the columns {', '.join(map(str, read.columns))}; one of "
            f"{', '.join(_TEXTS)} is needed."
        )
    ids = read["stimulus_id"] if "stimulus_id" in read else [f"row-{n + 1}" for n in read.index]
    table = pd.DataFrame({"text": read[column].to_numpy()}, index=pd.Index(ids, name="stimulus_id"))
    table = table[table["text"].str.strip() != ""]
    if not len(table):
        raise StimuliError(f"{path} has no text in its column {column!r}.")
    return StimulusSet(identifier=path.name, modality="text", table=table)


def _images(folder: Path, modality: Modality) -> StimulusSet:
    if modality != "image":
        raise StimuliError(f"{folder} is a folder; candidates of {modality} data lie in a file.")
    files = sorted(p for p in folder.iterdir() if p.suffix.casefold() in _IMAGES)
    if not files:
        raise StimuliError(f"{folder} has no images ({', '.join(_IMAGES)}).")
    table = pd.DataFrame(
        {"path": [str(file) for file in files]},
        index=pd.Index([file.name for file in files], name="stimulus_id"),
    )
    return StimulusSet(identifier=folder.name, modality="image", table=table)
