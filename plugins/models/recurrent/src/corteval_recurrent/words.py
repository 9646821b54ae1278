"""Words with their places in a text, and a vocabulary of them."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

from corteval.errors import OptionError
from corteval_pytorch.text import Encoding

#: Name of the rule by which texts become words; another rule gets another name.
RULE = "words-1"

#: Tokens that are no words: any word outside the vocabulary, and the end of a line.
UNKNOWN, END = "<unk>", "<eol>"

# WikiText writes @-@ for a hyphen within a word; n't is not parted, since WikiText has "don 't".
_WORD = re.compile(
    r"\n|<unk>|@([-,.])@|['’](?:s|t|re|ve|ll|d|m)\b|[^\W_]+|[^\w\s]|_", re.IGNORECASE
)
_PLAIN = str.maketrans("‘’“”", "''\"\"")


class Word(NamedTuple):
    """A word as the vocabulary has it, and its place in the text."""

    text: str
    start: int
    end: int


def words(text: str, *, lower_case: bool = False) -> Iterator[Word]:
    """Words of `text` by the rule ``words-1``.

    A word is a run of letters and digits; ``'s``, ``'t``, ``'re``, ``'ve``, ``'ll``, ``'d`` and
    ``'m`` are words of their own, as is every other mark; the end of a line is the word ``<eol>``;
    other white space parts words. ``@-@``, ``@,@`` and ``@.@`` (WikiText's marks within a word)
    are read as the mark between, and typographic quotation marks as plain ones.

    >>> [word.text for word in words("Don't over-react, he said.")]
    ['Don', "'t", 'over', '-', 'react', ',', 'he', 'said', '.']
    """
    for found in _WORD.finditer(text):
        written = END if found[0] == "\n" else found[1] or found[0].translate(_PLAIN)
        yield Word(written.lower() if lower_case else written, found.start(), found.end())


@final
@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Words with numbers: a `corteval_pytorch.text.Tokenizer`; passages begin after an ``<eol>``.

    A word outside the vocabulary is ``<unk>``. If there are characters, it is spelt after that: its
    characters, then a mark of its end. So every text has a probability, and an unknown word costs
    what it costs to spell it. Numbers are those of entries, then of characters, then of any other
    character, then of the end of a spelling.

    Args:
        entries: words by number; the first two are ``<unk>`` and ``<eol>``.
        characters: with which words are spelt; without any, words are not spelt.
        lower_case: whether texts are read in lower case.

    Raises:
        OptionError: the first two entries are others, or something occurs twice.
    """

    entries: tuple[str, ...]
    characters: tuple[str, ...] = ()
    lower_case: bool = False
    bos_id: int | None = 1

    def __post_init__(self) -> None:
        if self.entries[:2] != (UNKNOWN, END):
            raise OptionError(
                f"A vocabulary begins with {UNKNOWN} and {END}, not with "
                f"{' and '.join(map(repr, self.entries[:2])) or 'nothing'}."
            )
        for what, given in (("vocabulary", self.entries), ("characters", self.characters)):
            twice = [one for one, count in Counter(given).items() if count > 1]
            if twice:
                raise OptionError(f"{twice[0]!r} occurs twice in the {what}.")

    def __len__(self) -> int:
        return len(self.entries) + (len(self.characters) + 2 if self.characters else 0)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.entries)}

    @cached_property
    def _letters(self) -> dict[str, int]:
        return {one: number for number, one in enumerate(self.characters, len(self.entries))}

    def encode(self, text: str) -> Encoding:
        """Words of `text`; the end of a spelling lies where its last character does."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        for word in words(text, lower_case=self.lower_case):
            number = self._numbers.get(word.text, 0)
            if number or not self.characters:
                ids.append(number)
                offsets.append((word.start, word.end))
                continue
            other = len(self) - 2
            letters = [self._letters.get(letter, other) for letter in word.text]
            ids += [0, *letters, other + 1]
            last = word.end - 1
            places = [min(word.start + n, last) for n in range(len(letters))]
            offsets += [(place, place + 1) for place in (word.start, *places, last)]
        return Encoding(ids, offsets)

    def decode(self, ids: Sequence[int]) -> str:
        """Words parted by spaces, spelt ones as they are spelt; an end of line is one."""
        found, spelt = [], ""
        for number in map(int, ids):
            if number >= len(self) - 1 and self.characters:
                found.append(spelt)
                spelt = ""
            elif number >= len(self.entries):
                place = number - len(self.entries)
                spelt += self.characters[place] if place < len(self.characters) else "?"
                if found and found[-1] == UNKNOWN:
                    found.pop()
            else:
                found.append("\n" if number == 1 else self.entries[number])
        return " ".join([*found, *([spelt] if spelt else [])])

    def identity(self) -> dict[str, str]:
        """Rule and content."""
        content = "\n".join([*self.entries, "", *self.characters])
        return {
            "rule": RULE,
            "lower_case": str(self.lower_case),
            "words": hashlib.sha256(content.encode()).hexdigest(),
        }


def vocabulary_of(
    texts: Iterable[str],
    *,
    minimum: int = 2,
    most: int = 20_000,
    lower_case: bool = False,
    spelling: bool = True,
) -> Vocabulary:
    """The words of `texts`, frequent ones first, words of equal frequency in alphabetical order.

    Args:
        texts: any.
        minimum: times a word must occur; rarer ones are ``<unk>``, which is how the model learns
            what stands in the place of unknown words, and to spell.
        most: words at most, ``<unk>`` and ``<eol>`` included.
        lower_case: whether texts are read in lower case.
        spelling: whether unknown words are spelt, with the characters of all words of `texts`.

    Raises:
        OptionError: no word is left.
    """
    counts = Counter(word.text for text in texts for word in words(text, lower_case=lower_case))
    ranked = sorted(
        (word for word, count in counts.items() if count >= minimum and word not in (UNKNOWN, END)),
        key=lambda word: (-counts[word], word),
    )
    if not ranked:
        raise OptionError(f"No word of the text occurs {minimum} times; give more text.")
    used = {letter for word in counts if word not in (UNKNOWN, END) for letter in word}
    return Vocabulary(
        entries=(UNKNOWN, END, *ranked[: most - 2]),
        characters=tuple(sorted(used)) if spelling else (),
        lower_case=lower_case,
    )


@final
@dataclass(frozen=True, kw_only=True)
class HashedWords:
    """Words numbered by a hash, so that no vocabulary is needed; some words share a number.

    A `corteval_pytorch.text.Tokenizer` whose numbers are no words: `decode` names the number.

    Args:
        buckets: numbers; 0 is not used and 1 is the end of a line, as in `Vocabulary`.
        lower_case: whether texts are read in lower case.
    """

    buckets: int = 8192
    lower_case: bool = False
    bos_id: int | None = 1

    def __len__(self) -> int:
        return self.buckets

    def encode(self, text: str) -> Encoding:
        """Words of `text`: of each, SHA-256 modulo the number of buckets."""
        found = list(words(text, lower_case=self.lower_case))
        return Encoding(
            [self._number(word.text) for word in found], [(word.start, word.end) for word in found]
        )

    def decode(self, ids: Sequence[int]) -> str:
        """Numbers in angle brackets."""
        return " ".join(f"<{int(n)}>" for n in ids)

    def identity(self) -> dict[str, str]:
        """Rule and number of buckets."""
        return {"rule": f"{RULE}, hashed", "buckets": str(self.buckets)} | {
            "lower_case": str(self.lower_case)
        }

    def _number(self, word: str) -> int:
        if word == END:
            return 1
        digest = hashlib.sha256(word.encode()).digest()
        return 2 + int.from_bytes(digest[:8], "big") % (self.buckets - 2)
