"""The subject: surprisal and next words of an n-gram model."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final, overload

import numpy as np

from corteval.errors import OptionError
from corteval.model import ANY_TARGET, LayerCommitment
from corteval.reading import passages
from corteval.stimuli import StimulusSet
from corteval.surprisal import NextWordReadout, SurprisalReadout, SurprisalSpec
from corteval_ngram.corpus import Corpus
from corteval_ngram.language_model import SPELLING_ORDER, LanguageModel, train_on
from corteval_ngram.shelf import kept
from corteval_ngram.tokens import RULES, tokens

SURPRISAL = "surprisal"
NEXT_WORD = "next_word"
SPEC = SurprisalSpec(base="bits", bos=True, word_boundary=False, first_word="scored", unit="word")

_DATA = "Wikitext2.validation"
_TEXT_ONLY = {"kind": "text"}  # neither headings nor blank lines
_MOST = 20


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Reader:
    """Extractor of two layers of one unit each, from an n-gram model trained when first asked.

    ``surprisal`` is the sum over the tokens of a stimulus of -log2 p(token | tokens before it in
    the passage), in bits, so that stimuli of a passage add up to the passage; one without a token
    has none, 0. ``next_word`` is the number of the most probable token after the stimulus.

    Args:
        corpus: trained on.
        order: tokens of the longest n-grams.
        spelling_order: characters of the longest n-grams of the spelling.
    """

    corpus: Corpus
    order: int
    spelling_order: int = SPELLING_ORDER

    @cached_property
    def model(self) -> LanguageModel:
        """The trained model."""
        return kept(
            self._key(),
            lambda: train_on(
                self.corpus.texts, order=self.order, spelling_order=self.spelling_order
            ),
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the text and of how it is learnt."""
        return hashlib.sha256(json.dumps(self._key(), sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, str]:
        """Probabilities are computed in float64 and answered in float32."""
        return {"device": "cpu", "dtype": "float32"}

    def units(self, layer: str) -> Mapping[str, np.ndarray]:
        """One unit."""
        return {
            "neuroid_id": np.array([layer]),
            "layer": np.array([layer]),
            "channel": np.zeros(1, int),
        }

    def __call__(
        self, stimuli: StimulusSet, wanted: Mapping[str, np.ndarray]
    ) -> Iterator[Mapping[str, np.ndarray]]:
        """One block."""
        if not len(stimuli):
            return
        row = {stimulus_id: n for n, stimulus_id in enumerate(stimuli.stimulus_ids)}
        read = passages(stimuli)
        rows = [np.array([row[i] for i in passage.stimulus_ids]) for passage in read]
        found = [tokens(passage.text) for passage in read]
        words = [[token.token for token in each] for each in found]
        starts = [np.array([token.start for token in each], int) for each in found]
        values = {layer: np.zeros((len(stimuli), 1)) for layer in wanted}
        if SURPRISAL in wanted:
            for n, bits in enumerate(self.model.bits(words)):
                first = [start for start, _ in read[n].spans]
                of_stimulus = np.searchsorted(first, starts[n], side="right") - 1
                values[SURPRISAL][rows[n], 0] = np.bincount(of_stimulus, bits, len(first))
        if NEXT_WORD in wanted:
            for n, best in enumerate(self.model.next_words(words)):
                ends = [end for _, end in read[n].spans]
                values[NEXT_WORD][rows[n], 0] = best[np.searchsorted(starts[n], ends)]
        yield {layer: values[layer][:, units] for layer, units in wanted.items()}

    def _key(self) -> dict[str, Any]:
        return {
            "text": self.corpus.digest,
            "order": self.order,
            "spelling_order": self.spelling_order,
            "rules": RULES,
        }


@final
class _Written(Sequence[str]):
    """How the words of a model are written, which is known once it is trained."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @overload
    def __getitem__(self, number: int) -> str: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...

    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        return self._reader.model.written[number]

    def __len__(self) -> int:
        return len(self._reader.model.written)


def build(
    order: int = 5,
    data: str = _DATA,
    where: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
    lines: bool = False,
    spelling_order: int = SPELLING_ORDER,
    *,
    identifier: str = "ngram",
) -> LayerCommitment:
    """The subject `ngram`.

    It tells reading times (surprisal, see `SPEC`) and next words; recordings of any target have one
    unit, surprisal.

    Args:
        order: tokens of the longest n-grams.
        data: identifier of a data set of texts to train on, fetched when the subject is asked.
        where: columns of its stimuli and the values they must have; by default, of the default
            data, its text without headings.
        path: of a text file to train on instead, whose paragraphs are documents.
        lines: each line of the file is a document.
        spelling_order: characters of the longest n-grams of the spelling.
        identifier: another name of the subject.
    """
    for name, value in (("order", order), ("spelling_order", spelling_order)):
        if not 1 <= value <= _MOST:
            raise OptionError(f"{identifier}: {name} is a number from 1 to {_MOST}, not {value}.")
    file = None if path is None else Path(path).expanduser()
    if file is not None and not file.is_file():
        raise OptionError(f"{identifier}: there is no text file {file} to train on.")
    if where is None:
        where = _TEXT_ONLY if data == _DATA else {}
    corpus = Corpus(data=data, where=where, path=file, lines=lines)
    reader = Reader(corpus=corpus, order=order, spelling_order=spelling_order)
    return LayerCommitment(
        identifier=identifier,
        extractor=reader,
        layers={ANY_TARGET: SURPRISAL},
        modalities=frozenset({"text"}),
        readouts=(
            SurprisalReadout(layer=SURPRISAL, spec=SPEC),
            NextWordReadout(layer=NEXT_WORD, words=_Written(reader)),
        ),
        notes=(f"a {order}-gram model trained on {corpus.name}",),
    )


def family(member: str, **options: Any) -> LayerCommitment:
    """The subject ``kneser-ney/<order>``, with the options of `build`."""
    if not re.fullmatch(r"\d{1,2}", member):
        raise OptionError(f"kneser-ney/{member}: name the order of the model, as in kneser-ney/3.")
    return build(int(member), **options, identifier=f"kneser-ney/{member}")
