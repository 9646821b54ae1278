"""Options of a model, written behind its identifier: ``rnn/mine:cell=gru:width=64``.

    >>> parse("pixels:cells=7")
    ('pixels', {'cells': 7})
    >>> named("pixels", {"visual_degrees": 4.0, "cells": 7})
    'pixels:cells=7:visual_degrees=4.0'

The whole text names the model, in tables, records and keys, so that a run, its workers and
whoever computes a record again build the same one. Options are in order of their names; a value is
JSON, ``True``, ``False`` or ``None``, or else a text. What has a meaning here or on the command
line (``:``, ``,``, ``%``, blanks, quotes, brackets, ``*``, ``?``) is written as in an address:
``%2C`` is a comma.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import quote, unquote

from corteval.errors import OptionError

_NAME = re.compile(r"[A-Za-z_]\w*")
_PLAIN = "/._-+~@="
_OF_PYTHON = {"True": True, "False": False, "None": None}

#: Types whose values can be told apart, and what an option that has one takes.
_IN_WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "a text",
    NoneType: "None",
}
_BY_NAME: dict[str, Any] = {"None": NoneType, **{kind.__name__: kind for kind in _IN_WORDS}}
_OF_NONE: dict[Any, Any] = {None: NoneType}

#: Options by which a card says which model it is.
_OF_CARDS = {"identifier", "member", "card"}


def bare(text: str) -> str:
    """`text` without options."""
    return text.partition(":")[0]


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """The identifier that `text` begins with, and its options.

    Raises:
        OptionError: if what follows the identifier are no options.
    """
    name, *parts = text.split(":")
    found: dict[str, Any] = {}
    for part in parts:
        option, equals, value = part.partition("=")
        if not (equals and _NAME.fullmatch(option)):
            raise OptionError(
                f"{text}: {part!r} is no option; options are written {name}:name=value, several "
                f"{name}:name=value:other=value, and a colon in a value %3A."
            )
        if option in found:
            raise OptionError(f"{text}: the option {option} is given twice.")
        if option in _OF_CARDS:
            raise OptionError(f"{text}: {option} says which model it is and cannot be changed.")
        found[option] = _read(unquote(value))
    return name, found


def named(identifier: str, options: Mapping[str, Any]) -> str:
    """The one text for `identifier` with `options`, whatever their order; inverse of `parse`."""
    written = (f":{n}={quote(_written(v), safe=_PLAIN)}" for n, v in sorted(options.items()))
    return identifier + "".join(written)


def rooted(options: Mapping[str, Any]) -> dict[str, Any]:
    """`options` with paths that begin with ``./``, ``../`` or ``~/`` made absolute.

    Models are built in other folders than the one in which they are named.
    """

    def absolute(value: Any) -> Any:
        if isinstance(value, str) and value.startswith(("./", "../", "~/")):
            return str(Path(value).expanduser().resolve())
        return value

    return {name: absolute(value) for name, value in options.items()}


def paths_in(options: Mapping[str, Any]) -> Iterator[Path]:
    """Files and folders that options name by absolute paths, as far as they exist."""
    for value in options.values():
        if isinstance(value, str) and value.startswith("/"):
            path = Path(value)
            if path.exists():
                yield path


def content_digest(paths: Iterable[Path]) -> str:
    """SHA-256 over the names and bytes of files, and of those in folders; empty without any.

    Raises:
        OptionError: if one cannot be read.
    """
    files = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        files += [(str(file.relative_to(path)), file) for file in inside]
    if not files:
        return ""
    sha = hashlib.sha256()
    for name, file in files:
        try:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise OptionError(f"{file} cannot be read: {error.strerror}.") from error
        sha.update(f"{name}|{digest}|".encode())
    return sha.hexdigest()


def taken_by(factory: Any, option: str) -> tuple[type, ...]:
    """Types that a factory says an option has; none unless all are among `_IN_WORDS`."""
    try:
        annotation = inspect.signature(factory).parameters[option].annotation
    except (KeyError, ValueError, TypeError):
        return ()
    if isinstance(annotation, str):  # not evaluated: its names may be imported for checkers alone
        parts: Iterable[Any] = (part.strip() for part in annotation.split("|"))
    else:
        parts = get_args(annotation) if _is_union(annotation) else (annotation,)
    found = [_BY_NAME.get(p) if isinstance(p, str) else _OF_NONE.get(p, p) for p in parts]
    return tuple(found) if all(kind in _IN_WORDS for kind in found) else ()  # type: ignore[arg-type]


def fits(value: Any, taken: Iterable[type]) -> bool:
    """Whether a value that was read may stand where one of the types is taken."""
    return type(value) in taken or (type(value) is int and float in taken)


def in_words(taken: Iterable[type]) -> str:
    """What an option of these types takes."""
    return " or ".join(_IN_WORDS[kind] for kind in taken)


def quoting(option: str, value: Any, taken: Iterable[type]) -> str:
    """How to write a value that was read as a number or truth, if a text is taken."""
    if str not in taken or isinstance(value, str):
        return ""
    text = quote(json.dumps(_written(value)), safe=_PLAIN)
    return f" As a text it is written {option}={text}."


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _read(text: str) -> Any:
    if text in _OF_PYTHON:
        return _OF_PYTHON[text]
    try:
        return json.loads(text, parse_constant=str)
    except ValueError:
        return text


def _written(value: Any) -> str:
    if isinstance(value, str) and value == _read(value):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
