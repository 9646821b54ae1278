"""What a lab's folder holds and what may be done with it: ``dataset.toml``, read and written."""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, final, get_args

from corteval.cards import Modality, check_identifier
from corteval.errors import DatasetError, InvalidIdentifier

if TYPE_CHECKING:
    from corteval.local.guessing import Question

Visibility = Literal["private", "public"]

#: Name of the file that describes a folder.
FILE = "dataset.toml"

#: Names an axis of an array may have.
DIMS = ("presentation", "neuroid", "time_bin", "repetition")

#: Kinds of behaviour.
TASKS = ("label", "reading_time")

#: Extents of images beyond this are no angles.
MAX_DEGREES = 360.0
#: A description is a page; anything much longer is not one.
_MAX_BYTES = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")


@final
@dataclass(frozen=True, kw_only=True)
class Responses:
    """Where responses lie and what their axes or columns mean.

    Args:
        file: name relative to the folder.
        dims: axes of an array in .npy, .npz or .mat, in order: "presentation", "neuroid",
            "time_bin", "repetition".
        neuroids: table with one row a neuroid.
        presentations: table, or variable of the .npz or .mat, with the stimulus_id of each row
            along "presentation"; None if rows are the stimuli in table order.
        variable: array in .npz, .mat or .nc, if there are several.
        value: column of a long table.
        target: what was recorded, e.g. "V4"; "" for behaviour.
        task: "label" (choices as words, or 1 and 0) or "reading_time"; "" for neural responses.
        time_bin_ms: start and end of each time bin after onset.
        unit: of the values, in words.
    """

    file: str
    dims: tuple[str, ...] = ()
    neuroids: str | None = None
    presentations: str | None = None
    variable: str | None = None
    value: str | None = None
    target: str = ""
    task: str = ""
    time_bin_ms: tuple[tuple[float, float], ...] = ()
    unit: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Description:
    """A folder as a data set.

    Args:
        folder: where the files lie.
        id: identifier of the data set.
        modality: ``"image"``, ``"text"`` or ``"video"``.
        stimuli: table with stimulus_id, path or text, and any further columns.
        responses: where they lie.
        visual_degrees: extent of the images; None if unknown.
        group_by: column of the stimulus table whose groups are never split.
        folds: how many there are; None is ten, of groups where there are some.
        parts: column of the stimulus table, such as the experiment, each of whose values has
            benchmarks of its own.
        nuisances: subjects beyond which the variance that a model explains is told; None leaves
            it to the modality.
        columns: standard name -> what the tables call it, e.g. {"text": "sentence"}.
        visibility: ``"private"``: values never enter what is shared.
        licence: SPDX identifier or words.
        citation: bibtex or words.
        species: of the subjects.
    """

    folder: Path
    id: str
    modality: Modality
    stimuli: str
    responses: Responses
    visual_degrees: float | None = None
    group_by: str | None = None
    folds: int | None = None
    parts: str | None = None
    nuisances: tuple[str, ...] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    visibility: Visibility = "private"
    licence: str = "unpublished"
    citation: str = ""
    species: str = ""


def within(folder: Path, name: str, what: str) -> Path:
    """Path of something that lies in `folder`.

    Args:
        folder: of the data set.
        name: relative to it; backslashes separate folders as slashes do.
        what: it is, for messages, e.g. ``"the stimulus table"``.

    Raises:
        DatasetError: if it does not exist, or lies outside: an absolute path, "..", or a link
            that leaves the folder.
    """
    problem = outside(name)
    if problem:
        raise DatasetError(
            f"{what} {name!r} {problem} Put it into {folder}, and name it from there."
        )
    path = folder / name
    if not path.exists() and "\\" in name:
        path = folder / name.replace("\\", "/")
    if not path.exists():
        raise DatasetError(f"{what} {name!r} does not exist in {folder}{_nearby(path)}.")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(
            f"{what} {name!r} is a link that leaves {folder} (to {path.resolve()}). Copy the file "
            "into the folder, so that the data set is whole wherever it goes."
        )
    return path


def outside(name: str) -> str:
    """Why `name` cannot be relative to a folder, as the end of a sentence; "" if it can."""
    if not name or "\0" in name:
        return "is no name of a file."
    plain = name.replace("\\", "/")
    if plain.startswith("/") or _DRIVE.match(plain):
        return "is an absolute path."
    if ".." in PurePosixPath(plain).parts:
        return "leaves the folder by '..'."
    return ""


def _nearby(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return f": there is no folder {path.parent.name!r}"
    same = [n for n in names if n.casefold() == path.name.casefold()]
    close = same or difflib.get_close_matches(path.name, names, n=3)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def guessed(folder: Path, *, id: str, **given: Any) -> tuple[Description, tuple[Question, ...]]:
    """A description made from what lies in `folder`, and what it leaves open.

    Columns that have a well-known name of their own are recognised, and put into `columns`.
    Where it cannot be told which file is meant, its name is "", and there is a question.

    Args:
        folder: of a lab.
        id: identifier the data set shall have.
        given: fields of `Description` and `Responses` that are known; None is not known.

    Raises:
        DatasetError: if there is no table of stimuli or no file of responses.
        OptionError: if a name in `given` is no field.
    """
    from corteval.local.guessing import guess  # it looks into files by all readers

    return guess(folder, id, given)


def read_description(folder: Path, *, file: Path | None = None) -> Description:
    """Description of `folder`, from its ``dataset.toml``, or from `file` if that lies elsewhere.

    Raises:
        DatasetError: lists everything that is wrong with it.
    """
    path = file or folder / FILE
    if not folder.is_dir():
        raise DatasetError(f"{folder} is not a folder. Name the folder in which {FILE} lies.")
    if not path.is_file():
        raise DatasetError(
            f"{folder} has no {FILE}. `corteval data register {folder} --id ID` writes one."
        )
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DatasetError(f"{path} has {path.stat().st_size} bytes; a description is a page.")
        content = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path} is not UTF-8 at byte {error.start}. Save it as UTF-8."
        ) from error
    except (OSError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DatasetError(f"{path} is no TOML: {error}.") from error
    problems: list[str] = []
    top = _checked(content, _TOP, "", problems)
    responses = _checked(
        _section(content, "responses", problems), _RESPONSES, "responses", problems
    )
    access = _checked(_section(content, "access", problems), _ACCESS, "access", problems)
    columns = _names(_section(content, "columns", problems), problems)
    problems += [f"{name} is missing: {_TOP[name][1]}" for name in _NEEDED if name not in content]
    if "file" not in _section(content, "responses", []):
        problems.append(f"responses.file is missing: {_RESPONSES['file'][1]}")
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise DatasetError(f"{path} needs correction:\n{listed}")
    return Description(
        folder=folder, responses=Responses(**responses), columns=columns, **top, **access
    )


def write_description(description: Description, file: Path | None = None) -> Path:
    """Write ``dataset.toml`` into the folder, or `file`, whole or not at all; its path.

    Raises:
        DatasetError: if the folder has one already, or cannot be written to.
    """
    path = file or description.folder / FILE
    exists = DatasetError(f"{path} exists and is not overwritten. Edit it, or move it away.")
    if path.exists():
        raise exists
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{FILE}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(_toml(description))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        try:
            os.link(temporary, path)  # unlike a renaming it never replaces a file
        except FileExistsError:
            raise exists from None
        except OSError:  # a file system without links
            Path(temporary).rename(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error}.") from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
    return path


# Reading: each key has a function that returns the value or raises ValueError in words.


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"is {value!r}, not text in quotes")
    return value


def _name(value: Any) -> str:
    problem = outside(_text(value))
    if problem:
        raise ValueError(f"{value!r} {problem.rstrip('.')}; name a file of the folder")
    return value


def _identifier(value: Any) -> str:
    try:
        return check_identifier(_text(value))
    except InvalidIdentifier as error:
        raise ValueError(str(error).rstrip(".")) from error


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"is {value!r}, not one of {', '.join(map(repr, allowed))}")
        return value

    return check


def _degrees(value: Any) -> float:
    if not _is_number(value) or not 0 < value <= MAX_DEGREES:
        raise ValueError(f"is {value!r}, not a number of degrees above 0")
    return float(value)


def _folds(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 2:
        raise ValueError(f"is {value!r}, not a number of folds from 2 on")
    return value


def _subjects(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError(f'is {value!r}, not a list of models such as ["sentence-features"]')
    return tuple(value)


def _dims(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(dim, str) for dim in value):
        raise ValueError(f'is {value!r}, not a list such as ["presentation", "neuroid"]')
    unknown = [dim for dim in value if dim not in DIMS]
    if unknown:
        named = "; ".join(f"{dim!r}{closest(dim, DIMS)}" for dim in unknown)
        raise ValueError(f"has {named}; axes are {', '.join(DIMS)}")
    if len(set(value)) < len(value):
        raise ValueError(f"names an axis twice: {value}")
    return tuple(value)


def _bins(value: Any) -> tuple[tuple[float, float], ...]:
    pairs = [value] if isinstance(value, list) and value and _is_number(value[0]) else value
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair)) for pair in pairs
    ):
        raise ValueError(f"is {value!r}, not [start, end] or [[start, end], ...] in milliseconds")
    return tuple((float(start), float(end)) for start, end in pairs)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


#: Of each key: how it is checked, and what it says.
_Keys = Mapping[str, tuple[Callable[[Any], Any], str]]
_TOP: _Keys = {
    "id": (_identifier, "identifier of the data set, e.g. MyLab2026"),
    "modality": (_one_of(*get_args(Modality)), "image, text or video"),
    "stimuli": (_name, "table with stimulus_id and path or text"),
    "visual_degrees": (_degrees, "extent of the images in degrees of visual angle"),
    "group_by": (_text, "column of the stimulus table whose groups are never split"),
    "folds": (_folds, "number of folds"),
    "parts": (_text, "column of the stimulus table whose values have benchmarks of their own"),
    "nuisances": (_subjects, "models beyond which the variance explained is told"),
    "species": (_text, "species of the subjects"),
}
_RESPONSES: _Keys = {
    "file": (_name, "file with the responses"),
    "dims": (_dims, "axes of the array"),
    "neuroids": (_name, "table with neuroid_id and further columns"),
    "presentations": (_text, "table or variable with the stimulus_id of each presentation"),
    "variable": (_text, "array in the file"),
    "value": (_text, "column with the responses"),
    "target": (_text, "what was recorded, e.g. V4"),
    "task": (_one_of("", *TASKS), "what subjects did"),
    "time_bin_ms": (_bins, "time bins after onset, in milliseconds"),
    "unit": (_text, "unit of the responses"),
}
_ACCESS: _Keys = {
    "visibility": (_one_of(*get_args(Visibility)), "private or public"),
    "licence": (_text, "SPDX identifier or words"),
    "citation": (_text, "bibtex or words"),
}
_NEEDED = ("id", "modality", "stimuli")
_SECTIONS: Mapping[str, _Keys] = {"": _TOP, "responses": _RESPONSES, "access": _ACCESS}


def _section(content: Mapping[str, Any], name: str, problems: list[str]) -> Mapping[str, Any]:
    section = content.get(name, {})
    if not isinstance(section, dict):
        problems.append(f"{name} is {section!r}, not a section [{name}]")
        return {}
    return section


def _checked(
    content: Mapping[str, Any], keys: _Keys, section: str, problems: list[str]
) -> dict[str, Any]:
    """Values that are right; what is wrong is added to `problems`."""
    prefix = f"{section}." if section else ""
    found: dict[str, Any] = {}
    for key, value in content.items():
        if not section and (key in _SECTIONS or key == "columns"):
            continue
        if key not in keys:
            problems.append(f"{prefix}{key} is no key of a description{_belonging(key, keys)}")
            continue
        try:
            found[key] = keys[key][0](value)
        except ValueError as error:
            problems.append(f"{prefix}{key} {error}")
    return found


def _names(content: Mapping[str, Any], problems: list[str]) -> dict[str, str]:
    """Names of columns; one that two standard names share would be read twice."""
    for key, value in content.items():
        if not isinstance(value, str) or not value:
            problems.append(f"columns.{key} is {value!r}, not the name of a column")
    named = {key: value for key, value in content.items() if isinstance(value, str) and value}
    shared = {value for value in named.values() if [*named.values()].count(value) > 1}
    problems += [f"columns gives {value!r} several names" for value in sorted(shared)]
    return named


def _belonging(key: str, keys: _Keys) -> str:
    """Where a key belongs that stands elsewhere, or what it may have been meant to be."""
    for name, others in _SECTIONS.items():
        if key in others:
            return f" here; it belongs {f'into [{name}]' if name else 'above the sections'}"
    return closest(key, tuple(keys)) or f"; there are {', '.join(keys)}"


def closest(name: str, known: Sequence[str]) -> str:
    """A question with the name that was probably meant, or ""."""
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


# Writing.


def _toml(description: Description) -> str:
    lines = ["# What this folder holds, for `corteval data register`. Edit as needed.", ""]
    lines += _lines(description, _TOP)
    lines += ["", "[responses]", *_lines(description.responses, _RESPONSES)]
    if description.columns:
        lines += ["", "[columns]    # standard name = what the tables call it"]
        lines += [f"{_key(n)} = {_value(theirs)}" for n, theirs in description.columns.items()]
    lines += ["", "[access]", *_lines(description, _ACCESS)]
    return "\n".join(lines) + "\n"


def _lines(source: Description | Responses, keys: _Keys) -> list[str]:
    """Lines of what is set; what is not stands as a comment where a user may want to set it."""
    defaults = {field.name: field.default for field in fields(source)}
    lines = []
    for name, (_, words) in keys.items():
        value = getattr(source, name)
        if value is None or (value in ("", ()) and value == defaults[name]):
            lines.append(f"# {name} =    # {words}")
        else:
            lines.append(f"{name} = {_value(value)}    # {words}")
    return lines


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        if len(value) == 1 and isinstance(value[0], tuple):
            return _value(value[0])
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
