"""Where recordings are kept: a folder each under the home folder, with a manifest.

A file is copied, checked and put in its place whole or not at all; what was added is never
changed. Nothing here leaves the home folder: recordings are often of people.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, final

from corteval import settings
from corteval.cards import check_identifier
from corteval.errors import (
    ConfigurationError,
    CortevalError,
    DuplicateIdentifier,
    OptionError,
    UnknownIdentifier,
    WrongContent,
)
from corteval_recorded.options import Options
from corteval_recorded.replay import RecordedSubject, replay
from corteval_recorded.tables import Records, read

SCHEMA = "corteval.recorded/1"

#: The recording that comes with the package; nobody else may have its name.
EXAMPLE = "example"

_MANIFEST = "manifest.json"
_MOST_NAMES = 100


@final
@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is known of a recording.

    Args:
        name: of the member of the family.
        file: name of the copy.
        sha256, size: of its bytes.
        kind, format: see `corteval_recorded.tables`.
        rows, stimuli: numbers of trials in the file, and of stimuli with an answer.
        silent: number of stimuli to which no response was given.
        subjects, choices, targets: names, of a great many the first hundred.
        options: fields of `Options`.
        licence, source: as the user gave them.
        original: name of the file that was added.
        added: ISO 8601, UTC.
    """

    name: str
    file: str
    sha256: str
    size: int
    kind: str
    format: str
    rows: int
    stimuli: int
    silent: int = 0
    subjects: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    source: str = ""
    original: str = ""
    added: str = ""


def folder() -> Path:
    """Folder of all recordings; it need not exist yet."""
    return settings.home() / "recorded"


def add(
    path: Path,
    name: str,
    options: Options,
    *,
    licence: str = "",
    source: str = "",
    overwrite: bool = False,
) -> Manifest:
    """Check a file and keep a copy of it as ``recorded/<name>``.

    Raises:
        AssemblyError, OptionError: the file cannot be replayed as the options say.
        DuplicateIdentifier: the name is taken, and `overwrite` is false.
    """
    check_identifier(name)
    taken = _taken(name)
    if taken is not None and (taken == EXAMPLE or not overwrite):
        remedy = "" if taken == EXAMPLE else f", or remove it: corteval recorded rm {taken}"
        raise DuplicateIdentifier(
            f"There is a recording {taken!r} already; choose another name{remedy}."
        )
    with _unfinished(name) as place:
        copy = place / f"records{path.suffix.lower()}"
        _copy(path, copy)
        # what is kept is checked, not what lay there a moment before
        records = read_named(copy, path.name)
        made = replay(records, options, f"recorded/{name}")
        manifest = _described(made, records, copy, path, name, options, licence, source)
        text = json.dumps({"schema": SCHEMA, **asdict(manifest)}, indent=2, ensure_ascii=False)
        (place / _MANIFEST).write_text(text, encoding="utf-8")
        _sync(place / _MANIFEST)
        _publish(place, name, instead_of=taken)
    return manifest


def read_named(path: Path, original: str) -> Records:
    """Records of `path`, with errors that name the user's own file."""
    try:
        return read(path)
    except CortevalError as error:
        raise type(error)(str(error).replace(path.name, original, 1)) from error


def names() -> list[str]:
    """Names of all recordings in the home folder."""
    try:
        found = [p.name for p in folder().iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError:
        return []
    return sorted(found, key=str.casefold)


def manifest(name: str) -> Manifest:
    """What is known of a recording.

    Raises:
        UnknownIdentifier: there is none of this name.
        WrongContent: its manifest is damaged.
    """
    place = _place(name)
    try:
        content = json.loads((place / _MANIFEST).read_text(encoding="utf-8"))
        schema = content.pop("schema")
        if schema != SCHEMA or set(content) != {f.name for f in fields(Manifest)}:
            raise ValueError(f"it is of schema {schema!r}, not {SCHEMA!r}")
        lists = {n: tuple(map(str, content[n])) for n in ("subjects", "choices", "targets")}
        found = Manifest(**{**content, **lists})
        if found.name != name or Path(found.file).name != found.file:
            raise ValueError(f"it names {found.name!r} and {found.file!r}")
        return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise WrongContent(
            f"The manifest of the recording {name} cannot be used ({error}). Remove it by "
            f"`corteval recorded rm {name}` and add the file anew."
        ) from error


def load(name: str, *, match: str | None = None) -> RecordedSubject:
    """The subject of a recording, if its file is still the one that was added.

    Args:
        name: of the recording.
        match: rule to match by, instead of the one it was added with.

    Raises:
        UnknownIdentifier: there is none of this name.
        WrongContent: the file changed.
    """
    known, identifier = manifest(name), f"recorded/{name}"
    path = _place(name) / known.file
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WrongContent(f"The file of {identifier} cannot be read: {error}.") from error
    if digest != known.sha256:
        raise WrongContent(
            f"{path} changed since it was added: its SHA-256 is {digest}, not {known.sha256}. Add "
            f"the file anew: corteval recorded add FILE --id {name} --replace."
        )
    notes = (f"recording {known.original} (SHA-256 {digest[:12]}...)",)
    options = Options.from_json(known.options)
    options = options if match is None else replace(options, match=match)
    return replay(read(path), options, identifier, notes)


def remove(name: str) -> None:
    """Delete a recording.

    Raises:
        UnknownIdentifier: there is none of this name.
    """
    if name == EXAMPLE:
        raise OptionError(f"{EXAMPLE} is part of the package; it cannot be removed.")
    place = _place(name)
    aside = place.with_name(f".{name}.{uuid.uuid4().hex[:8]}.removed")
    try:
        place.rename(aside)  # gone at once, however long deleting takes
    except OSError as error:
        raise ConfigurationError(
            f"{place} cannot be removed: {error.strerror or error}. Check its permissions."
        ) from error
    for left in folder().glob(f".{name}.*"):  # by processes that were killed, too
        shutil.rmtree(left, ignore_errors=True)


def files_of(name: str) -> list[Path]:
    """The folder of a recording, whose bytes its answers follow from.

    Raises:
        UnknownIdentifier: there is none of this name.
    """
    return [] if name == EXAMPLE else [_place(name)]


def _place(name: str) -> Path:
    check_identifier(name)
    place = folder() / name
    if name not in names():
        close = get_close_matches(name, [*names(), EXAMPLE], n=3, cutoff=0.5)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise UnknownIdentifier(
            f"There is no recording {name!r} in {folder()}.{hint} `corteval recorded ls` shows "
            f"all; `corteval recorded add FILE --id {name}` adds one."
        )
    return place


def _taken(name: str) -> str | None:
    """The recording that has this name already; case alone tells no two apart."""
    key = name.casefold()
    return next((n for n in (EXAMPLE, *names()) if n.casefold() == key), None)


def _described(
    made: RecordedSubject,
    records: Records,
    copy: Path,
    original: Path,
    name: str,
    options: Options,
    licence: str,
    source: str,
) -> Manifest:
    with copy.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    choices: list[str] = sorted(set((made.choices or {}).values()) - {made.options.no_response})
    if made.probabilities is not None:
        choices = [str(choice) for choice in made.probabilities["choice"].values]
    answered = next(a for a in (made.choices, made.probabilities, made.responses) if a is not None)
    table, assembly = records.table, records.assembly
    rows = len(table) if table is not None else 0 if assembly is None else len(assembly)
    subjects = [] if table is None else sorted(set(table["subject"]) - {""})
    return Manifest(
        name=name,
        file=copy.name,
        sha256=digest,
        size=copy.stat().st_size,
        kind=records.kind,
        format=records.format,
        rows=rows,
        stimuli=len(answered),
        silent=[*(made.choices or {}).values()].count(made.options.no_response or ""),
        subjects=tuple(subjects[:_MOST_NAMES]),
        choices=tuple(choices[:_MOST_NAMES]),
        targets=made.options.targets,
        options=options.to_json(),
        licence=licence,
        source=source,
        original=original.name,
        added=datetime.now(UTC).isoformat(timespec="seconds"),
    )


@contextlib.contextmanager
def _unfinished(name: str) -> Iterator[Path]:
    """A new folder beside the recordings, gone afterwards unless it was moved."""
    place = folder() / f".{name}.{uuid.uuid4().hex[:8]}.unfinished"
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        place.mkdir(mode=0o700)
        yield place
    except OSError as error:
        raise ConfigurationError(
            f"{folder()} cannot be written: {error.strerror or error}. Set CORTEVAL_HOME to "
            "another folder."
        ) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _copy(path: Path, copy: Path) -> None:
    try:
        with path.open("rb") as source, copy.open("xb") as target:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise OptionError(f"{path} cannot be copied: {error.strerror or error}.") from error


def _publish(place: Path, name: str, *, instead_of: str | None) -> None:
    """Rename an unfinished folder, and put back what it replaces if that fails."""
    aside = place.with_name(f"{place.name}.removed")
    if instead_of is not None:
        (folder() / instead_of).rename(aside)
    try:
        place.rename(folder() / name)
    except OSError as error:
        if instead_of is not None:
            aside.rename(folder() / instead_of)
        raise DuplicateIdentifier(
            f"A recording {name!r} was added by another process meanwhile; choose another name."
        ) from error
    shutil.rmtree(aside, ignore_errors=True)
    _sync(folder())


def _sync(path: Path) -> None:
    """Make what was written outlast a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
