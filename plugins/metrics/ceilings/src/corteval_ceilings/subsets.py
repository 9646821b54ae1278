"""Which subjects are predicted from which others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np

from corteval.errors import OptionError

Sampling = Literal["all", "sampled"]


class Call(NamedTuple):
    """One prediction: positions of the pooled subjects, ascending, and of the held-out one."""

    pool: tuple[int, ...]
    held_out: int


class Level(NamedTuple):
    """All predictions among as many subjects, the held-out one included; by subset."""

    subjects: int
    calls: tuple[Call, ...]


def levels(
    subjects: int,
    *,
    sampling: Sampling = "all",
    subsets: int = 10,
    hold_outs: int = 5,
    seed: int = 0,
) -> Sequence[Level]:
    """Subsets of 2, 3, ... subjects, and who of each is held out.

    Args:
        subjects: how many there are; positions follow their sorted names.
        sampling: ``"all"``: all combinations, each member held out in turn. ``"sampled"``:
            `subsets` random subsets of each size, drawn by one ``RandomState(seed)`` without
            replacement until as many differ as ordered tuples (so that the largest size has one
            set many times), kept in the order of drawing; of each, `hold_outs` members are drawn
            with replacement by a second ``RandomState(seed)`` from its sorted members, and those
            drawn again are left out.
        subsets, hold_outs, seed: of the sampling.

    Raises:
        OptionError: if there are fewer than `subsets` ordered subsets of some size.
    """
    sizes = range(2, subjects + 1)
    if sampling == "all":
        return [
            Level(size, tuple(_calls(members, members)))
            for size in sizes
            for members in [list(combinations(range(subjects), size))]
        ]
    drawn, held = np.random.RandomState(seed), np.random.RandomState(seed)
    found = []
    for size in sizes:
        ordered = np.prod(np.arange(subjects, subjects - size, -1, dtype=np.float64))
        if ordered < subsets:
            raise OptionError(
                f"{subsets} subsets of {size} of {subjects} subjects do not exist; there are "
                f"{ordered:.0f}. Use sampling='all'."
            )
        distinct: dict[tuple[int, ...], None] = {}
        while len(distinct) < subsets:
            distinct[tuple(drawn.choice(subjects, size, replace=False).tolist())] = None
        members = [tuple(sorted(subset)) for subset in distinct]
        out = [tuple(dict.fromkeys(held.choice(m, hold_outs).tolist())) for m in members]
        found.append(Level(size, tuple(_calls(members, out))))
    return found


def _calls(
    members: Sequence[tuple[int, ...]], held_out: Sequence[tuple[int, ...]]
) -> Sequence[Call]:
    return [
        Call(tuple(m for m in subset if m != out), out)
        for subset, outs in zip(members, held_out, strict=True)
        for out in outs
    ]
