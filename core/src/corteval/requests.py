"""What may be asked of any subject: frozen, hashable, JSON-able requests.

A request travels with the stimuli, so a subject has no state to set up. The same request is a
cache key and a line in a record.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from corteval.errors import OptionError

if TYPE_CHECKING:
    from corteval.stimuli import StimulusSet


@dataclass(frozen=True, order=True)
class TimeBin:
    """Half-open interval after stimulus onset, in milliseconds."""

    start_ms: float
    end_ms: float

    def __post_init__(self) -> None:
        if not self.end_ms > self.start_ms:
            raise OptionError(
                f"Time bin {self.start_ms}-{self.end_ms} ms does not end after it starts."
            )


def as_time_bins(given: Iterable[TimeBin | Sequence[float]]) -> tuple[TimeBin, ...]:
    """Time bins, of which cards give pairs of start and end in milliseconds.

    Raises:
        OptionError: for anything else.
    """
    if not isinstance(given, list | tuple) or not all(_is_pair(bin_) for bin_ in given):
        raise OptionError(
            f"time_bins are pairs of start and end in ms, such as ((70, 170),), not {given!r}."
        )
    return tuple(b if isinstance(b, TimeBin) else TimeBin(*b) for b in given)


def _is_pair(given: Any) -> bool:
    return isinstance(given, TimeBin) or (isinstance(given, list | tuple) and len(given) == 2)


@dataclass(frozen=True)
class Between:
    """Units whose coordinate lies in the closed interval [`low`, `high`]."""

    coordinate: str
    low: float
    high: float

    def __post_init__(self) -> None:
        if math.isnan(self.low) or math.isnan(self.high) or self.low > self.high:
            raise OptionError(
                f"{self.coordinate}: no value lies between {self.low} and {self.high}."
            )


@dataclass(frozen=True)
class OneOf:
    """Units whose coordinate is one of `values`."""

    coordinate: str
    values: tuple[str | int | float, ...]


@dataclass(frozen=True)
class UnitFilter:
    """Units that meet every condition on their neuroid coordinates.

    Subjects apply it while responses stream, so that no full layer need be held. Coordinates of
    the field: ``neuroid_id``, ``layer``, ``channel``, ``channel_x``, ``channel_y``,
    ``receptive_field_x_degrees``, ``receptive_field_y_degrees``.
    """

    conditions: tuple[Between | OneOf, ...]

    @property
    def coordinates(self) -> frozenset[str]:
        """Names of the coordinates a subject must know to apply the filter."""
        return frozenset(condition.coordinate for condition in self.conditions)


@dataclass(frozen=True)
class Recording:
    """Responses of units.

    Args:
        target: what is recorded, e.g. ``"V4"`` or ``"language_system"``.
        time_bins: intervals after onset; empty leaves time to the subject.
        technique: ``"any"``, ``"single unit"``, ``"fMRI"``, ...
        trials: presentations of each stimulus, for stochastic subjects.
        units: which units to keep; all if None.
    """

    target: str
    time_bins: tuple[TimeBin, ...] = ()
    technique: str = "any"
    trials: int = 1
    units: UnitFilter | None = None

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise OptionError(f"A recording needs at least one trial, not {self.trials}.")


@dataclass(frozen=True)
class Label:
    """One of `choices` per stimulus."""

    choices: tuple[str, ...]


@dataclass(frozen=True)
class Probabilities:
    """A probability per choice, from a read-out fitted on labelled stimuli.

    Args:
        fit: stimuli with a column ``label``; labels are shown because the task says so.
    """

    fit: StimulusSet


@dataclass(frozen=True)
class OddOneOut:
    """Of three stimuli, the one that fits least. Triplets are rows of three stimulus ids."""

    triplets: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class NextWord:
    """The next word after each stimulus."""


@dataclass(frozen=True)
class ReadingTime:
    """Reading time, or a stand-in such as surprisal, per stimulus."""


@dataclass(frozen=True)
class CustomTask:
    """A task known to both benchmark and subject by name.

    Args:
        name: what to do.
        options: sorted (name, value) pairs.
    """

    name: str
    options: tuple[tuple[str, str | int | float | bool], ...] = ()


Task = Label | Probabilities | OddOneOut | NextWord | ReadingTime | CustomTask
Request = Recording | Task


def as_json(request: Any) -> Any:
    """`request` as JSON types, with the class under ``"kind"``; a stimulus set as its digest."""
    if isinstance(request, Probabilities):
        return {"kind": "Probabilities", "fit": request.fit.digest()}
    if isinstance(request, tuple):
        return [as_json(item) for item in request]
    if is_dataclass(request):
        content = {f.name: as_json(getattr(request, f.name)) for f in fields(request)}
        return {"kind": type(request).__name__, **content}
    return request


def describe(request: Request) -> str:
    """`request` in a few words, for messages."""
    if isinstance(request, Recording):
        units = ", ".join(sorted(request.units.coordinates)) if request.units else ""
        return f"a recording of {request.target}" + (f" filtered by {units}" if units else "")
    if isinstance(request, Label):
        named = ", ".join(request.choices[:3]) + (", ..." if len(request.choices) > 3 else "")
        return f"the task Label with {len(request.choices)} choices ({named})"
    return f"the task {type(request).__name__}"
