"""Trained models in the store: numbers in one artifact, words in the facts of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from corteval import store
from corteval_ngram.kneser_ney import KneserNey, Level
from corteval_ngram.language_model import LanguageModel
from corteval_ngram.spelling import Spelling

_KIND = "ngram-models"
#: Raised when the same text gives other numbers.
_VERSION = 1
_ROWS = 1 << 20


def kept(key: Mapping[str, Any], train: Callable[[], LanguageModel]) -> LanguageModel:
    """The model that `key` determines: from the store if it is there, else trained and put there.

    Args:
        key: everything that determines the model.
        train: makes it.
    """
    shelf = store.active()
    if shelf is None:
        return train()
    key = {**key, "version": _VERSION}
    about = shelf.artifact(_KIND, {**key, "part": "words"})
    found = _read(shelf, about, key)
    if found is not None:
        return found
    with shelf.claim([about]):
        found = _read(shelf, about, key)
        if found is not None:
            return found
        model = train()
        numbers, sizes = _numbers_of(model)
        held = shelf.artifact(_KIND, key, rows=len(numbers), rows_per_block=_ROWS)
        with shelf.claim([held]):
            for index in held.missing():
                held.write(index, numbers[held.rows_of(index)])
            held.publish()
        about.publish(
            rows=len(numbers),
            sizes=sizes,
            words=list(model.words),
            written=list(model.written),
            characters=model.spelling.characters,
        )
    return model


def _read(
    shelf: store.Store, about: store.Artifact, key: Mapping[str, Any]
) -> LanguageModel | None:
    facts = about.facts
    if facts is None:
        return None
    held = shelf.artifact(_KIND, key, rows=facts["rows"], rows_per_block=_ROWS)
    if not held.complete:
        return None
    numbers = np.concatenate([held.block(index) for index in range(held.blocks)])
    words, characters = facts["words"], facts["characters"]
    of_words, of_characters = facts["sizes"]
    ngrams, rest = _model_of(numbers, of_words, len(words) + 1)
    spelling, _ = _model_of(rest, of_characters, len(characters) + 2)
    return LanguageModel(
        words=words,
        written=facts["written"],
        ngrams=ngrams,
        spelling=Spelling(characters=characters, ngrams=spelling),
    )


def _numbers_of(model: LanguageModel) -> tuple[np.ndarray, list[list[list[int]]]]:
    """All arrays of a model in a row, bit by bit, and the lengths of each level's parts."""
    both = (model.ngrams, model.spelling.ngrams)
    parts = [
        part.astype(kind).view(np.int64)
        for ngrams in both
        for level in ngrams.levels
        for part, kind in ((level.keys, "<i8"), (level.gains, "<f8"), (level.weights, "<f8"))
    ]
    sizes = [[[len(x.keys), len(x.weights)] for x in ngrams.levels] for ngrams in both]
    return np.concatenate(parts), sizes


def _model_of(
    numbers: np.ndarray, sizes: list[list[int]], symbols: int
) -> tuple[KneserNey, np.ndarray]:
    """A model from its arrays in a row, and what follows them."""
    levels = []
    for grams, contexts in sizes:
        keys, gains, weights, numbers = np.split(
            numbers, np.cumsum([grams, grams, contexts]).tolist()
        )
        levels.append(
            Level(keys=keys, gains=gains.view(np.float64), weights=weights.view(np.float64))
        )
    return KneserNey(symbols=symbols, levels=tuple(levels)), numbers
