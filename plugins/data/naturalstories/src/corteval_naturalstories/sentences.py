"""Sentences of a text, found by its punctuation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

#: A full stop, question or exclamation mark, and what may close after it.
_END = re.compile(r".*[.!?]['\")]*")
_TITLES = frozenset({"Mr.", "Mrs.", "Ms.", "Dr."})


class Place(NamedTuple):
    """Where a word stands: number of its sentence, and number in its sentence, both from 1."""

    sentence: int
    word: int


def places(words: Sequence[str]) -> list[Place]:
    """Place of each word of one text.

    A sentence ends with a word that ends in ``.``, ``!`` or ``?``, closing quotes and brackets
    aside, unless the word is a title such as ``Mr.`` or the next word starts in lower case, as in
    ``'ended!' he cried``. It does not see that ``'fun!' Abby exclaimed`` goes on as well.

    >>> [place.word for place in places("'Oh!' he cried. Mr. Bell left.".split())]
    [1, 2, 3, 1, 2, 3]
    """
    found: list[Place] = []
    sentence, number = 1, 0
    bare = [word.lstrip("'\"(") for word in words]
    for word, following in zip(bare, [*bare[1:], ""], strict=False):
        number += 1
        found.append(Place(sentence, number))
        if _END.fullmatch(word) and word not in _TITLES and not following[:1].islower():
            sentence, number = sentence + 1, 0
    return found
