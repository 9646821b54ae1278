"""Forward passes in float32 proper, whatever precision products are set to elsewhere.

On GPUs, torch convolves in TF32 by default: 10 bits of mantissa, so responses differ by 10⁻³ of
the largest from those of a CPU. `torch.set_float32_matmul_precision` does the like to matrix
products, with "medium" on CPUs too. Here both are off as long as responses are computed, and the
choice of algorithms rests on shapes alone, so that the same batch gives the same responses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

#: Precisions of products below float32, as torch names them.
_LESS = ("tf32", "bf16")


@contextmanager
def exact() -> Iterator[None]:
    """Products and convolutions of float32 in float32; settings of torch are put back afterwards.

    They are torch's own for the whole process, as is what is switched here.
    """
    with ExitStack() as stack:
        for get, put, wanted in _SETTINGS:
            try:
                before = get()
            except RuntimeError:  # it was set operator by operator, as is done below
                continue
            if before != wanted:
                stack.callback(put, before)
                put(wanted)
        for operator in _operators():
            precision = operator.fp32_precision
            if precision in _LESS:
                stack.callback(setattr, operator, "fp32_precision", precision)
                operator.fp32_precision = "ieee"
        yield


@contextmanager
def repeatable() -> Iterator[None]:
    """Convolutions whose algorithm does not depend on what was fastest a moment ago."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before


def _allows_tf32() -> bool:
    return bool(torch.backends.cudnn.allow_tf32)


def _allow_tf32(allowed: bool) -> None:
    torch.backends.cudnn.allow_tf32 = allowed


def _operators() -> Iterator[Any]:
    """Operators whose precision can be set one by one; from torch 2.9 on."""
    backends: Any = torch.backends
    for backend, names in (
        (backends.cuda, ("matmul",)),
        (backends.cudnn, ("conv", "rnn")),
        (backends.mkldnn, ("matmul", "conv", "rnn")),
    ):
        for name in names:
            operator = getattr(backend, name, None)
            if hasattr(operator, "fp32_precision"):
                yield operator


#: Settings of torch: what asks for it, what sets it, and its value for float32 proper.
_SETTINGS: tuple[tuple[Callable[[], Any], Callable[[Any], None], Any], ...] = (
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"),
    (_allows_tf32, _allow_tf32, False),
)
