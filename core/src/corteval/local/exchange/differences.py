"""Differences between two versions of a data set, in words and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

#: Ids, and neuroids that changed most, that people are shown.
SHOWN = 5


@final
@dataclass(frozen=True, kw_only=True)
class Change:
    """A fact that differs; None where a version lacks it."""

    name: str
    old: Any
    new: Any


@final
@dataclass(frozen=True, kw_only=True)
class Entries:
    """Ids of one kind: those that only one version has, and whether the common ones moved."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reordered: bool = False


@final
@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """A column or coordinate.

    Args:
        name: of it.
        what: ``"added"``, ``"removed"`` or ``"changed"``.
        count: of entries that differ, of those both versions have; 0 if it was added or removed.
        example: one of them, in words.
    """

    name: str
    what: str
    count: int = 0
    example: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class NeuroidChange:
    """Values of one neuroid that differ, and by how much at most; None without numbers."""

    neuroid_id: str
    count: int
    largest: float | None


@final
@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """Values that differ among those both versions have.

    Args:
        compared: how many both have.
        count: how many differ, missing in one of them included.
        largest: absolute difference; None if there are no numbers to subtract.
        appeared, vanished: how many were missing in the old version only, in the new one only.
        neuroids: all that changed, those with the largest difference first.
    """

    compared: int
    count: int
    largest: float | None
    appeared: int
    vanished: int
    neuroids: tuple[NeuroidChange, ...] = ()


@final
@dataclass(frozen=True, kw_only=True)
class Differences:
    """What differs between two versions.

    Args:
        description: fields, other than access and names of files.
        access: who may have it, under which licence.
        files: names of files in the description.
        stimuli: ids.
        contents: ids of stimuli that show something else.
        stimulus_columns: of the stimulus table.
        form: dims, sizes and type of the responses.
        presentations: stimuli with responses; of behaviour, its trials.
        neuroids: ids.
        values: None if none differs.
        coordinates: of the responses.
    """

    description: tuple[Change, ...] = ()
    access: tuple[Change, ...] = ()
    files: tuple[Change, ...] = ()
    stimuli: Entries = Entries()
    contents: tuple[str, ...] = ()
    stimulus_columns: tuple[ColumnChange, ...] = ()
    form: tuple[Change, ...] = ()
    presentations: Entries = Entries()
    neuroids: Entries = Entries()
    values: ValueChange | None = None
    coordinates: tuple[ColumnChange, ...] = ()

    def __bool__(self) -> bool:
        return self != Differences()

    def lines(self) -> list[str]:
        """For people; none if nothing differs."""
        return [*self._lines()]

    def as_json(self) -> dict[str, Any]:
        """The same as JSON types."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def _lines(self) -> Iterator[str]:
        for change in (*self.description, *self.access, *self.files):
            yield f"{change.name}: {_words(change.old)} -> {_words(change.new)}"
        yield from _entry_lines("stimuli", self.stimuli)
        if self.contents:
            yield f"stimuli that show something else: {_some(self.contents)}"
        yield from _column_lines("column of stimuli", self.stimulus_columns)
        yield from (f"responses, {c.name}: {_words(c.old)} -> {_words(c.new)}" for c in self.form)
        if self.presentations != self.stimuli:
            yield from _entry_lines("presentations", self.presentations)
        yield from _entry_lines("neuroids", self.neuroids)
        if self.values is not None:
            yield from _value_lines(self.values)
        yield from _column_lines("coordinate", self.coordinates)


# Words


def _entry_lines(what: str, entries: Entries) -> Iterator[str]:
    if entries.added:
        yield f"{what} added: {_some(entries.added)}"
    if entries.removed:
        yield f"{what} removed: {_some(entries.removed)}"
    if entries.reordered:
        yield f"{what} stand in another order"


def _column_lines(what: str, columns: Sequence[ColumnChange]) -> Iterator[str]:
    for column in columns:
        detail = f": {column.count} entries, e.g. {column.example}" if column.count else ""
        yield f"{what} {column.name} {column.what}{detail}"


def _value_lines(values: ValueChange) -> Iterator[str]:
    share = f"{values.count} of {values.compared} values differ"
    if values.largest is not None:
        share += f", by {values.largest:.6g} at most"
    if values.appeared or values.vanished:
        share += f" ({values.appeared} were missing before, {values.vanished} are missing now)"
    yield share
    for change in values.neuroids[:SHOWN]:
        largest = "" if change.largest is None else f", by {change.largest:.6g} at most"
        yield f"  neuroid {change.neuroid_id}: {change.count} values{largest}"
    if len(values.neuroids) > SHOWN:
        yield f"  and {len(values.neuroids) - SHOWN} more neuroids"


def _some(ids: Sequence[str]) -> str:
    return f"{len(ids)} ({', '.join(ids[:SHOWN])}{', ...' if len(ids) > SHOWN else ''})"


def _words(value: Any) -> str:
    return "none" if value in (None, "", (), []) else str(value)


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, tuple | list):
        return [_plain(value) for value in content]
    return str(content) if isinstance(content, float) and not math.isfinite(content) else content
