"""Batches that fit into memory: one is measured where the model runs, before the rest is shown.

Where memory is plentiful nothing is measured, and the extractor's own batches stay: their size is
the same on every machine, and responses depend on it by rounding.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from corteval import store as stores
from corteval.cards import human_size
from corteval.commitment import Extractor, LayerCommitment
from corteval.errors import CortevalError
from corteval.memory import Limit, tightest
from corteval.model import ModelCommitment
from corteval.requests import Recording, Request
from corteval.stimuli import StimulusSet

#: Does something; bytes held before, and the most held meanwhile.
PeakOf = Callable[[Callable[[], None]], tuple[int, int]]

M = TypeVar("M", bound=ModelCommitment)

log = logging.getLogger(__name__)

#: Memory with which any batch fits that an extractor chooses by itself.
PLENTY = 4 * 2**30

#: Stimuli that are shown to see how memory grows with their number.
_FEW = 4
#: Share of the memory left that a batch may take: others take some, too.
_SHARE = 0.8


class TooLittleMemory(CortevalError, MemoryError):
    """Not even one stimulus fits."""


@runtime_checkable
class Batched(Extractor, Protocol):
    """An extractor that shows batches of a size that can be set."""

    @property
    def batch_rows(self) -> int | None:
        """Rows of a batch; None lets the extractor choose."""

    def rows_of_batch(self, trials: int) -> int:
        """Rows of its batches."""

    def prepare(self, stimuli: StimulusSet, layers: Sequence[str]) -> None:
        """Record whole `layers` and hand nothing out."""


@runtime_checkable
class OnDevice(Batched, Protocol):
    """One that may compute where memory is not the machine's own, as on a GPU."""

    def device_limit(self) -> Limit | None:
        """What is left there; None if it computes in the machine's memory."""

    def device_peak_of(self, do: Callable[[], None]) -> tuple[int, int]:
        """Do something; bytes held there before, and the most held meanwhile."""


def fitted(
    model: M,
    stimuli: StimulusSet,
    requests: Sequence[Request],
    *,
    peak_of: PeakOf,
    limit: Limit | None = None,
) -> M:
    """`model`, whose batches are small enough for the memory that is left.

    The peak of a batch of n stimuli is taken to be a + b n: one batch of one stimulus and one of a
    few are measured, and nothing of them is kept. Memory of a device is looked at in the same way.

    Args:
        model: of layers; others are returned as they are.
        stimuli, requests: what it is about to be asked.
        peak_of: does something; bytes held before, and the most held meanwhile.
        limit: of memory; the tightest there is if None.

    Raises:
        TooLittleMemory: if one stimulus is predicted not to fit.
    """
    if not isinstance(model, LayerCommitment) or not isinstance(model.extractor, Batched):
        return model
    extractor = model.extractor
    places = [(limit or tightest(), peak_of)]
    if isinstance(extractor, OnDevice) and (there := extractor.device_limit()) is not None:
        places.append((there, extractor.device_peak_of))
    scarce = [place for place in places if place[0].bytes_left < PLENTY]
    if not scarce or extractor.batch_rows is not None or len(stimuli) <= _FEW:
        return model
    recordings = [r for r in requests if isinstance(r, Recording) and model.supports(r)]
    layers = [*dict.fromkeys(name for r in recordings for name in model.layers_of(r.target))]
    if not layers:
        return model
    wanted = rows = extractor.rows_of_batch(1)

    def shown(count: int) -> Callable[[], None]:
        return lambda: extractor.prepare(stimuli.select(stimuli.stimulus_ids[:count]), layers)

    for limit, measure in scarce:
        fitting = _rows_within(limit, measure, shown, rows, model.identifier)
        if fitting < rows:
            log.warning(
                "%s: batches of %d stimuli instead of %d, for %s leaves %s of memory.",
                model.identifier,
                fitting,
                wanted,
                limit.name,
                human_size(limit.bytes_left),
            )
        rows = fitting
    if rows == wanted:
        return model
    smaller: Any = replace(cast("Any", extractor), batch_rows=rows)
    return cast("M", replace(model, extractor=smaller))


def _rows_within(
    limit: Limit,
    peak_of: PeakOf,
    shown: Callable[[int], Callable[[], None]],
    rows: int,
    identifier: str,
) -> int:
    """Rows of a batch, at most `rows`, that are predicted to fit into what `limit` leaves."""
    with stores.using(None):
        held, one = peak_of(shown(1))
        _, few = peak_of(shown(_FEW))
    each = max(0.0, (few - one) / (_FEW - 1))
    alone = max(0, one - held)
    room = _SHARE * limit.bytes_left
    if alone > room:
        raise TooLittleMemory(
            f"{identifier} takes {human_size(alone)} for one stimulus beyond the "
            f"{human_size(held)} it holds; {limit.name} leaves {human_size(limit.bytes_left)}. Run "
            "it where there is more, with fewer workers, or choose a smaller model."
        )
    while rows > 1 and alone + each * (rows - 1) > room:
        rows //= 2
    return rows
