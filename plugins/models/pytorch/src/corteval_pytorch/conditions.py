"""What surrounds a forward pass: its numerical type, and a store to put responses into."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import torch
from torch import nn

from corteval import store as stores
from corteval.errors import OptionError
from corteval.store import Store

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def check_dtype(dtype: str) -> None:
    """Raise `OptionError` for a numerical type that there is not."""
    if dtype not in DTYPES:
        raise OptionError(f"dtype {dtype!r} is none of {', '.join(DTYPES)}.")


def computing(device: torch.device, dtype: str) -> AbstractContextManager[object]:
    """Forward passes in `dtype`; ``"float32"`` leaves types to the module."""
    if dtype == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[dtype])


def device_of(module: nn.Module) -> torch.device:
    """Where the parameters of `module` lie."""
    tensors = (*module.parameters(), *module.buffers())
    return tensors[0].device if tensors else torch.device("cpu")


@contextmanager
def a_shelf() -> Iterator[Store]:
    """The store in force, or one that vanishes afterwards."""
    shelf = stores.active()
    if shelf is not None:
        yield shelf
        return
    with tempfile.TemporaryDirectory(prefix="corteval-") as folder:
        yield Store(Path(folder))
