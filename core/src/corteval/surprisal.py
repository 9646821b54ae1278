"""Surprisal: how unexpected each stimulus was, with the conventions by which it was computed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal, final, get_args

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError
from corteval.readouts import Features
from corteval.requests import NextWord, ReadingTime, Task
from corteval.stimuli import StimulusSet

Base = Literal["bits", "nats"]
FirstWord = Literal["scored", "nan"]

#: Attribute of an answer that holds the conventions.
ATTRIBUTE = "surprisal"


@final
@dataclass(frozen=True, kw_only=True)
class SurprisalSpec:
    """Conventions of surprisal, -log p(stimulus | what was read before).

    Source: spec ``language-pitfalls`` requirement 13.

    Args:
        base: ``"bits"`` (log2) or ``"nats"`` (ln).
        bos: whether a token that marks the beginning stood before every passage.
        word_boundary: whether the probability that a word ends is counted with that word and not
            with the next, for tokenisers that write the space before a word into its first token
            (Pimentel & Meister 2024; Oh & Schuler 2024).
        first_word: ``"scored"``, or ``"nan"`` where nothing stood before it from which it could
            be predicted.
        unit: what probabilities are of, such as ``"subword"``, ``"word"`` or ``"character"``.
    """

    base: Base = "bits"
    bos: bool = False
    word_boundary: bool = False
    first_word: FirstWord = "nan"
    unit: str = "subword"

    def __post_init__(self) -> None:
        if self.base not in get_args(Base):
            raise OptionError(f"Surprisal is in bits or nats, not {self.base!r}.")
        if self.first_word not in get_args(FirstWord):
            raise OptionError(f"first_word is 'scored' or 'nan', not {self.first_word!r}.")


def answer(values: np.ndarray, stimuli: StimulusSet, spec: SurprisalSpec) -> xr.DataArray:
    """An answer to `ReadingTime`: (presentation) surprisals, with their conventions."""
    return xr.DataArray(
        np.asarray(values, np.float64),
        dims=["presentation"],
        coords={"stimulus_id": ("presentation", stimuli.stimulus_ids)},
        attrs={ATTRIBUTE: json.dumps(asdict(spec), sort_keys=True)},
    )


def spec_of(given: xr.DataArray) -> SurprisalSpec:
    """The conventions of an answer.

    Raises:
        AssemblyError: if it does not say that it is surprisal.
    """
    said = given.attrs.get(ATTRIBUTE)
    try:
        return SurprisalSpec(**json.loads(str(said)))
    except (TypeError, ValueError, OptionError) as error:
        raise AssemblyError(
            f"The answer is no surprisal: its attribute {ATTRIBUTE!r} is {said!r}. Subjects make "
            "one with corteval.surprisal.answer."
        ) from error


def in_bits(given: xr.DataArray) -> xr.DataArray:
    """Surprisals in bits, whatever their base was.

    Raises:
        AssemblyError: if the answer does not say that it is surprisal.
    """
    spec = spec_of(given)
    if spec.base == "bits":
        return given
    said = json.dumps(asdict(replace(spec, base="bits")), sort_keys=True)
    return (given / math.log(2)).assign_attrs({**given.attrs, ATTRIBUTE: said})


@final
@dataclass(frozen=True, kw_only=True)
class SurprisalReadout:
    """Answers `ReadingTime` from a layer of one unit that is surprisal.

    Args:
        layer: whose unit it is, by default in the base of `spec`.
        spec: how it was computed.
    """

    layer: str = "surprisal"
    spec: SurprisalSpec = SurprisalSpec()

    def supports(self, task: Task) -> bool:
        """Reading times."""
        return isinstance(task, ReadingTime)

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """(presentation) surprisals."""
        del task
        return answer(features(stimuli)[:, 0], stimuli, self.spec)


@final
@dataclass(frozen=True, kw_only=True)
class NextWordReadout:
    """Answers `NextWord` from a layer of one unit that numbers the words of a vocabulary.

    Args:
        layer: whose unit is the number of the most probable next word.
        words: text of each number.
    """

    words: Sequence[str]
    layer: str = "next_word"

    def supports(self, task: Task) -> bool:
        """Next words."""
        return isinstance(task, NextWord)

    def __call__(self, task: Task, stimuli: StimulusSet, features: Features) -> xr.DataArray:
        """(presentation) words."""
        del task
        numbers = features(stimuli)[:, 0].astype(int)
        return xr.DataArray(
            np.array([self.words[n] for n in numbers], dtype=object).astype(str),
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", stimuli.stimulus_ids)},
        )
