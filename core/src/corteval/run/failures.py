"""What kind of failure an error is, by the error and by what lies behind it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from corteval.errors import FetchError, StorageFull, StoreError
from corteval.store.disk import FULL

Kind = Literal["error", "memory", "network", "storage"]

#: What libraries say when there is not enough memory: numpy, torch, the C library, CUDA.
_WORDS = ("out of memory", "allocate memory", "not enough memory", "bad_alloc")
#: Errors behind errors that are looked at: a chain may be a ring.
_DEEPEST = 20


def kind_of(error: BaseException) -> Kind:
    """Kind of failure: what may go better elsewhere, or another time, is told from mistakes."""
    behind = [*_chain(error)]
    if any(isinstance(each, MemoryError) for each in behind) or _says_memory(error):
        return "memory"
    if any(_is_storage(each) for each in behind):
        return "storage"
    if any(isinstance(each, FetchError) for each in behind):
        return "network"
    return "error"


def oom_kills() -> int:
    """Processes that the kernel has ended so far for want of memory; 0 where it does not tell."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text("ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it came of."""
    current: BaseException | None = error
    for _ in range(_DEEPEST):
        if current is None:
            return
        yield current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


def _says_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return any(word in text for word in _WORDS)


def _is_storage(error: BaseException) -> bool:
    """Whether the disk refused; that a store was asked for nonsense is another thing."""
    if isinstance(error, StorageFull):
        return True
    if isinstance(error, StoreError):
        return isinstance(error.__cause__, OSError)
    return isinstance(error, OSError) and error.errno in FULL
