"""Noise that belongs to a presentation: the same whatever else is in the batch.

A stochastic network draws with `normal_like`. While responses are recorded, every presentation has
a seed made from the seed of the subject, the content of the stimulus and the number of the trial,
and row i of what is drawn comes from a generator of its own. Elsewhere `normal_like` is
`torch.randn_like`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field

import torch
from torch import Tensor

from corteval.errors import PluginError


@dataclass(frozen=True)
class _Presentations:
    """Generators of the presentations of a batch, row by row; all trials of a row in a row."""

    trials: int
    generators: tuple[torch.Generator, ...] = field(compare=False)


#: Numbers that are drawn in several threads, which takes nothing from a generator of its own.
_LARGE = 2**18
_THREADS = 16

_current: ContextVar[_Presentations | None] = ContextVar("presentations", default=None)


@contextlib.contextmanager
def presentation_seeds(seeds: Sequence[int], trials: int = 1) -> Iterator[None]:
    """Draw noise from these seeds: one a trial of a row, all trials of a row after one another."""
    generators = tuple(torch.Generator().manual_seed(seed) for seed in seeds)
    token = _current.set(_Presentations(trials, generators))
    try:
        yield
    finally:
        _current.reset(token)


def expand_trials(rows: Tensor) -> Tensor:
    """`rows` with every row repeated for each of its trials; call it before noise is drawn.

    What comes before is the same in all trials, and is computed once. Rows that were already
    repeated, and rows outside a recording, are returned as they are.
    """
    current = _current.get()
    if current is None or len(rows) == len(current.generators):
        return rows
    if len(rows) * current.trials != len(current.generators):
        raise PluginError(
            f"{len(rows)} rows stand for {len(current.generators)} presentations of "
            f"{current.trials} trials; a stochastic network keeps its rows apart and in order."
        )
    return rows.repeat_interleave(current.trials, dim=0)


def normal_like(rows: Tensor) -> Tensor:
    """N(0, 1) in the shape, type and place of `rows`, each row from its presentation's generator.

    The generators run on the CPU, so that a device makes no difference.
    """
    current = _current.get()
    if current is None:
        return torch.randn_like(rows)
    if len(rows) != len(current.generators):
        raise PluginError(
            f"Noise was asked for {len(rows)} rows while {len(current.generators)} presentations "
            "are recorded; call expand_trials before noise is drawn."
        )
    drawn = torch.empty(rows.shape, dtype=torch.float32)
    if drawn.numel() < _LARGE or len(drawn) == 1:
        for row, generator in zip(drawn, current.generators, strict=True):
            row.normal_(generator=generator)
    else:
        with ThreadPoolExecutor(min(_THREADS, len(drawn)), "corteval-noise") as pool:
            for _ in pool.map(_draw, drawn, current.generators):
                pass
    return drawn.to(rows)


@torch.inference_mode()  # a mode of the thread
def _draw(row: Tensor, generator: torch.Generator) -> None:
    row.normal_(generator=generator)


def seed_of(seed: int, content: str, trial: int) -> int:
    """Seed of one presentation: 63 bits of SHA-256 over subject's seed, stimulus and trial."""
    text = f"{seed}|{content}|{trial}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
