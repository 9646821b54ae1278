"""The stimuli of a lab's folder: a table, and files beside it or in a zip."""

from __future__ import annotations

import hashlib
import os
import shutil
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
import pandas as pd

from corteval import settings
from corteval.errors import CortevalError
from corteval.fetch import ArchiveLimits, unpack
from corteval.local.description import Description, closest, outside, within
from corteval.local.formats import columns as cells
from corteval.local.formats import tables
from corteval.local.formats.behaviour_tables import BEHAVIOUR
from corteval.local.formats.long_tables import VALUES
from corteval.local.problems import Findings
from corteval.stimuli import StimulusSet, read_image

_ANOTHER = "If another table has the stimuli: --stimuli FILE (stimuli in dataset.toml)."
#: Images are compressed already, so a zip of them that grows much is not what it says.
LIMITS = ArchiveLimits(max_ratio=200.0)


@final
@dataclass(frozen=True, kw_only=True)
class FoundStimuli:
    """Stimuli, the table they were read from, and the zip that holds them, if one does."""

    stimuli: StimulusSet
    table: tables.Table
    archive: str | None = None


def read_stimuli(description: Description, findings: Findings) -> FoundStimuli | None:
    """Stimuli of a folder; None, and errors, if there is none that could be read.

    Args:
        description: of the folder.
        findings: told of every row that is wrong.
    """
    found = None
    with findings.collecting():
        found = _read(description, findings)
    return found


def _read(description: Description, findings: Findings) -> FoundStimuli:
    table = tables.read_table(
        description.folder, description.stimuli, "the stimulus table", findings
    )
    table = tables.numbered(tables.renamed(table, description.columns), findings)
    table = _told_by_part(description, table)
    table.column("stimulus_id")
    stimulus_ids = cells.ids(table, "stimulus_id", findings)
    columns: dict[str, object] = {}
    archive = None
    if description.modality == "text":
        columns["text"] = _texts(table, findings)
    else:
        table.column("path", f"Name the file of each stimulus, relative to the folder. {_ANOTHER}")
        columns["path"], archive = _paths(description, table, findings)
    if "context_id" in table.frame.columns:
        columns["context_id"] = table.text("context_id")
    if "position" in table.frame.columns:
        columns["position"] = _positions(table, findings)
    told = ("stimulus_id", "path", "text", "context_id", "position", *_responses_in(description))
    for column in table.frame.columns:
        if column not in told:
            columns[column] = cells.typed(table, column)
    _check_groups(description, table, findings)
    index = pd.Index(cells.told_apart(stimulus_ids, table), name="stimulus_id", dtype=object)
    frame = pd.DataFrame(columns, index=index)
    stimuli = StimulusSet(
        identifier=description.id,
        modality=description.modality,
        table=frame,
        visual_degrees=description.visual_degrees,
    )
    return FoundStimuli(stimuli=stimuli, table=table, archive=archive)


def _responses_in(description: Description) -> tuple[str, ...]:
    """Columns of the table of stimuli that are responses, which no stimulus may carry."""
    responses = description.responses
    if responses.file != description.stimuli:
        return ()
    if responses.value is None:
        return (*VALUES, *BEHAVIOUR)
    standard = {theirs: name for name, theirs in description.columns.items()}
    return (responses.value, standard.get(responses.value, responses.value))


def check_images(found: FoundStimuli, findings: Findings) -> None:
    """Decode every image; those that cannot be are errors, alike ones warnings."""
    from concurrent.futures import ThreadPoolExecutor

    row = {name: n for n, name in enumerate(found.stimuli.stimulus_ids)}
    paths = {str(name): str(path) for name, path in found.stimuli.table["path"].items()}
    present = [name for name, path in paths.items() if path]

    def fault(name: str) -> str:
        try:
            read_image(Path(paths[name]), name)
        except CortevalError as error:
            return str(error).partition(": ")[2] or str(error)
        return ""

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        faults = list(pool.map(fault, present))
    places = [
        (found.table.where(row[name], "path"), _shortened(fault, Path(paths[name])))
        for name, fault in zip(present, faults, strict=True)
        if fault
    ]
    findings.each(
        "error", places, "Export the image again.", rest="more images that cannot be decoded"
    )


def _shortened(fault: str, path: Path) -> str:
    name = repr(path.name)
    return fault.replace(repr(str(path)), name).replace(str(path), name).rstrip(".") + "."


def _texts(table: tables.Table, findings: Findings) -> np.ndarray:
    table.column("text", f"Give each stimulus its text. {_ANOTHER}")
    texts = table.text("text")
    empty = [row for row, text in enumerate(texts) if not text.strip()]
    findings.each(
        "error",
        [(table.where(row, "text"), "The text is empty.") for row in empty],
        "Write the text, or delete the row (and its responses).",
        rest="more empty texts",
    )
    damaged = [row for row, text in enumerate(texts) if "\ufffd" in text]
    findings.each(
        "warning",
        [
            (table.where(row, "text"), f"{texts[row][:60]!r} has a lost character.")
            for row in damaged
        ],
        "It was saved in another encoding at some time; restore it.",
        rest="more texts with lost characters",
    )
    return texts


def _positions(table: tables.Table, findings: Findings) -> np.ndarray:
    positions = cells.numbers(table, "position", findings)
    if "context_id" not in table.frame.columns:
        findings.warning(
            "Texts have a position, but no context_id says which of them are read together: each "
            "is read alone.",
            f"{table.name}, row 1",
            "Add a column context_id, or drop position.",
        )
        return positions
    context = table.text("context_id")
    places = pd.DataFrame({"context": context, "position": positions})
    twice = np.flatnonzero((places.duplicated() & places["position"].notna()).to_numpy())
    findings.each(
        "error",
        [
            (
                table.where(int(row), "position"),
                f"Context {context[row]!r} has position {positions[row]:g} already.",
            )
            for row in twice
        ],
        "Number the texts of a context in reading order.",
        rest="more repeated positions",
    )
    lacking = np.flatnonzero(np.isnan(positions))
    if len(lacking) and not any(", column position" in p.where for p in findings.errors):
        findings.each(
            "error",
            [(table.where(int(row), "position"), "The position is empty.") for row in lacking],
            "Number the texts of a context in reading order.",
            rest="more empty positions",
        )
    return positions


def _told_by_part(description: Description, table: tables.Table) -> tables.Table:
    """`table`, with contexts of different parts told apart whatever their names.

    Raises:
        DatasetError: if there is no such column.
    """
    if description.parts is None:
        return table
    part = table.text(table.column(description.parts, "Add it, or correct parts."))
    if "context_id" not in table.frame.columns:
        return table
    names = [f"{p}.{c}" for p, c in zip(part, table.text("context_id"), strict=True)]
    return replace(table, frame=table.frame.assign(context_id=names))


def _check_groups(description: Description, table: tables.Table, findings: Findings) -> None:
    column = description.group_by
    if column is None:
        return
    columns = list(table.frame.columns)
    if column not in columns:
        findings.error(
            f"There is no column {column!r} to group by{closest(column, columns)}.",
            f"{table.name}, row 1",
            f"Add it, or correct group_by; there are {', '.join(columns)}.",
        )
        return
    cells = table.text(column)
    empty = [row for row, cell in enumerate(cells) if not cell.strip()]
    findings.each(
        "error",
        [(table.where(row, column), "The stimulus belongs to no group.") for row in empty],
        "Name its group.",
        rest="more stimuli without a group",
    )
    count = len(set(cells))
    if count < 2:
        findings.error(
            f"All stimuli are in one group, {cells[0]!r}.",
            f"{table.name}, column {column}",
            "A split needs two groups at least; group by another column, or by none.",
        )
    elif count < 10:
        findings.warning(
            f"{count} groups; splits that keep groups together will differ little.",
            f"{table.name}, column {column}",
        )


# Files.


def _paths(
    description: Description, table: tables.Table, findings: Findings
) -> tuple[list[str], str | None]:
    """Absolute path of each stimulus, "" where there is none; and the zip they lie in."""
    written = table.text("path")
    folder = description.folder
    archive = _archive_of(folder, written)
    if archive is not None:
        folder = _unpacked(description.folder, archive)
        written = np.array([_inside(name, archive) for name in written], object)
    listing = _Listing(folder)
    paths, places, doubtful = [], [], []
    for row, name in enumerate(written):
        path, problem = listing.find(name)
        paths.append(path)
        if problem:
            places.append((table.where(row, "path"), problem))
        elif "\\" in name:
            doubtful.append((table.where(row, "path"), f"{name!r} has backslashes."))
    findings.each(
        "error",
        places,
        f"Files of stimuli lie below {description.folder.name}/ and are named relative to it.",
        rest="more files that cannot be used",
    )
    findings.each(
        "warning",
        doubtful[:1],
        f"{len(doubtful)} paths have, and are read as if they were slashes; write slashes.",
    )
    _tell_shared(paths, table, findings)
    return paths, archive


def _tell_shared(paths: Sequence[str], table: tables.Table, findings: Findings) -> None:
    first: dict[str, int] = {}
    places = []
    for row, path in enumerate(paths):
        if path and first.setdefault(path, row) != row:
            what = f"The file is that of row {table.lines[first[path]]} too."
            places.append((table.where(row, "path"), what))
    findings.each("warning", places, "Two ids for one stimulus?", rest="more shared files")


@final
class _Listing:
    """What lies in a folder, each of its folders read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder.resolve()
        self._entries: dict[str, dict[str, os.DirEntry[str]] | None] = {}

    def find(self, name: str) -> tuple[str, str]:
        """Path of a file, and what is wrong with it; one of them is ""."""
        if not name.strip():
            return "", "The path is empty."
        problem = outside(name)
        if problem:
            return "", f"{name!r} {problem}"
        entry = self._entry(name) or self._entry(name.replace("\\", "/"))
        if entry is None:
            return "", f"{name!r} does not exist{self._near(name)}."
        path = Path(entry.path)
        if entry.is_symlink() and not path.resolve().is_relative_to(self.root):
            return "", f"{name!r} is a link that leaves the folder."
        if not entry.is_file():
            return "", f"{name!r} is no file."
        if entry.stat().st_size == 0:
            return "", f"{name!r} has 0 bytes."
        return str(path), ""

    def _entry(self, name: str) -> os.DirEntry[str] | None:
        parent, _, base = name.rpartition("/")
        entries = self._folder(parent)
        if entries is None:
            return None
        return entries.get(base) or entries.get(unicodedata.normalize("NFC", base))

    def _folder(self, parent: str) -> dict[str, os.DirEntry[str]] | None:
        """Entries by name, and by composed name: some systems store letters decomposed."""
        if parent not in self._entries:
            path = self.folder / parent
            try:
                inside = path.resolve().is_relative_to(self.root)
                found = list(os.scandir(path)) if inside else None
            except OSError:
                found = None
            if found is None:
                self._entries[parent] = None
            else:
                entries = {unicodedata.normalize("NFC", entry.name): entry for entry in found}
                self._entries[parent] = entries | {entry.name: entry for entry in found}
        return self._entries[parent]

    def _near(self, name: str) -> str:
        parent, _, base = name.replace("\\", "/").rpartition("/")
        entries = self._folder(parent)
        if entries is None and (self.folder / parent).is_dir():
            return f": the folder {parent!r} is a link that leaves the data set"
        if entries is None:
            return f": there is no folder {parent!r}"
        alike = [n for n in entries if n.casefold() == base.casefold()]
        alike = alike or [n for n in entries if Path(n).stem == Path(base).stem]
        return f"; there is {alike[0]!r}" if alike else ""


def _archive_of(folder: Path, written: np.ndarray) -> str | None:
    """The zip that paths name as if it were a folder, or the only one if none of them exists."""
    head = str(written[0]).replace("\\", "/").partition("/")[0] if len(written) else ""
    if head.lower().endswith(".zip") and (folder / head).is_file():
        return head
    zips = sorted(path.name for path in folder.glob("*.zip"))
    if len(zips) == 1 and not any(name and _exists(folder, name) for name in written[:100]):
        return zips[0]
    return None


def _exists(folder: Path, name: str) -> bool:
    return not outside(name) and (folder / name.replace("\\", "/")).exists()


def _inside(name: str, archive: str) -> str:
    plain = name.replace("\\", "/")
    return plain.removeprefix(f"{archive}/") if plain.startswith(f"{archive}/") else name


def _unpacked(folder: Path, archive: str) -> Path:
    """Folder with the contents of a zip, kept by its digest."""
    path = within(folder, archive, "the zip of stimuli")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = settings.home() / "local" / digest[:2] / digest
    if target.exists() and not _is_whole(path, target):
        shutil.rmtree(target)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unpack(path, target, LIMITS)
    return target


def _is_whole(path: Path, folder: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return all(
                (folder / info.filename).stat().st_size == info.file_size
                for info in archive.infolist()
                if not info.is_dir()
            )
    except (OSError, ValueError, zipfile.BadZipFile):
        return False
