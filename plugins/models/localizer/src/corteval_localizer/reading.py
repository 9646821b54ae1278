"""Responses as a localizer wants them: pooled, cut to tokens, smoothed, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Protocol, final, runtime_checkable

import numpy as np
import pandas as pd

from corteval.commitment import Extractor, LayerCommitment, Stochastic
from corteval.errors import AssemblyError, OptionError, StimuliError
from corteval.stimuli import StimulusSet
from corteval.units import count_units
from corteval_localizer.localizer import Localizer
from corteval_localizer.smoothing import Smoother, smoother

#: Values a block of responses to several words may have before it is averaged.
_BLOCK = 4_000_000


@runtime_checkable
class Poolable(Protocol):
    """An extractor that can say how it pools the tokens of a stimulus."""

    def pooled(self, pooling: str) -> Extractor:
        """An extractor that answers with the ``"last"`` token, or the ``"mean"`` over tokens."""


class Tokenizer(Protocol):
    """What cuts texts into tokens."""

    def encode(self, text: str) -> Any:
        """Something with ``offsets``, (start, end) of each token in the text, inserted or not."""


@runtime_checkable
class Tokenised(Protocol):
    """An extractor that reads tokens."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Cuts a text as the extractor does."""


@final
class Shown(NamedTuple):
    """What is shown, and how responses are pooled.

    Args:
        extractor: is asked.
        stimuli: that are shown, perhaps words one by one.
        lengths: number of rows of `stimuli` that make one stimulus of the localizer.
        last: whether the last of them counts, else their mean.
        way: in words, for records.
    """

    extractor: Extractor
    stimuli: StimulusSet
    lengths: np.ndarray
    last: bool
    way: str


def shown(subject: LayerCommitment, stimuli: StimulusSet, localizer: Localizer) -> Shown:
    """What is shown to `subject`, one or more rows for each of `stimuli`, in their order.

    Raises:
        OptionError: if the subject cannot do what `localizer` asks for.
        StimuliError: for pooling of a text without words.
    """
    if stimuli.modality not in subject.modalities:
        raise OptionError(
            f"{subject.identifier} takes {' or '.join(sorted(subject.modalities))}; the localizer "
            f"{stimuli.identifier} is {stimuli.modality}. Name other stimuli (data=...)."
        )
    if subject.perturbations:
        raise OptionError(
            f"{subject.identifier} is perturbed where it is recorded. Localize units of the intact "
            "subject, and perturb what localized() returns."
        )
    if stimuli.modality != "text" and (localizer.pooling != "whole" or localizer.tokens):
        raise OptionError("Only texts have tokens; leave pooling='whole' and tokens=None.")
    given = stimuli.shown()
    if localizer.tokens is not None:
        given = _cut(given, tokenizer_of(subject), localizer.tokens)
    ones = np.ones(len(given), int)
    pooling, extractor = localizer.pooling, subject.extractor
    if pooling == "whole":
        return Shown(extractor, given, ones, True, "as the subject answers")
    if isinstance(extractor, Poolable):
        return Shown(extractor.pooled(pooling), given, ones, True, f"{pooling} token")
    words, lengths = _word_by_word(given)
    return Shown(extractor, words, lengths, pooling == "last", f"{pooling} word")


def responses(
    subject: LayerCommitment,
    stimuli: StimulusSet,
    localizer: Localizer,
    wanted: Mapping[str, np.ndarray],
) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
    """Responses of `wanted` units of layers to `stimuli`, whose rows come in order.

    Yields:
        rows of a block, and by layer (stimulus, unit) values in double precision.

    Raises:
        AssemblyError: if the extractor leaves stimuli out.
    """
    how = shown(subject, stimuli, localizer)
    smoothers = _smoothers(subject, localizer, wanted)
    asked = {
        layer: np.arange(count_units(how.extractor.units(layer))) if layer in smoothers else units
        for layer, units in wanted.items()
    }
    done = 0
    for block in _pooled(how, asked):
        rows = slice(done, done + len(next(iter(block.values()))))
        done = rows.stop
        found = {}
        for layer, values in block.items():
            sized = np.abs(values) if localizer.responses == "absolute" else values
            found[layer] = smoothers[layer](sized) if layer in smoothers else sized
        yield rows, found
    if done != len(stimuli):
        raise AssemblyError(
            f"{subject.identifier} answered {done} of {len(stimuli)} stimuli; its extractor must "
            "yield every stimulus once, in order."
        )


def tokenizer_of(subject: LayerCommitment) -> Tokenizer:
    """What cuts the subject's texts.

    Raises:
        OptionError: if it has none.
    """
    if not isinstance(subject.extractor, Tokenised):
        raise OptionError(
            f"{subject.identifier} does not say how it cuts texts into tokens, so that they cannot "
            "be cut to a number of them. Leave tokens=None."
        )
    return subject.extractor.tokenizer


def count_tokens(subject: LayerCommitment, stimuli: StimulusSet) -> np.ndarray:
    """Tokens of each text, inserted ones counted; words if the subject has no tokens."""
    texts = [str(text) for text in stimuli.table["text"]]
    if isinstance(subject.extractor, Tokenised):
        encode = subject.extractor.tokenizer.encode
        return np.array([len(encode(text).offsets) for text in texts])
    return np.array([len(text.split()) for text in texts])


def _cut(stimuli: StimulusSet, tokenizer: Tokenizer, tokens: int) -> StimulusSet:
    def cut(text: str) -> str:
        offsets = tokenizer.encode(text).offsets
        own = [(start, end) for start, end in offsets if end > start]
        # what the tokenizer inserts, at either end, it will insert again
        kept = own[: max(0, tokens - (len(offsets) - len(own)))]
        if not kept:
            raise OptionError(
                f"{tokens} tokens of {text[:40]!r} hold nothing of the text. Ask for more."
            )
        return text[: max(end for _, end in kept)]

    table = stimuli.table.assign(text=[cut(str(text)) for text in stimuli.table["text"]])
    return replace(stimuli, table=table)


def _word_by_word(stimuli: StimulusSet) -> tuple[StimulusSet, np.ndarray]:
    """A row for each word, read in the context of those before it, and the words of each text."""
    table = stimuli.table
    rank = np.arange(len(table))
    if "position" in table.columns:
        rank = np.argsort(np.argsort(table["position"].to_numpy(), kind="stable"), kind="stable")
    contexts = (
        table["context_id"].to_list() if "context_id" in table.columns else [None] * len(table)
    )
    rows, lengths = {}, []
    for number, (name, text) in enumerate(zip(table.index, table["text"], strict=True)):
        words = str(text).split()
        if not words:
            raise StimuliError(f"{stimuli.identifier}: {name} has no words to pool over.")
        alone = contexts[number] is None or pd.isna(contexts[number])
        context = f"alone {name}" if alone else f"context {contexts[number]}"
        for place, word in enumerate(words):
            rows[f"{name} word {place}"] = (word, context, int(rank[number]) * 100_000 + place)
        lengths.append(len(words))
    made = pd.DataFrame.from_dict(rows, orient="index", columns=["text", "context_id", "position"])
    return replace(stimuli, table=made.rename_axis("stimulus_id")), np.array(lengths)


def _pooled(how: Shown, wanted: Mapping[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
    """Blocks of one row a stimulus, whatever the blocks of the extractor are."""
    ends = np.cumsum(how.lengths)
    held: dict[str, list[np.ndarray]] = {layer: [] for layer in wanted}
    first = seen = waiting = 0  # stimuli handed out, rows read, rows that wait for more
    width = sum(len(units) for units in wanted.values())
    for block in _blocks(how, wanted):
        for layer in wanted:
            held[layer].append(np.asarray(block[layer], np.float64))
        rows = len(held[next(iter(wanted))][-1])
        seen, waiting = seen + rows, waiting + rows
        done = int(np.searchsorted(ends, seen, side="right"))
        if done == first or (waiting * width < _BLOCK and done < len(ends)):
            continue
        starts = ends[first:done] - how.lengths[first:done]
        base = int(starts[0])
        complete = int(ends[done - 1]) - base
        found = {}
        for layer, parts in held.items():
            values = parts[0] if len(parts) == 1 else np.concatenate(parts)
            found[layer] = _each(values[:complete], starts - base, how)
            held[layer] = [values[complete:]]
        first, waiting = done, seen - int(ends[done - 1])
        yield found


def _each(values: np.ndarray, starts: np.ndarray, how: Shown) -> np.ndarray:
    """(stimulus, unit) from (row, unit): the last row of each stimulus, or the mean."""
    stops = np.append(starts[1:], len(values))
    if how.last:
        return np.asarray(values[stops - 1])
    return np.asarray(np.add.reduceat(values, starts, axis=0) / (stops - starts)[:, None])


def _blocks(how: Shown, wanted: Mapping[str, np.ndarray]) -> Iterator[Mapping[str, np.ndarray]]:
    extractor = how.extractor
    if isinstance(extractor, Stochastic) and extractor.is_stochastic:
        for block in extractor.trials(how.stimuli, wanted, 1):
            yield {layer: values[:, 0] for layer, values in block.items()}
        return
    yield from extractor(how.stimuli, wanted)


def _smoothers(
    subject: LayerCommitment, localizer: Localizer, wanted: Mapping[str, np.ndarray]
) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    if localizer.smoothing_mm is None:
        return {}
    found: dict[str, Smoother] = {}
    for layer, units in wanted.items():
        columns = subject.extractor.units(layer)
        lacking = [n for n in ("tissue_x_mm", "tissue_y_mm") if n not in columns]
        if lacking:
            raise OptionError(
                f"Units of layer {layer} of {subject.identifier} have no {' and '.join(lacking)}, "
                "so that nothing can be smoothed over tissue. Use smoothing_mm=None."
            )
        x, y = (np.asarray(columns[n], float) for n in ("tissue_x_mm", "tissue_y_mm"))
        found[layer] = smoother(x, y, localizer.smoothing_mm, units)
    return dict(found)
