"""A language model of tokens: n-grams of words above a model of their spelling."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from corteval_ngram.kneser_ney import START, UNKNOWN, KneserNey, train
from corteval_ngram.spelling import Spelling, train_spelling
from corteval_ngram.tokens import tokens

#: Characters of the longest n-grams of the spelling.
SPELLING_ORDER = 6


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LanguageModel:
    """p(token | tokens before it) for every token there can be.

    Below single words stands the spelling: a token that was never seen has the probability that
    the n-grams leave, times that of its spelling. Probabilities of all strings sum to 1.

    Args:
        words: that were seen, in the order of their numbers from 1.
        written: how each of them was written most often.
        ngrams: of their numbers.
        spelling: of their characters.
    """

    words: Sequence[str]
    written: Sequence[str]
    ngrams: KneserNey
    spelling: Spelling

    def bits(self, documents: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Surprisal -log2 p of each token after those before it in its document, in bits.

        Args:
            documents: tokens of texts, none of which knows of another.

        Returns:
            by document, (token).
        """
        if not any(documents):
            return [np.zeros(0) for _ in documents]
        coded = self._coded(documents)
        p = self.ngrams.probabilities(coded, self._base([t for d in documents for t in d]))
        cuts = np.cumsum([len(d) for d in documents])[:-1]
        return np.split(-np.log2(p), cuts)

    def distribution(self, context: Sequence[str]) -> np.ndarray:
        """Probability p of each word that was seen, after `context`, which begins a text.

        What is missing to 1 is the probability of all other strings.

        Returns:
            (word).
        """
        (coded,) = self._coded([context])
        return self.ngrams.distribution(coded, self._spelt)[1:]

    def next_words(self, documents: Sequence[Sequence[str]]) -> list[np.ndarray]:
        """Number in `words` of the most probable word after each beginning of each document.

        Args:
            documents: tokens.

        Returns:
            by document, (token + 1): after none of its tokens, one, ... all of them.
        """
        coded = self._coded(documents)
        best = self.ngrams.most_probable(coded, self._spelt) - 1
        return np.split(best, np.cumsum([len(d) + 1 for d in documents])[:-1])

    def _coded(self, documents: Sequence[Sequence[str]]) -> list[np.ndarray]:
        known = self._numbers
        return [np.array([known.get(t, UNKNOWN) for t in d], np.int64) for d in documents]

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {word: number for number, word in enumerate(self.words, start=START + 1)}

    @cached_property
    def _spelt(self) -> np.ndarray:
        """(symbol) probability of the spelling of each word; 0 for the start."""
        return np.concatenate([[0.0], self.spelling.probabilities(list(self.words))])

    def _base(self, read: Sequence[str]) -> np.ndarray:
        each = sorted(set(read))
        spelt = dict(zip(each, self.spelling.probabilities(each), strict=True))
        return np.array([spelt[token] for token in read])


def train_on(
    texts: Iterable[str], *, order: int, spelling_order: int = SPELLING_ORDER
) -> LanguageModel:
    """A language model of `texts`, each of which is a document.

    Args:
        texts: to learn from; those without a token are passed over.
        order: tokens of the longest n-grams.
        spelling_order: characters of the longest n-grams of the spelling.
    """
    documents, seen = [], Counter[tuple[str, str]]()
    for text in texts:
        read = tokens(text)
        seen.update((token, written) for token, _, written in read)
        if read:
            documents.append([token for token, _, _ in read])
    forms: dict[str, tuple[int, str]] = {}
    for (token, written), count in sorted(seen.items(), reverse=True):
        forms[token] = max(forms.get(token, (0, "")), (count, written))
    words = sorted(forms)
    numbers = {word: number for number, word in enumerate(words, start=START + 1)}
    coded = [np.array([numbers[token] for token in d]) for d in documents]
    return LanguageModel(
        words=words,
        written=[forms[word][1] for word in words],
        ngrams=train(coded, order=order, symbols=len(words) + 1),
        spelling=train_spelling(words, order=spelling_order),
    )
