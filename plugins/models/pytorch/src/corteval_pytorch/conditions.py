"""What surrounds a forward pass: its numerical type, and a store to put responses into."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import nn

from corteval import store as stores
from corteval.errors import OptionError
from corteval.memory import Limit
from corteval.store import Store
from corteval_pytorch.exactness import exact, repeatable

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def check_dtype(dtype: str) -> None:
    """Raise `OptionError` for a numerical type that there is not."""
    if dtype not in DTYPES:
        raise OptionError(f"dtype {dtype!r} is none of {', '.join(DTYPES)}.")


@contextmanager
def computing(device: torch.device, dtype: str) -> Iterator[None]:
    """Forward passes in `dtype`; ``"float32"`` leaves types to the module, and rounds no further.

    On a GPU the same batch gives the same responses.
    """
    with ExitStack() as stack:
        if device.type == "cuda":
            stack.enter_context(repeatable())
        if dtype == "float32":
            stack.enter_context(exact())
        else:
            stack.enter_context(torch.autocast(device.type, dtype=DTYPES[dtype]))
        yield


def device_of(module: nn.Module) -> torch.device:
    """Where the parameters of `module` lie."""
    tensors = (*module.parameters(), *module.buffers())
    return tensors[0].device if tensors else torch.device("cpu")


def device_limit(device: torch.device) -> Limit | None:
    """What is left of the memory of a GPU; None where that is the machine's own."""
    if device.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return Limit(f"{device} ({torch.cuda.get_device_name(device)})", free + unused)


def device_peak_of(device: torch.device, do: Callable[[], None]) -> tuple[int, int]:
    """Do something; bytes of a GPU that tensors held before, and the most they held meanwhile."""
    torch.cuda.reset_peak_memory_stats(device)
    held = torch.cuda.memory_allocated(device)
    do()
    return held, torch.cuda.max_memory_allocated(device)


@contextmanager
def a_shelf() -> Iterator[Store]:
    """The store in force, or one that vanishes afterwards."""
    shelf = stores.active()
    if shelf is not None:
        yield shelf
        return
    with tempfile.TemporaryDirectory(prefix="corteval-") as folder:
        yield Store(Path(folder))
