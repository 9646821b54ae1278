"""Word frequency: how common the words of a text are, counted in another text."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import final

import numpy as np

from corteval import registry
from corteval.data import DataSource
from corteval.errors import OptionError
from corteval.model import LayerCommitment
from corteval.stimuli import StimulusSet
from corteval_embeddings.per_text import subject
from corteval_embeddings.words import forms, words

#: Registered texts in which words are counted by default.
TEXTS = "Wikitext2.validation"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Frequencies:
    """How often each word, in lower case, was seen.

    Args:
        counts: of each word.
    """

    counts: Mapping[str, int]

    def log10(self, word: str) -> float:
        """Log10 of the share of `word`, every word being counted once more than it was seen.

            log10((c(w) + 1) / (N + V + 1))

        with N words in all and V different ones; one that was never seen takes the share that is
        left. A possessive that was not seen is looked up without its ``'s``.
        """
        known = (self.counts[form] for form in forms(word.lower()) if form in self.counts)
        return math.log10((next(known, 0) + 1) / (self._total + len(self.counts) + 1))

    @cached_property
    def _total(self) -> int:
        return sum(self.counts.values())


def summaries(stimuli: StimulusSet, frequencies: Frequencies) -> np.ndarray:
    """Mean and lowest log10 frequency over the words of each text; 0 for texts without words.

    Returns:
        (presentation, 2).
    """
    found = np.zeros((len(stimuli), 2))
    for row, text in enumerate(stimuli.table["text"]):
        values = [frequencies.log10(word) for word in words(str(text))]
        if values:
            found[row] = np.mean(values), min(values)
    return found


def counted(texts: Iterable[str]) -> Frequencies:
    """How often each word, in lower case, occurs in `texts`."""
    return Frequencies(counts=Counter(word for text in texts for word in words(text.lower())))


def read_table(path: Path) -> Frequencies:
    """Counts of a table of words and counts, one a line, parted by white space, comma or semicolon.

    A first line without a number is a header. Forms of a word that differ in case are added up.

    Raises:
        OptionError: if there is no such file, or a line does not say a word and a number.
    """
    if not path.is_file():
        raise OptionError(f"There is no table of word frequencies {path}.")
    counts: Counter[str] = Counter()
    for number, line in enumerate(path.read_text("utf-8-sig").splitlines()):
        if not line.strip():
            continue
        fields = line.replace(",", " ").replace(";", " ").split()
        try:
            word, count = fields[0], float(fields[1])
            if not 0 <= count < math.inf or count != int(count):
                raise ValueError
        except (IndexError, ValueError) as error:
            if number == 0:
                continue
            raise OptionError(
                f"{path}, line {number + 1}: {line[:60]!r} is no word and count. Write one word "
                "and how often it was seen, a whole number, on each line."
            ) from error
        counts[word.lower()] += int(count)
    if not counts:
        raise OptionError(f"{path} holds no word with a count.")
    return Frequencies(counts=counts)


def build(path: str | Path | None = None, texts: str = TEXTS) -> LayerCommitment:
    """The subject `word-frequency`.

    Args:
        path: of a table, see `read_table`; None counts in `texts`.
        texts: identifier of a data set of texts, fetched when the subject is first asked.
    """
    table = None if path is None else read_table(Path(path).expanduser())

    @cache
    def frequencies() -> Frequencies:
        return _counted_in(texts) if table is None else table

    return subject(
        "word-frequency",
        "frequency",
        ("mean_log10_frequency", "lowest_log10_frequency"),
        lambda stimuli: summaries(stimuli, frequencies()),
        notes=(f"word frequencies counted in {texts if path is None else Path(path).name}",),
    )


def _counted_in(identifier: str) -> Frequencies:
    source: DataSource = registry.data.create(identifier)
    return counted(str(text) for text in source.stimuli().table["text"])
