"""Spelling: a probability for every string of characters, so that no word is impossible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from corteval_ngram.kneser_ney import UNKNOWN, KneserNey, train

_END = 1
#: Characters of Unicode, and the end of a word.
_EVERY = 0x110000 + 1


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Spelling:
    """An n-gram model of the characters of words and of their ends.

    Below single characters stands the uniform distribution over all of Unicode, so probabilities
    of all strings of one character or more sum to 1.

    Args:
        characters: that were seen.
        ngrams: of their numbers, from 2; 1 is the end of a word.
    """

    characters: str
    ngrams: KneserNey

    def probabilities(self, words: Sequence[str]) -> np.ndarray:
        """Probability p of each word among all strings that are not empty.

        Returns:
            (word).
        """
        if not words:
            return np.zeros(0)
        coded = [_coded(word, self._numbers) for word in words]
        logs = np.log(self.ngrams.probabilities(coded, np.full(sum(map(len, coded)), 1 / _EVERY)))
        starts = np.cumsum([0, *(len(word) for word in coded[:-1])])
        return np.asarray(np.exp(np.add.reduceat(logs, starts)) / self._not_empty)

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {character: number for number, character in enumerate(self.characters, start=2)}

    @cached_property
    def _not_empty(self) -> float:
        end = self.ngrams.probabilities([np.array([_END])], np.array([1 / _EVERY]))
        return float(1 - end[0])


def train_spelling(words: Sequence[str], *, order: int) -> Spelling:
    """A model of the spelling of `words`, each of which counts once.

    Args:
        words: to learn from.
        order: characters of the longest n-grams.
    """
    characters = "".join(sorted(set("".join(words))))
    numbers = {character: number for number, character in enumerate(characters, start=2)}
    coded = [_coded(word, numbers) for word in dict.fromkeys(words)]
    return Spelling(
        characters=characters, ngrams=train(coded, order=order, symbols=len(characters) + 2)
    )


def _coded(word: str, numbers: Mapping[str, int]) -> np.ndarray:
    return np.array([*(numbers.get(character, UNKNOWN) for character in word), _END])
