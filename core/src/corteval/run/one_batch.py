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


def fitted(
    model: M,
    stimuli: StimulusSet,
    requests: Sequence[Request],
    *,
    peak_of: Callable[[Callable[[], None]], tuple[int, int]],
    limit: Limit | None = None,
) -> M:
    """`model`, whose batches are small enough for the memory that is left.

    The peak of a batch of n stimuli is taken to be a + b n: one batch of one stimulus and one of a
    few are measured, and nothing of them is kept.

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
    limit = limit or tightest()
    if limit.bytes_left >= PLENTY or extractor.batch_rows is not None or len(stimuli) <= _FEW:
        return model
    recordings = [r for r in requests if isinstance(r, Recording) and model.supports(r)]
    layers = [*dict.fromkeys(name for r in recordings for name in model.layers_of(r.target))]
    if not layers:
        return model
    wanted = extractor.rows_of_batch(1)

    def shown(count: int) -> Callable[[], None]:
        return lambda: extractor.prepare(stimuli.select(stimuli.stimulus_ids[:count]), layers)

    with stores.using(None):
        held, one = peak_of(shown(1))
        _, few = peak_of(shown(_FEW))
    each = max(0.0, (few - one) / (_FEW - 1))
    alone = max(0, one - held)
    room = _SHARE * limit.bytes_left
    if alone > room:
        raise TooLittleMemory(
            f"{model.identifier} takes {human_size(alone)} for one stimulus beyond the "
            f"{human_size(held)} it holds; {limit.name} leaves {human_size(limit.bytes_left)}. Run "
            "it where there is more, with fewer workers, or choose a smaller model."
        )
    rows = wanted
    while rows > 1 and alone + each * (rows - 1) > room:
        rows //= 2
    if rows == wanted:
        return model
    log.warning(
        "%s: batches of %d stimuli instead of %d, for %s leaves %s of memory.",
        model.identifier,
        rows,
        wanted,
        limit.name,
        human_size(limit.bytes_left),
    )
    smaller: Any = replace(cast("Any", extractor), batch_rows=rows)
    return cast("M", replace(model, extractor=smaller))
