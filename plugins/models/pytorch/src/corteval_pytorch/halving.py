"""Fewer things at once when memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

from corteval.errors import CortevalError

log = logging.getLogger(__name__)


def in_halves(
    count: int,
    show: Callable[[slice], None],
    *,
    largest: int,
    name: str,
    stimulus: Callable[[int], str],
    advice: str,
) -> int:
    """Show `count` things at once, or fewer when memory runs out; the most that fitted.

    Args:
        count: how many there are.
        show: shows some of them, all or none.
        largest: most to show at once.
        name: for messages.
        stimulus: the id of one, for messages.
        advice: what to do when one alone does not fit.

    Raises:
        CortevalError: when one alone does not fit.
    """
    done = 0
    while done < count:
        size = min(largest, count - done)
        try:
            show(slice(done, done + size))
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            if size == 1:
                raise CortevalError(
                    f"{name}: there is not enough memory for one stimulus ({stimulus(done)}): "
                    f"{_first_line(error)}. {advice}"
                ) from error
            largest = size // 2
            log.warning(
                "%s: out of memory with %d stimuli at once; going on with %d.", name, size, largest
            )
        else:
            done += size
            continue
        # not before, for the error holds what was allocated until it is forgotten
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()
    return largest


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory", "status_alloc_failed")
    return any(word in str(error).lower() for word in words)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200]
