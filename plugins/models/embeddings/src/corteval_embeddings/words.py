"""Words of a text, and the forms under which a table of words may hold them."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u02bc": "'", "\uff07": "'"})
_POSSESSIVE = "'s"


def words(text: str) -> list[str]:
    """Words between white space, without the punctuation and symbols around each.

    Marks within a word stay, case stays, and what is nothing but marks is no word.

    >>> words("'Oh!' said the glass-blower's boss (in 1846): don't ...")
    ['Oh', 'said', 'the', "glass-blower's", 'boss', 'in', '1846', "don't"]
    """
    return [word for part in text.split() if (word := _bare(part))]


def forms(word: str) -> tuple[str, ...]:
    """Forms under which `word` is looked up, the first that is known being taken.

    The word itself, in lower case, with a capital, and, of a possessive, the same without its
    ``'s`` (and of a plural possessive without its apostrophe, which `words` has taken off).

    >>> forms("Dog's")
    ("Dog's", "dog's", 'Dog', 'dog')
    >>> forms("glass")
    ('glass', 'Glass')
    """
    plain = [word, word.lower(), word.capitalize()] if word.islower() else [word, word.lower()]
    if word.lower().endswith(_POSSESSIVE) and len(word) > len(_POSSESSIVE):
        plain.extend(forms(word[: -len(_POSSESSIVE)]))
    return tuple(dict.fromkeys(plain))


@lru_cache(maxsize=100_000)
def _bare(part: str) -> str:
    part = part.translate(_APOSTROPHES)
    start, end = 0, len(part)
    while start < end and _is_mark(part[start]):
        start += 1
    while end > start and _is_mark(part[end - 1]):
        end -= 1
    return part[start:end]


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSC"
