"""What a text model needs of a tokenizer: ids with the characters they stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from corteval.errors import PluginError


class Encoding(NamedTuple):
    """A text as tokens.

    Args:
        ids: of all tokens, those included that the tokenizer inserts.
        offsets: of each token, its first character in the text and the one after its last;
            ``(k, k)`` for inserted tokens, such as one that marks the beginning. Tokens that share
            a character, as bytes of it do, all give that character.
    """

    ids: list[int]
    offsets: list[tuple[int, int]]


@runtime_checkable
class Tokenizer(Protocol):
    """Turns a text into tokens, in one go and without a length limit."""

    @property
    def bos_id(self) -> int | None:
        """Id of the token that marks the beginning of a text; None if there is none."""

    def encode(self, text: str) -> Encoding:
        """The tokens of `text`, in reading order."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text that `ids` stand for, without inserted tokens."""

    def identity(self) -> Mapping[str, str]:
        """What determines its output, such as the digest of its vocabulary."""


@runtime_checkable
class MarksWords(Protocol):
    """A tokenizer that knows which tokens can only stand at the beginning of a word."""

    def word_starts(self) -> np.ndarray:
        """By id, whether white space comes before the token, or the text ends with it; bool."""


class Marked(NamedTuple):
    """Tokens of a passage, with those that the tokenizer inserted apart.

    Args:
        before: inserted at the beginning.
        ids, offsets: of the tokens of the text.
        after: inserted at the end.
    """

    before: tuple[int, ...]
    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]
    after: tuple[int, ...]


def tokenised(tokenizer: Tokenizer, text: str, *, bos: bool | None = None) -> Marked:
    """The tokens of `text`.

    Args:
        tokenizer: is called once.
        text: a passage.
        bos: True puts its token of the beginning first if it inserts nothing there, False takes
            away what it inserts there, None leaves it as it is.

    Raises:
        PluginError: if it gives offsets that do not belong to the text.
    """
    given, offsets = tokenizer.encode(text)
    ids = [int(i) for i in given]  # of whatever integer type
    if len(ids) != len(offsets):
        raise PluginError(f"A tokenizer gave {len(ids)} ids and {len(offsets)} offsets.")
    odd = [pair for pair in offsets if not 0 <= pair[0] <= pair[1] <= len(text)]
    if odd:
        raise PluginError(
            f"A tokenizer gave the offsets {odd[0]} in a text of {len(text)} characters."
        )
    inserted = [start == end for start, end in offsets]
    first = inserted.index(False) if False in inserted else len(ids)
    last = len(ids) - inserted[::-1].index(False) if False in inserted else len(ids)
    before, after = tuple(ids[:first]), tuple(ids[last:])
    if not ids[first:last]:  # nothing but inserted tokens; the first of them is the beginning
        before, after = tuple(ids[:1]), tuple(ids[1:])
    if bos is False:
        before = ()
    elif bos and not before and tokenizer.bos_id is not None:
        before = (tokenizer.bos_id,)
    kept = [(i, tuple(o)) for i, o, out in zip(ids, offsets, inserted, strict=True) if not out]
    return Marked(before, tuple(i for i, _ in kept), tuple((o[0], o[1]) for _, o in kept), after)
