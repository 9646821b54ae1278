"""A description of a folder nobody has described: what can be told from its files, and what not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from corteval.cards import Modality, check_identifier
from corteval.errors import CortevalError, DatasetError, OptionError
from corteval.local.description import Description, Responses, closest
from corteval.local.formats import tables
from corteval.local.formats.arrays import read_npy, read_npz
from corteval.local.formats.axes import orders_that_fit
from corteval.local.formats.behaviour_tables import BEHAVIOUR, behaviour_of
from corteval.local.formats.long_tables import VALUES
from corteval.local.formats.matlab import read_mat
from corteval.local.loading import ARRAYS, FORMATS, NETCDF
from corteval.local.problems import Findings

_VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".gif")
_OWN = {field.name for field in fields(Description)} - {"folder", "id", "responses"}
_OF_RESPONSES = {field.name for field in fields(Responses)}


def guess(
    folder: Path, identifier: str, given: Mapping[str, Any]
) -> tuple[Description, tuple[str, ...]]:
    """See `corteval.local.description.guessed`."""
    known = {key: value for key, value in given.items() if value is not None}
    odd = [key for key in known if key not in _OWN | _OF_RESPONSES]
    if odd:
        there = sorted(_OWN | _OF_RESPONSES)
        raise OptionError(
            f"{odd[0]} is nothing a description has{closest(odd[0], there)}; it has "
            f"{', '.join(there)}."
        )
    check_identifier(identifier)
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder. Name the folder in which the data lie.")
    questions: list[str] = []
    called = known.get("columns", {})
    columns = _tables(folder, called)
    own = {key: value for key, value in known.items() if key in _OWN}
    own.setdefault("stimuli", _stimulus_table(folder, columns, known, questions))
    own.setdefault("modality", _modality(folder, own["stimuli"], called, questions))
    of = {key: value for key, value in known.items() if key in _OF_RESPONSES}
    of.setdefault("file", _response_file(folder, own["stimuli"], columns, of, questions))
    _guess_tables(columns, own["stimuli"], of)
    behaviour = _guess_meaning(columns.get(of["file"], []), of)
    _guess_axes(folder, own["stimuli"], of, questions)
    if own["modality"] == "image" and "visual_degrees" not in own:
        questions.append("How many degrees of visual angle do images extend? visual_degrees")
    if not behaviour and not of.get("target"):
        questions.append('What was recorded, e.g. "V4" or "language_system"? responses.target')
    stimulus_columns = columns.get(own["stimuli"], [])
    if "group_by" not in own:
        if "group" in stimulus_columns:
            own["group_by"] = "group"
        elif "context_id" in stimulus_columns:
            questions.append(
                "Shall texts of one context stay together in splits? group_by = context_id"
            )
    return Description(folder=folder, id=identifier, responses=Responses(**of), **own), tuple(
        questions
    )


def _tables(folder: Path, called: Mapping[str, str]) -> dict[str, list[str]]:
    """Columns, by their standard names, of each table that lies in the folder itself."""
    standard = {theirs: name for name, theirs in called.items()}
    return {
        path.name: [standard.get(column, column) for column in tables.columns_of(path)]
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in tables.SUFFIXES
        and path.is_file()
        and not path.name.startswith(".")
    }


def _stimulus_table(
    folder: Path,
    columns: Mapping[str, list[str]],
    known: Mapping[str, Any],
    questions: list[str],
) -> str:
    if "stimuli" in known:
        return str(known["stimuli"])
    named = [name for name in columns if Path(name).stem.lower() in ("stimuli", "stimulus_set")]
    fitting = [name for name, there in columns.items() if "path" in there or "text" in there]
    with_ids = [name for name in fitting if "stimulus_id" in columns[name]]
    with_value = [name for name in fitting if known.get("value") in columns[name]]
    found = named or with_ids or with_value or fitting
    if not found:
        listed = ", ".join(columns) or "no tables"
        raise DatasetError(
            f"{folder} has no table of stimuli; it has {listed}. Write stimuli.csv with columns "
            "stimulus_id and path (of an image, relative to the folder) or text."
        )
    if len(found) > 1:
        questions.append(f"Which table has the stimuli: {', '.join(found)}? stimuli")
    return found[0]


def _modality(folder: Path, name: str, called: Mapping[str, str], questions: list[str]) -> Modality:
    standard = {theirs: name for name, theirs in called.items()}
    there = [standard.get(column, column) for column in tables.columns_of(folder / name)]
    if "path" in there:
        try:
            first = tables.read_table(folder, name, "the stimulus table", Findings())
            first = tables.renamed(first, called)
            endings = {Path(cell).suffix.lower() for cell in first.text("path")[:100]}
        except CortevalError:
            endings = set()
        return "video" if endings and endings <= set(_VIDEOS) else "image"
    if "text" in there:
        return "text"
    questions.append("Are stimuli images, texts or videos? modality")
    return "image"


def _response_file(
    folder: Path,
    stimuli: str,
    columns: Mapping[str, list[str]],
    of: Mapping[str, Any],
    questions: list[str],
) -> str:
    if "file" in of:
        return str(of["file"])
    files = sorted(p.name for p in folder.iterdir() if p.is_file() and p.name[0] != ".")
    arrays = [name for name in files if Path(name).suffix.lower() in (*ARRAYS, *NETCDF, ".nwb")]
    long = [
        name
        for name, there in columns.items()
        if name != stimuli
        and "stimulus_id" in there
        and (behaviour_of(there) or "neuroid_id" in there or set(there) & set(VALUES))
    ]
    found = [n for n in (*arrays, *long) if Path(n).stem.lower() in ("responses", "assembly")]
    found = found or [*arrays, *long]
    own = columns.get(stimuli, [])
    if not found and (of.get("value") in own or behaviour_of(own) or set(own) & set(VALUES)):
        return stimuli  # one table has both
    if not found:
        raise DatasetError(
            f"{folder} has no file of responses. Formats are {', '.join(FORMATS)}; a table needs "
            f"columns stimulus_id, neuroid_id and value, or stimulus_id and one of "
            f"{', '.join(BEHAVIOUR)}."
        )
    if len(found) > 1:
        questions.append(f"Which file has the responses: {', '.join(found)}? responses.file")
    return found[0]


def _guess_tables(columns: Mapping[str, list[str]], stimuli: str, of: dict[str, Any]) -> None:
    others = {n: there for n, there in columns.items() if n not in (stimuli, of["file"])}
    if "neuroids" not in of:
        found = [n for n, there in others.items() if "neuroid_id" in there]
        if len(found) == 1 and "stimulus_id" not in others[found[0]]:
            of["neuroids"] = found[0]
    is_array = Path(of["file"]).suffix.lower() in ARRAYS
    if "presentations" not in of and is_array:
        found = [
            n
            for n, there in others.items()
            if Path(n).stem.lower() == "presentations" and "stimulus_id" in there
        ]
        if found:
            of["presentations"] = found[0]


def _guess_meaning(there: list[str], of: dict[str, Any]) -> bool:
    """Column and task of a table; whether it is of behaviour."""
    if of.get("task"):
        return True
    column = of.get("value") or behaviour_of(there)
    if column is not None and column in BEHAVIOUR and not of.get("target"):
        of.setdefault("value", column)
        of["task"] = BEHAVIOUR[column]
        return True
    return False


def _guess_axes(folder: Path, stimuli: str, of: dict[str, Any], questions: list[str]) -> None:
    path = folder / of["file"]
    if "dims" in of or path.suffix.lower() not in ARRAYS:
        return
    shape = _shape(path, of.get("variable"))
    sizes = {
        "presentation": _rows(folder, of.get("presentations") or stimuli),
        "neuroid": _rows(folder, of["neuroids"]) if of.get("neuroids") else None,
        "time_bin": len(of.get("time_bin_ms", ())) or None,
        "repetition": None,
    }
    fitting = orders_that_fit(shape, sizes) if shape else []
    if len(fitting) == 1:
        of["dims"] = fitting[0]
        return
    ways = "; ".join(", ".join(order) for order in fitting[:6])
    size = " x ".join(map(str, shape)) if shape else "unknown"
    questions.append(
        f"What are the axes of {of['file']} (its shape is {size})? dims"
        + (f", one of: {ways}" if fitting else "")
    )


def _rows(folder: Path, name: str) -> int | None:
    try:
        return len(tables.read_table(folder, name, "a table", Findings()))
    except CortevalError:
        return None  # told when the folder is examined


def _shape(path: Path, variable: str | None) -> tuple[int, ...]:
    """Shape of an array; () if it cannot be told."""
    try:
        match path.suffix.lower():
            case ".npy":
                return read_npy(path, path.name).values.shape
            case ".npz":
                return read_npz(path, path.name, variable).values.shape
            case _:
                return read_mat(path, path.name, variable).values.shape
    except (CortevalError, OSError):
        return ()  # told when the folder is examined
