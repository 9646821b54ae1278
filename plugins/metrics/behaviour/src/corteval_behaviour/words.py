"""Words of a text: which follow which, and what is to be left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError
from corteval.surprisal import ATTRIBUTE
from corteval_behaviour.tables import Table, table
from corteval_behaviour.trials import ALL, answers_to, column, numbers, numeric_column

#: Tells the place of a word in its sentence, from 1.
PLACE = "word_within_sentence_id"


class ReadingTimes(NamedTuple):
    """Reading times of words, and a predictor of them.

    Args:
        measured: reading times (subject, word).
        words: the target's first presentation of each word, with its coordinates.
        predictor: (word) finite for words that are compared.
        kept: (word) whether a word is compared.
    """

    measured: Table
    words: xr.DataArray
    predictor: np.ndarray
    kept: np.ndarray


def reading_times(
    source: xr.DataArray, target: xr.DataArray, *, drop_first_word: bool
) -> ReadingTimes:
    """The words of `target` and what `source` predicts of them.

    Args:
        source: a number a word, such as its surprisal; it may be NaN for words left out.
        target: reading times; see `corteval_behaviour.tables.table`.
        drop_first_word: leave out the first word of each sentence.

    Raises:
        AssemblyError: if a predictor is not finite, or an assembly has another form.
    """
    measured = table(target)
    words = target.isel(presentation=measured.first)
    kept = words_kept(words, drop_first_word)
    predictor = numbers(answers_to(measured.stimulus_ids, source))
    lacking = kept & ~np.isfinite(predictor)
    if lacking.any():
        advice = (
            "First words of sentences are left out already; leave these words out of the target."
            if drop_first_word
            else "A first word of a text has no context; leave first words out with "
            "drop_first_word=True."
        )
        raise AssemblyError(
            f"The source is not finite for {int(lacking.sum())} of {int(kept.sum())} words, such "
            f"as {measured.stimulus_ids[lacking][0]}. {advice}"
        )
    return ReadingTimes(measured, words, predictor, kept)


def conventions(source: xr.DataArray) -> tuple[str, ...]:
    """A note on how the numbers of `source` were computed, if they say that they are surprisal."""
    said = source.attrs.get(ATTRIBUTE)
    return () if said is None else (f"conventions of surprisal: {said}",)


def words_kept(words: xr.DataArray, drop_first_word: bool) -> np.ndarray:
    """True for words to compare: all, or those that are not the first of their sentence.

    Raises:
        AssemblyError: if the place in the sentence is not known.
    """
    if not drop_first_word:
        return np.ones(words.sizes["presentation"], bool)
    if PLACE not in words.coords:
        raise AssemblyError(
            f"First words of sentences are to be left out, but words have no coordinate {PLACE!r}. "
            "Add it, or set drop_first_word=False."
        )
    return np.asarray(numeric_column(words, PLACE) != 1)


def neighbours(words: xr.DataArray, offset: int) -> np.ndarray:
    """Position of the word `offset` places further on in the same story; -1 where there is none.

    Args:
        words: one presentation a word, with coordinates ``position`` (number in its story) and
            ``story`` (one story if absent).
        offset: 1 is the next word, -1 the one before.

    Raises:
        AssemblyError: if two words have one place, or ``position`` is missing.
    """
    story = np.unique(column(words, "story", ALL), return_inverse=True)[1]
    position = numeric_column(words, "position")
    low, high = position.min() - abs(offset), position.max() + abs(offset)
    code = story * (high - low + 1) + position - low
    order = np.argsort(code, kind="stable")
    same = np.flatnonzero(np.diff(code[order]) == 0)
    if len(same):
        one, other = column(words, "stimulus_id")[order[same[0] : same[0] + 2]]
        advice = (
            "Number the words of a story without repetition."
            if "story" in words.coords
            else "There is no coordinate 'story', so all words are taken as of one; add it."
        )
        raise AssemblyError(
            f"{one} and {other} have the same position in one story, {position[order[same[0]]]:g}. "
            f"{advice}"
        )
    wanted = code + offset
    place = np.minimum(np.searchsorted(code[order], wanted), len(code) - 1)
    return np.where(code[order][place] == wanted, order[place], -1)


def shifted(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Values at `places` of `neighbours`, along the last axis; NaN where there is none."""
    return np.where(places >= 0, values[..., places], np.nan)
