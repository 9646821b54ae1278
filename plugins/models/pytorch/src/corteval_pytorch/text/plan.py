"""What is to be read: sequences of tokens, and where in them each stimulus is.

Rows are the different stimuli, each with what was read before it; two stimuli are one row if they
are the same tokens after the same tokens. Sequences are what the model reads in one go, each
different one once, and one that another begins with is read as its beginning. Both are ordered by
themselves alone, so neither the order nor the names of stimuli and contexts change anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from corteval.errors import StimuliError
from corteval.reading import Passage
from corteval_pytorch.text.placing import Placed, placed
from corteval_pytorch.text.tokens import Marked
from corteval_pytorch.text.windows import left_truncated, surrounding

Pooling = Literal["last", "mean", "first"]

#: What a model sees of the passage when it represents a stimulus: what came before it; all, which
#: only one that is not causal can; or nothing but the stimulus.
Sees = Literal["left", "passage", "stimulus"]

#: What positions of a sequence are used for: the responses of layers, the surprisal of the token
#: there, and what comes next.
Use = Literal["pooled", "scored", "next"]
USES: tuple[Use, ...] = ("pooled", "scored", "next")

#: Columns of what is known of a position: surprisal of the token there, given those before it, and
#: that of a word's end, which is that the next token begins a word.
TOKEN, WORD_END = 0, 1


class Entry(NamedTuple):
    """A position that a row depends on.

    Args:
        sequence, position: where it is.
        row: whose.
        weight: what its value is multiplied with before all values of the row are added.
        column: which value, where there are several.
    """

    sequence: int
    position: int
    row: int
    weight: float
    column: int = 0


class Entries(NamedTuple):
    """Entries by column, ordered by sequence."""

    sequence: np.ndarray
    position: np.ndarray
    row: np.ndarray
    weight: np.ndarray
    column: np.ndarray


@dataclass(frozen=True)
class Manner:
    """How passages are read; part of what determines responses.

    Args:
        causal: whether a token's responses depend on what comes before it alone.
        sees: what it sees of the passage.
        window: most tokens of a sequence, inserted ones included; None sets no limit.
        stride: fewest tokens by which the window advances.
        pooling: over the tokens of a stimulus.
        word_boundary: whether the end of a word is counted with it.
    """

    causal: bool = True
    sees: Sees = "left"
    window: int | None = None
    stride: int = 1
    pooling: Pooling = "last"
    word_boundary: bool = False


@dataclass(frozen=True)
class Plan:
    """See the module.

    Args:
        sequences: ids of tokens, from short to long.
        contents: digest of each row.
        stimulus_ids: one for each row, for messages.
        rows: of each presentation, its row.
        first: of each presentation, whether nothing of the passage came before it.
        entries: by use.
    """

    sequences: Sequence[tuple[int, ...]]
    contents: Sequence[str]
    stimulus_ids: Sequence[str]
    rows: np.ndarray
    first: np.ndarray
    entries: Mapping[Use, Entries]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all rows."""
        return hashlib.sha256("|".join(self.contents).encode()).hexdigest()

    @cached_property
    def sequences_of_rows(self) -> np.ndarray:
        """Number of sequences that each row depends on."""
        pairs = {
            (int(row), int(sequence))
            for use in USES
            for row, sequence in zip(self.entries[use].row, self.entries[use].sequence, strict=True)
        }
        return np.bincount([row for row, _ in pairs], minlength=len(self.contents))


#: An entry of a row that has no number yet: sequence, position, weight, column.
_Place = tuple[int, int, float, int]


@dataclass
class _Row:
    """A row on its way."""

    digest: str
    stimulus_id: str
    entries: dict[Use, list[_Place]]


class _Sequences:
    """Different sequences by number; the beginnings of each are hashed once for all its rows."""

    def __init__(self) -> None:
        self.ids: list[tuple[int, ...]] = []
        self._numbers: dict[tuple[int, ...], int] = {}
        self._beginnings: list[list[bytes]] = []

    def number(self, ids: tuple[int, ...]) -> int:
        """The number of a sequence, a new one if it is new."""
        number = self._numbers.setdefault(ids, len(self.ids))
        if number == len(self.ids):
            sha, beginnings = hashlib.sha256(), []
            for token in ids:
                sha.update(token.to_bytes(8, "little", signed=True))
                beginnings.append(sha.digest())
            self.ids.append(ids)
            self._beginnings.append(beginnings)
        return number

    def digest(self, entries: Mapping[Use, Sequence[_Place]], causal: bool) -> str:
        """SHA-256 over what is read up to the last position used, and the positions."""
        reach: dict[int, int] = {}
        for sequence, position, _, _ in (e for use in USES for e in entries[use]):
            reach[sequence] = max(reach.get(sequence, 0), position)
        read = {n: self._beginnings[n][at if causal else -1] for n, at in reach.items()}
        order = sorted(reach, key=lambda n: (read[n], reach[n]))
        sha = hashlib.sha256(b"".join(read[n] for n in order))
        renumbered = {n: place for place, n in enumerate(order)}
        plain = {use: [(renumbered[n], *rest) for n, *rest in entries[use]] for use in USES}
        sha.update(repr(plain).encode())
        return sha.hexdigest()

    def read_by(self, entries: Mapping[Use, Sequence[_Place]]) -> list[tuple[int, ...]]:
        """The sequences that entries lie in, in an order that is theirs."""
        return sorted(self.ids[n] for n in {e[0] for use in USES for e in entries[use]})

    def ordered(self, used: set[int], causal: bool) -> tuple[list[tuple[int, ...]], dict[int, int]]:
        """Sequences to read, from short to long, and by number which of them serves.

        One that another begins with is read as its beginning, where what follows changes nothing.
        """
        by_ids = sorted(used, key=self.ids.__getitem__)
        serves = {n: n for n in by_ids}
        if causal:
            for n, following in zip(reversed(by_ids[:-1]), reversed(by_ids[1:]), strict=True):
                if self.ids[following][: len(self.ids[n])] == self.ids[n]:
                    serves[n] = serves[following]
        read = sorted(set(serves.values()), key=lambda n: (len(self.ids[n]), self.ids[n]))
        place = {n: k for k, n in enumerate(read)}
        return [self.ids[n] for n in read], {n: place[serves[n]] for n in by_ids}


def planned(
    passages: Sequence[Passage],
    marked: Sequence[Marked],
    order: Sequence[str],
    manner: Manner,
) -> Plan:
    """The plan of reading `passages`.

    Args:
        passages: of all stimuli.
        marked: the tokens of each.
        order: ids of stimuli, in the order of presentations.
        manner: how they are read.

    Raises:
        StimuliError: if there is nothing that could be read for a stimulus.
    """
    sequences = _Sequences()
    found: dict[str, _Row] = {}
    digest_of: dict[str, str] = {}
    first: set[str] = set()
    for passage, tokens in zip(passages, marked, strict=True):
        first.update(passage.stimulus_ids[:1])
        for row in _rows(passage, tokens, manner, sequences):
            digest_of[row.stimulus_id] = row.digest
            kept = found.setdefault(row.digest, row)
            # the same in whatever order passages come
            if kept is not row and sequences.read_by(row.entries) < sequences.read_by(kept.entries):
                kept.entries = row.entries
            kept.stimulus_id = min(kept.stimulus_id, row.stimulus_id)
    used = {e[0] for row in found.values() for use in USES for e in row.entries[use]}
    read, place = sequences.ordered(used, manner.causal)

    def finished(row: _Row) -> tuple[int, int, str]:
        return (*max((place[e[0]], e[1]) for use in USES for e in row.entries[use]), row.digest)

    rows = sorted(found.values(), key=finished)
    numbers = {row.digest: n for n, row in enumerate(rows)}
    return Plan(
        sequences=read,
        contents=[row.digest for row in rows],
        stimulus_ids=[row.stimulus_id for row in rows],
        rows=np.array([numbers[digest_of[i]] for i in order], int),
        first=np.array([i in first for i in order], bool),
        entries={
            use: _columns(
                Entry(place[sequence], position, n, weight, column)
                for n, row in enumerate(rows)
                for sequence, position, weight, column in row.entries[use]
            )
            for use in USES
        },
    )


def _columns(entries: Iterator[Entry]) -> Entries:
    listed = sorted(entries)
    columns = zip(*listed, strict=True) if listed else ([],) * len(Entry._fields)
    sequence, position, row, weight, column = (np.array(c) for c in columns)
    return Entries(
        sequence.astype(int),
        position.astype(int),
        row.astype(int),
        weight.astype(np.float32),
        column.astype(int),
    )


def _rows(
    passage: Passage, tokens: Marked, manner: Manner, sequences: _Sequences
) -> Iterator[_Row]:
    """The row of each stimulus of a passage."""
    places = placed(passage.text, passage.spans, tokens.offsets)
    head = len(tokens.before)
    for stimulus, place in zip(passage.stimulus_ids, places, strict=True):
        if place.read.start < 0 and not head:
            raise StimuliError(
                f"Stimulus {stimulus} has no text that the tokenizer keeps, and nothing was read "
                "before it. Leave it out, or let a token mark the beginning (bos)."
            )
    stretches = _stretches(tokens, places, manner)
    numbers: dict[tuple[int, int], int] = {}
    for stretch in {s for own in stretches for s in own.values()}:
        ids = (*tokens.before, *tokens.ids[slice(*stretch)])
        numbers[stretch] = sequences.number(ids if manner.causal else (*ids, *tokens.after))
    for stimulus, place, own in zip(passage.stimulus_ids, places, stretches, strict=True):
        where = {t: (numbers[s], head + t - s[0]) for t, s in own.items()}
        entries = _entries(place, where, manner)
        yield _Row(sequences.digest(entries, manner.causal), stimulus, entries)


def _stretches(
    tokens: Marked, places: Sequence[Placed], manner: Manner
) -> list[dict[int, tuple[int, int]]]:
    """By stimulus, the stretch (first token, stop) in which each of its tokens is read."""
    count = len(tokens.ids)
    inserted = len(tokens.before) + (0 if manner.causal else len(tokens.after))
    window = None if manner.window is None else manner.window - inserted
    used = [sorted({*place.counted, *place.read}) for place in places]
    if not manner.causal:
        found = []
        for own in used:
            first, last = own[0], own[-1]
            if manner.sees == "passage":
                start = surrounding(first, last, window, manner.stride, count)
                stop = count if window is None else min(count, start + window)
            else:
                stop = last + 1
                start = 0 if window is None else max(0, stop - window)
            # of a stimulus longer than the window, what fits
            found.append({t: (start, stop) for t in own if t >= start or t < 0})
        return found
    pieces: list[tuple[int, int]] = []
    tokens_of: list[list[list[int]]] = []
    for own in used:
        long = window is not None and len(own) >= window
        parts = [[t] for t in own] if long else [own]
        tokens_of.append(parts)
        pieces += [(part[0], part[-1]) for part in parts]
    starts = left_truncated(pieces, window, manner.stride, count)
    stops: dict[int, int] = {}
    for start, (_, last) in zip(starts, pieces, strict=True):
        stops[start] = max(stops.get(start, 0), last + 1)
    following = iter(starts)
    found = []
    for parts in tokens_of:
        own_stretches: dict[int, tuple[int, int]] = {}
        for part in parts:
            start = next(following)
            own_stretches |= dict.fromkeys(part, (start, stops[start]))
        found.append(own_stretches)
    return found


def _entries(
    place: Placed, where: Mapping[int, tuple[int, int]], manner: Manner
) -> dict[Use, list[_Place]]:
    """What a stimulus depends on."""
    read = [t for t in place.read if t in where]
    pooled = {"last": read[-1:], "first": read[:1], "mean": read}[manner.pooling]
    end = read[-1]
    scored = [(*where[t], 1.0, TOKEN) for t in place.counted if t in where]
    if manner.word_boundary and place.word_after:
        scored.append((*where[place.counted[-1]], 1.0, WORD_END))
    if manner.word_boundary and place.word_before and place.counted[0] > 0:
        sequence, position = where[place.counted[0]]
        scored.append((sequence, position - 1, -1.0, WORD_END))
    return {
        "pooled": [(*where[t], 1 / len(pooled), 0) for t in pooled],
        # without tokens of its own it was certain once the token that holds it was read
        "scored": scored or [(*where[end], 0.0, TOKEN)],
        "next": [(*where[end], 1.0, 0)],
    }
