"""Canonical JSON: one text for each key, from which digests are made, and its wary reading."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from corteval.errors import StoreError

#: Levels of nesting a key may have; a key that contains itself has endlessly many.
DEEPEST = 32
#: Characters of the canonical text of a key or of facts.
LONGEST = 1 << 20


def plain(content: Any, where: str = "key") -> Any:
    """`content` as JSON types, if distinct contents give distinct texts.

    A tuple is a list, and a numpy scalar the Python number it equals. Strings are told apart code
    point by code point, so two spellings of an accented letter differ, as do 1, 1.0 and true, and
    0.0 and -0.0. Refused is what JSON would change or merge: NaN, infinities, sets, bytes, arrays,
    enumerations, names that are no text, and half of a surrogate pair.

    Raises:
        StoreError: names the place inside `content`, e.g. ``key.options.seed``.
    """
    return _plain(content, where, DEEPEST)


def text_of(content: Any, where: str = "key") -> str:
    """Canonical text of `content`: ASCII, names sorted, floats that read back exactly.

    >>> text_of({"b": (1, 2.0), "a": None})
    '{"a":null,"b":[1,2.0]}'
    """
    try:
        text = json.dumps(plain(content, where), sort_keys=True, separators=(",", ":"))
    except ValueError as error:  # an integer of thousands of digits
        raise StoreError(f"The {where} cannot be written as JSON: {error}.") from error
    if len(text) > LONGEST:
        raise StoreError(
            f"The {where} takes {len(text):,} characters as JSON; at most {LONGEST:,} are "
            "allowed. Put arrays into blocks, or a digest of them into the key."
        )
    return text


def digest_of(content: Any) -> str:
    """Hexadecimal SHA-256 of the canonical text of `content`."""
    return sha256(text_of(content).encode("ascii"))


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def parse(data: bytes) -> Any:
    """What JSON of unknown origin says; duplicated names and numbers beyond bounds are refused.

    Raises:
        ValueError: it is not JSON as this module writes it.
    """
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _plain(content: Any, where: str, depth: int) -> Any:
    if depth < 0:
        raise StoreError(f"{where} is nested deeper than {DEEPEST} levels; make the key flatter.")
    if isinstance(content, np.generic):
        content = content.item()
    if content is None or type(content) in {bool, int}:
        return content
    if type(content) is float:
        if not math.isfinite(content):
            raise StoreError(f"{where} is {content}, which JSON cannot hold; use None or text.")
        return content
    if type(content) is str:
        return _text(content, where)
    if isinstance(content, Mapping):
        return {
            _name(name, where): _plain(value, f"{where}.{name}", depth - 1)
            for name, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_plain(value, f"{where}[{n}]", depth - 1) for n, value in enumerate(content)]
    advice = "its value" if hasattr(content, "value") else "a number, text, a list, or a digest"
    raise StoreError(
        f"{where} is a {type(content).__name__}, which JSON cannot tell from other values; "
        f"use {advice} instead."
    )


def _name(name: Any, where: str) -> str:
    if isinstance(name, np.str_):
        name = str(name)
    if type(name) is not str:
        raise StoreError(f"{where} has the name {name!r}, which is no text; use {str(name)!r}.")
    return _text(name, where)


def _text(text: str, where: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"{where}: {text!a} holds half a character; it is no text.") from None
    return text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
