"""Records of scores: immutable JSON files, named by the digest of what they say.

``<home>/records/<model>/<sha256>.json`` holds

    {"content": {...}, "measured": {...}, "sha256": "..."}

``content`` is the score with everything that determines it and came of it, and its SHA-256 is the
name of the file; so a cell computed twice with the same result is one record. ``measured`` is what
differs from run to run: host, time, seconds, memory. ``sha256`` is of both. A record is never
changed; a newer one of the same cell stands beside it, and which is current is a rule (the last
that was made), never the higher score.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, final

from corteval import settings
from corteval.errors import ScoreFormatError, StoreError
from corteval.run.cells import Cell
from corteval.score import Score
from corteval.store.disk import explained, replacing, sync, write_all

SCHEMA = "corteval.cell/1"

_NAME = re.compile(r"[0-9a-f]{64}")
_KEPT = re.compile(r"[^A-Za-z0-9._-]")


@final
@dataclass(frozen=True, kw_only=True)
class Measured:
    """What of a computation differs from run to run.

    Args:
        host: name of the machine.
        started: ISO 8601, UTC.
        seconds: wall-clock time.
        peak_bytes: most memory that worker and model held together.
        sequence: number of the record among those of its model, by which history is ordered; clocks
            may jump.
        run: identity of the run.
    """

    host: str = ""
    started: str = ""
    seconds: float | None = None
    peak_bytes: int | None = None
    sequence: int = 0
    run: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Record:
    """A score, what determines it, and how its computation went.

    Args:
        cell: model, benchmark and seed.
        key: SHA-256 of what determines the score, see `cells.key_of`.
        score: of which the time is in `measured`.
        isolation: where the model ran: ``"none"``, ``"process"``, ``"venv"`` or ``"sandbox"``.
        parents: digests of what it was computed from, by name.
        measured: host, time, memory.
    """

    cell: Cell
    key: str
    score: Score
    isolation: str = "none"
    parents: Mapping[str, str] = field(default_factory=dict)
    measured: Measured = Measured()

    def content(self) -> dict[str, Any]:
        """What is the same whenever and wherever it is computed."""
        provenance = self.score.provenance
        timeless = self.score
        if provenance is not None:
            timeless = replace(self.score, provenance=replace(provenance, seconds=None, started=""))
        return {
            "schema": SCHEMA,
            "cell": asdict(self.cell),
            "key": self.key,
            "isolation": self.isolation,
            "parents": dict(self.parents),
            "score": json.loads(timeless.to_json()),
        }

    @property
    def digest(self) -> str:
        """Hexadecimal SHA-256 of the canonical JSON of `content`; the record's name."""
        return _digest(self.content())

    def to_json(self) -> str:
        """The file."""
        body = {"content": self.content(), "measured": asdict(self.measured)}
        return _canonical({**body, "sha256": _digest(body)}) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """Inverse of `to_json`; checks every digest.

        Raises:
            ScoreFormatError: if it is no record, or was changed.
        """
        try:
            parsed = json.loads(text, object_pairs_hook=_once)
            body = {"content": parsed["content"], "measured": parsed["measured"]}
            content = body["content"]
            if _digest(body) != parsed["sha256"]:
                raise ScoreFormatError("Its digest is not that of what it says: it was changed.")
            if content["schema"] != SCHEMA:
                raise ScoreFormatError(f"It is of schema {content['schema']!r}, not {SCHEMA!r}.")
            return cls(
                cell=Cell(**content["cell"]),
                key=content["key"],
                score=Score.from_json(json.dumps(content["score"])),
                isolation=content["isolation"],
                parents=content["parents"],
                measured=Measured(**body["measured"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ScoreFormatError(f"This is no record: {error!r}") from error


@final
class Records:
    """The folder of records; several processes and machines may share it."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().absolute()

    def __repr__(self) -> str:
        return f"Records({str(self.folder)!r})"

    def add(self, record: Record) -> Path:
        """Write `record`, whole or not at all; one that says the same is kept as it is.

        Raises:
            StorageFull, StoreError
        """
        folder = self.folder / folder_of(record.cell.model)
        path = folder / f"{record.digest}.json"
        with explained(f"The record of {record.cell.model} cannot be written", self.folder):
            if _is_sound(path):
                return path
            folder.mkdir(parents=True, exist_ok=True)
            if record.measured.sequence == 0:
                number = self._next(folder)
                record = replace(record, measured=replace(record.measured, sequence=number))
            with replacing(path) as file:
                write_all(file.descriptor, record.to_json().encode("utf-8"))
                sync([file.path])
            sync([folder])
        return path

    def paths(self) -> Iterator[Path]:
        """Files of all records, in order of folder and name."""
        for folder in _sorted(self.folder):
            if folder.is_dir():
                yield from (p for p in _sorted(folder) if is_record(p))

    def read(self, path: Path) -> Record:
        """The record in a file.

        Raises:
            ScoreFormatError: if it is damaged, changed, or under another's name.
            StoreError: if it cannot be read.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"The record {path} cannot be read: {error.strerror}.") from error
        try:
            record = Record.from_json(data)
        except ScoreFormatError as error:
            raise ScoreFormatError(f"{path}: {error}") from error
        if record.digest != path.stem:
            raise ScoreFormatError(f"{path}: it is the record {record.digest}, under another name.")
        if folder_of(record.cell.model) != path.parent.name:
            raise ScoreFormatError(
                f"{path}: it is of the model {record.cell.model}, in the folder of another."
            )
        return record

    def _next(self, folder: Path) -> int:
        return 1 + sum(1 for path in folder.iterdir() if is_record(path))


def default() -> Records:
    """The records in the home folder."""
    return Records(settings.home() / "records")


def is_record(path: Path) -> bool:
    """Whether a file has the name of a record."""
    return path.suffix == ".json" and _NAME.fullmatch(path.stem) is not None


def folder_of(model: str) -> str:
    """Name of the folder of a model: readable, and different for different names on any disk."""
    plain = _KEPT.sub("-", unicodedata.normalize("NFC", model))[:60].strip(".") or "model"
    if plain == model and plain == plain.lower():
        return plain
    return f"{plain.lower()}-{hashlib.sha256(model.encode()).hexdigest()[:8]}"


def _is_sound(path: Path) -> bool:
    with contextlib.suppress(OSError, ScoreFormatError):
        return Record.from_json(path.read_bytes()).digest == path.stem
    return False


def _canonical(content: Any) -> str:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True
    )


def _digest(content: Any) -> str:
    return hashlib.sha256(_canonical(content).encode("ascii")).hexdigest()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return content


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
