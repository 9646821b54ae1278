"""Perplexity by word: how well a subject predicts articles, whatever its tokens are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, UndefinedScore
from corteval.model import ModelCommitment, perform
from corteval.requests import ReadingTime, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stimuli import StimulusSet
from corteval.surprisal import ATTRIBUTE, in_bits
from corteval_wikitext2_language.articles import (
    NO_CEILING,
    chosen,
    ratio,
    ratio_replicates,
    require_options,
)


def perplexity(score: Score) -> float:
    """exp(-value): the number of equally probable words that would be as hard to predict.

    Raises:
        UndefinedScore: if there is no score.
    """
    if score.status != "scored":
        raise UndefinedScore(f"There is no score: {score.reason}")
    return math.exp(-score.value)


class _Counted(NamedTuple):
    """What is counted of a subject's surprisals.

    Args:
        nats, tokens: (line) surprisal, and number of tokens that it is the surprisal of.
        reads_ends: whether ends of line cost the subject anything.
        lacking: lines with words that have no surprisal.
    """

    nats: np.ndarray
    tokens: np.ndarray
    reads_ends: bool
    lacking: int


@final
@dataclass(frozen=True, kw_only=True)
class Perplexity:
    """Mean log-likelihood of a token, in nats: minus the logarithm of perplexity.

        value = -Σ surprisal / N,    perplexity = exp(-value)

    A token is a word between white space, or the end of a line: 245,569 in the test part, as
    published. The surprisal of a text does not depend on what a subject's own tokens are, so
    subjects with different vocabularies can be compared. Not counted, neither above nor below:

    - the first line with words of a context, if it has no surprisal (no context, no mark of the
      beginning), and blank lines before it;
    - the ends of all lines, if no blank line costs the subject anything: it does not read them.

    Args:
        card: names the data.
        context: ``"article"``: no article is read after another one. ``"file"``: all are read as
            one text, as is usual; long contexts are the subject's business.
        articles: so many of them, drawn without replacement; None takes all.
        articles_seed: of that drawing.
        resamples: bootstrap replicates over articles; 0 for none.
        notes: what a reader must know to read the score rightly.
        seed: of the bootstrap.
    """

    card: BenchmarkCard
    context: Literal["article", "file"] = "article"
    articles: int | None = None
    articles_seed: int = 0
    resamples: int = 1000
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        registry.check_parts(self.card)
        require_options(self.resamples)

    def requests(self) -> tuple[Request, ...]:
        """Surprisal, as a stand-in for reading times."""
        return (ReadingTime(),)

    def ceiling(self) -> Estimate:
        """None.

        Raises:
            UndefinedScore: always, with the reason.
        """
        raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            AssemblyError: if its answer is no surprisal, or a line in mid-text has none.
            UndefinedScore: if a line has probability 0, so that perplexity is infinite.
        """
        stimuli = self.stimuli()
        answer = assemblies.in_order(perform(model, stimuli, ReadingTime()), stimuli.stimulus_ids)
        counted = self._counted(in_bits(answer).values.astype(np.float64) * math.log(2))
        names, article = np.unique(stimuli.table["article"].to_numpy(), return_inverse=True)
        nats, tokens = (np.bincount(article, c) for c in (counted.nats, counted.tokens))
        value = ratio(-nats, tokens)
        raw = Estimate(
            value=value,
            method=f"nats per token, mean over {int(tokens.sum())} tokens of {len(names)} articles",
            quantity="log likelihood",
            replicates=ratio_replicates(
                names, -nats, tokens, resamples=self.resamples, seed=self.seed
            ),
        )
        with np.errstate(invalid="ignore"):
            samples = xr.DataArray(
                -nats / tokens, dims=["article"], coords={"article": names.astype(np.int64)}
            )
        score = unnormalized(Score(value=value, raw=raw, samples=samples), NO_CEILING)
        notes = [_in_words(score), f"conventions of surprisal: {answer.attrs[ATTRIBUTE]}"]
        provenance = Provenance(digests={"stimuli": stimuli.digest()}, seed=self.seed)
        notes += [*self._notes_on(counted), *score.notes, *self.notes]
        return replace(score, notes=tuple(notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """Lines, with their ends."""
        return self._stimuli

    def _counted(self, nats: np.ndarray) -> _Counted:
        table = self.stimuli().table
        blank = (table["kind"] == "blank").to_numpy()
        lacking = np.isnan(nats)
        context = np.unique(table["context_id"].to_numpy(str), return_inverse=True)[1]
        worded, words = lacking & ~blank, np.flatnonzero(~blank)
        first = np.full(context.max() + 1, len(nats))  # lines stand in reading order
        np.minimum.at(first, context[words], words)
        odd = np.flatnonzero(worded & (np.arange(len(nats)) != first[context]))
        if len(odd):
            raise AssemblyError(
                f"{len(odd)} lines have no surprisal though others were read before them, such as "
                f"{self.stimuli().stimulus_ids[odd[0]]}. Only the first line of a text may lack it."
            )
        endless = np.flatnonzero(np.isposinf(nats))
        if len(endless):
            raise UndefinedScore(
                f"{len(endless)} lines have probability 0, such as "
                f"{self.stimuli().stimulus_ids[endless[0]]}: perplexity is infinite."
            )
        reads_ends = bool((np.nan_to_num(nats)[blank] > 0).any())
        tokens = np.array([len(text.split()) for text in table["text"]], np.float64)
        tokens += reads_ends
        return _Counted(
            np.where(lacking, 0.0, nats),
            np.where(lacking, 0.0, tokens),
            reads_ends,
            int(worded.sum()),
        )

    def _notes_on(self, counted: _Counted) -> Iterator[str]:
        if not counted.reads_ends:
            yield (
                "blank lines cost the subject nothing: it does not read ends of line, which are "
                "not counted"
            )
        if counted.lacking:
            yield f"{counted.lacking} first lines of texts have no surprisal and are not counted"
        if self.context == "file":
            yield "articles are read one after the other, as one text"

    @cached_property
    def _stimuli(self) -> StimulusSet:
        created = registry.data.create(self.card.data[0], context=self.context)
        lines = cast("DataSource", created).stimuli()
        return chosen(lines, self.articles, self.articles_seed)


def _in_words(score: Score) -> str:
    between = ""
    if score.interval is not None:
        low, high = (math.exp(-bound) for bound in (score.interval.high, score.interval.low))
        between = f" ({low:.2f} to {high:.2f})"
    return f"perplexity {perplexity(score):.2f}{between}: exp(-score), lower is better"
