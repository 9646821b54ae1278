"""Records of scores: immutable JSON files, named by the digest of what they say.

``<home>/records/<model>/<sha256>.json`` holds

    {"content": {...}, "digests": {...}, "measured": {...}, "sha256": "..."}

``content`` is the score with everything that determines it and came of it, and its SHA-256 is the
name of the file; so a cell computed twice with the same result is one record. ``measured`` is what
differs from run to run: host, time, seconds, memory. ``digests`` has the first digits of the
SHA-256 of every field, to name one that was changed. ``sha256`` is of all. A record is never
changed; a newer one of the same cell stands beside it, and which is current is a rule (the last
that was made), never the higher score.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from corteval import __version__, settings
from corteval.errors import CortevalError, ScoreFormatError, StoreError
from corteval.notebook import Rows, Tabular
from corteval.run.cells import Cell
from corteval.score import Score
from corteval.store.disk import explained, replacing, sweep, sync, write_all

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "corteval.cell/1"

log = logging.getLogger(__name__)

_NAME = re.compile(r"[0-9a-f]{64}")
_SEQUENCE = re.compile(rb'"sequence":(\d{1,15})[,}]')
#: Bytes at the end of a record that hold what was measured.
_END = 4096
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
        retries: attempts that failed before this one, such as those of a process that was killed:
            readers of what is drawn anew in each attempt should know that one was chosen.
        sequence: number of the record among those of its model, by which history is ordered; clocks
            may jump.
        run: identity of the run.
    """

    host: str = ""
    started: str = ""
    seconds: float | None = None
    peak_bytes: int | None = None
    retries: int = 0
    sequence: int = 0
    run: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Record(Tabular):
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

    words: ClassVar[Mapping[str, str]] = {
        "value": "no score", "low": "no interval", "high": "no interval", "raw": "no raw score",
        "ceiling": "no ceiling", "normalization": "not normalised", "started": "no date",
    }  # fmt: skip

    def row(self) -> dict[str, Any]:
        """Its score, where and when it was made, and its name."""
        measured = self.measured
        return {
            **self.score.row(),
            "model": self.cell.model,
            "benchmark": self.cell.benchmark,
            "seed": self.cell.seed,
            "isolation": self.isolation,
            "host": measured.host,
            "started": measured.started,
            "seconds": measured.seconds,
            "peak_bytes": measured.peak_bytes,
            "run": measured.run,
            "record": self.digest,
        }

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
        body["digests"] = _digests(body)
        return _canonical({**body, "sha256": _digest(body)}) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Record:
        """Inverse of `to_json`; checks every digest.

        Raises:
            ScoreFormatError: if it is no record, or was changed.
        """
        return _named(text)[0]


@final
class Records:
    """The folder of records; several processes and machines may share it."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder).expanduser().absolute()
        self._sequences: dict[Path, tuple[frozenset[str], int]] = {}

    def __repr__(self) -> str:
        return f"Records({str(self.folder)!r})"

    def all(self) -> Rows[Record]:
        """Every record, in order of folder and name; damaged ones are left out with a warning."""
        found = Rows[Record]()
        for path in self.paths():
            try:
                found.append(self.read(path))
            except CortevalError as error:
                log.warning("A record is left out: %s", error)
        return found

    def to_frame(self) -> pd.DataFrame:
        """One row a record."""
        return self.all().to_frame()

    def _repr_html_(self) -> str:
        return self.all()._repr_html_()

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
            record, name = _named(data)
        except ScoreFormatError as error:
            raise ScoreFormatError(f"{path}: {error}") from error
        if name != path.stem:
            raise ScoreFormatError(f"{path}: it is the record {name}, under another name.")
        if folder_of(record.cell.model) != path.parent.name:
            raise ScoreFormatError(
                f"{path}: it is of the model {record.cell.model}, in the folder of another."
            )
        for field_name in ("model", "benchmark"):
            cell, score = getattr(record.cell, field_name), getattr(record.score, field_name)
            if score not in ("", cell):
                raise ScoreFormatError(
                    f"{path}: content.score.{field_name} is {score}, content.cell.{field_name} is "
                    f"{cell}: the score is that of another cell."
                )
        return record

    def _next(self, folder: Path) -> int:
        """One more than the highest there is: counting would repeat numbers of what was removed."""
        seen, highest = self._sequences.get(folder, (frozenset(), 0))
        names = frozenset(path.name for path in folder.iterdir() if is_record(path))
        highest = max([highest, *(_sequence(folder / name) for name in names - seen)])
        self._sequences[folder] = (names, highest)
        return highest + 1

    def sweep(self) -> None:
        """Remove what processes that were killed left half-written, a day later."""
        for folder in _sorted(self.folder):
            if folder.is_dir():
                sweep(folder)


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


def _named(text: str | bytes) -> tuple[Record, str]:
    """A record, and its name by what the file says, which may be less than this release writes."""
    try:
        body = _checked(json.loads(text, object_pairs_hook=_once))
        content = body["content"]
        known = {part.name for part in fields(Measured)}
        record = Record(
            cell=Cell(**content["cell"]),
            key=content["key"],
            score=Score.from_json(json.dumps(content["score"])),
            isolation=content["isolation"],
            parents=content["parents"],
            measured=Measured(**{n: v for n, v in body["measured"].items() if n in known}),
        )
        return record, _digest(content)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ScoreFormatError(f"This is no record: {error!r}") from error


def _checked(parsed: Any) -> dict[str, Any]:
    """A record as it was parsed, without its digest, if that is what it should be."""
    schema = parsed["content"]["schema"]
    if schema != SCHEMA:
        raise ScoreFormatError(
            f"content.schema is {str(schema)[:60]!r}. Corteval {__version__} reads {SCHEMA!r}; a "
            "later one has written it, which also reads it (pip install --upgrade corteval)."
        )
    body: dict[str, Any] = {name: part for name, part in parsed.items() if name != "sha256"}
    if _digest(body) == parsed["sha256"]:
        return body
    written, found = body.get("digests"), _digests(body)
    changed: list[str] = []
    if isinstance(written, dict):
        names = sorted(written.keys() | found.keys())
        changed = [name for name in names if written.get(name) != found.get(name)]
    what = f" What differs from what was written: {', '.join(changed[:5])}." if changed else ""
    raise ScoreFormatError(f"Its digest is not that of what it says: it was changed.{what}")


def _digests(body: Mapping[str, Any]) -> dict[str, str]:
    """First digits of the SHA-256 of every field by name, to tell which of them was changed."""
    content = body["content"]
    score = content.get("score", {})
    found = {f"content.{name}": value for name, value in content.items() if name != "score"}
    found |= {f"content.score.{name}": value for name, value in score.items()}
    found |= {f"measured.{name}": value for name, value in body["measured"].items()}
    return {name: _digest(value)[:8] for name, value in found.items()}


def _sequence(path: Path) -> int:
    """Number of a record, read from the end of its file."""
    with contextlib.suppress(OSError):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _END))
            numbers = _SEQUENCE.findall(file.read())
        if numbers:
            return int(numbers[-1])
    return 0


def _is_sound(path: Path) -> bool:
    with contextlib.suppress(OSError, ScoreFormatError):
        return _named(path.read_bytes())[1] == path.stem
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
