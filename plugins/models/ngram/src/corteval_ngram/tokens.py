"""Tokens of running text and of text whose marks stand apart, which become the same."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

#: Raised when the rules change, so that models in the store are trained again.
RULES = 1

_TOKEN = re.compile(
    r"@[-,.]@"  # a mark within a word, as WikiText-2 writes it
    r"|['\u2019](?:s|t|re|ve|ll|d|m)\b"
    r"|[^\W\d_]+|\d+|[^\w\s]|_",
    re.IGNORECASE,
)
_SAME = dict.fromkeys("'`\u2018\u2019\u201a\u201c\u201d\u201e", '"')
_SAME |= {"\u2014": "\u2013", "\u2212": "-", "\u2010": "-", "\u2011": "-"}


class Token(NamedTuple):
    """A token, its first character in the text, and how it is written there."""

    token: str
    start: int
    written: str


def tokens(text: str) -> list[Token]:
    r"""Tokens of `text`: runs of letters in lower case, runs of digits, contracted endings, marks.

    White space parts tokens and leaves no other trace, so texts whose marks stand apart from words
    have the same tokens as running text. ``@-@``, ``@,@`` and ``@.@`` are the marks within. All
    quotation marks are one token, as are long dashes. A contracted ending is an apostrophe with
    s, t, re, ve, ll, d or m after a word.

    >>> [t.token for t in tokens("'The pot-bellied dog's 1,000, said she.'")][:9]
    ['"', 'the', 'pot', '-', 'bellied', 'dog', "'s", '1', ',']
    >>> [t.token for t in tokens(' The pot @-@ bellied dog \'s 1 @,@ 000 ')]
    ['the', 'pot', '-', 'bellied', 'dog', "'s", '1', ',', '000']
    """
    return [
        Token(_plain(written), match.start(), written.strip("@") or written)
        for match in _TOKEN.finditer(text)
        if (written := match[0])
    ]


@lru_cache(maxsize=200_000)
def _plain(written: str) -> str:
    if len(written) == 3 and written[0] == written[2] == "@":
        return written[1]
    if len(written) > 1 and written[0] == "\u2019":
        written = "'" + written[1:]
    return _SAME.get(written, written).lower()
