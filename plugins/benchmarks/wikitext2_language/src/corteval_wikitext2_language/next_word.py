"""Next words: how often a subject tells the word that follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, cast, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, UndefinedScore
from corteval.model import ModelCommitment, perform
from corteval.requests import NextWord, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stimuli import StimulusSet
from corteval_wikitext2_language.articles import (
    NO_CEILING,
    chosen,
    ratio,
    ratio_replicates,
    require_options,
)

#: A word, with the white space before it.
_PIECE = re.compile(r"\s*\S+")
#: Words of a line are fewer.
_LONGEST = 100_000


class _Word(NamedTuple):
    """A word of a text.

    Args:
        stimulus_id: ``<line>.<number in the line>``.
        text: with the white space before it.
        context_id, position, article: where it is read.
        asked: whether it is to be told from what stands before it.
    """

    stimulus_id: str
    text: str
    context_id: str
    position: int
    article: int
    asked: bool


@final
@dataclass(frozen=True, kw_only=True)
class NextWordAccuracy:
    """Share of words that a subject tells exactly, given what stands before them.

    Words stand between white space, so marks are words, too. All words are read, and those of lines
    of text (no headings) are asked, but the first of each line: 233,685 in the test part.

    The published definition (`legacy`) reads every line apart, without what came before, asks
    headings, too, and neither the first nor the last word of a line: 235,459 words, of which 13,999
    are "the" (.05945). Its code counts, besides, four empty words between double spaces, and hands
    a list of growing texts to subjects, who join them; that is not repeated here.
    Source: spec ``metrics``, language side 2.4, and ``language-pitfalls`` 1.2.

    Args:
        card: names the data.
        legacy: see above.
        articles: so many of them, drawn without replacement; None takes all.
        articles_seed: of that drawing.
        resamples: bootstrap replicates over articles; 0 for none.
        notes: what a reader must know to read the score rightly.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    legacy: bool = False
    articles: int | None = None
    articles_seed: int = 0
    resamples: int = 1000
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        registry.check_parts(self.card)
        require_options(self.resamples)

    def requests(self) -> tuple[Request, ...]:
        """The next word."""
        return (NextWord(),)

    def ceiling(self) -> Estimate:
        """None.

        Raises:
            UndefinedScore: always, with the reason.
        """
        raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            AssemblyError: if it answers with other things than words.
        """
        stimuli = self.stimuli()
        answer = assemblies.in_order(perform(model, stimuli, NextWord()), stimuli.stimulus_ids)
        if answer.dims != ("presentation",) or answer.dtype.kind not in "OUT":
            raise AssemblyError(
                f"Next words are text, one a stimulus; {model.identifier} answers with "
                f"{answer.dtype} along {', '.join(map(str, answer.dims))}."
            )
        told = np.char.strip(answer.values.astype(str))
        asked = self._asked
        right = told[asked - 1] == self._written[asked]
        names, article = np.unique(stimuli.table["article"].to_numpy()[asked], return_inverse=True)
        hits, words = (np.bincount(article, c) for c in (right, np.ones(len(asked))))
        raw = Estimate(
            value=ratio(hits, words),
            method=f"share of {len(asked)} words of {len(names)} articles that are told exactly",
            quantity="accuracy",
            replicates=ratio_replicates(
                names, hits, words, resamples=self.resamples, seed=self.seed
            ),
        )
        samples = xr.DataArray(
            hits / words, dims=["article"], coords={"article": names.astype(np.int64)}
        )
        score = unnormalized(Score(value=raw.value, raw=raw, samples=samples), NO_CEILING)
        provenance = Provenance(digests={"lines": self._lines.digest()}, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """Words, each with the white space before it."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The word that follows each word; nothing after the last."""
        del seed  # nothing is drawn
        following = np.append(self._written[1:], "")
        ids = ("presentation", self.stimuli().stimulus_ids)
        return xr.DataArray(following, dims=["presentation"], coords={"stimulus_id": ids})

    @cached_property
    def _lines(self) -> StimulusSet:
        """Lines that the words are of."""
        created = cast("DataSource", registry.data.create(self.card.data[0]))
        return chosen(created.stimuli(), self.articles, self.articles_seed)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        table = pd.DataFrame(_words(self._lines, legacy=self.legacy)).set_index("stimulus_id")
        return StimulusSet(identifier=self._lines.identifier, modality="text", table=table)

    @cached_property
    def _written(self) -> np.ndarray:
        """(word) without white space."""
        return np.char.strip(self.stimuli().table["text"].to_numpy(str))

    @cached_property
    def _asked(self) -> np.ndarray:
        """Positions of the words that are asked; each is told after the word before it."""
        return np.flatnonzero(self.stimuli().table["asked"].to_numpy())


def _words(lines: StimulusSet, *, legacy: bool) -> Iterator[_Word]:
    """Words of lines in reading order; joined, those of a context are its text."""
    table, between, context = lines.table, "", None
    columns = (table[c].tolist() for c in ("text", "context_id", "position", "article", "kind"))
    for line, text, article_id, place, article, kind in zip(table.index, *columns, strict=True):
        here = line if legacy else article_id
        if here != context:
            between, context = "", here
        text = text.strip() if legacy else between + text
        pieces = _PIECE.findall(text)
        between = text[sum(map(len, pieces)) :]
        last = len(pieces) - legacy  # published: the last word of a line is not asked
        for number, piece in enumerate(pieces, start=1):
            yield _Word(
                stimulus_id=f"{line}.{number}",
                text=piece,
                context_id=here,
                position=place * _LONGEST + number,
                article=article,
                asked=(legacy or kind == "text") and 1 < number <= last,
            )
