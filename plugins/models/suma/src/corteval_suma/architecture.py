"""SUMA's sizes, and how its weights are drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, final

import numpy as np

from corteval.errors import OptionError

#: Standard deviation of all weights but those of norms, which are 1.
STANDARD_DEVIATION = 0.02
#: Added to the mean square of what is normalised.
EPSILON = 1e-6

#: Tokens for which a dynamic network runs one cycle more.
TOKENS_OF_A_CYCLE = 8

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj")

#: Streams of random numbers that a seed has: one for the embedding, one for each projection.
_EMBEDDING, _FIRST_PROJECTION = 0, 1
#: Drawn rows of embeddings that are kept, 16 kB each.
_KEPT_ROWS = 8_192


@final
@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes of a SUMA.

    Args:
        vocabulary: rows of the embedding.
        hidden: width.
        heads: of attention, which divide the width among them.
        cycles: times that the one block is passed, or ``"dynamic"``: once for each 8 tokens begun.

    Raises:
        OptionError: for sizes that do not fit.
    """

    vocabulary: int = 32_000
    hidden: int = 4_096
    heads: int = 512
    cycles: int | Literal["dynamic"] = 2

    def __post_init__(self) -> None:
        for name in ("vocabulary", "hidden", "heads"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise OptionError(f"{name} is a number above 0, not {value!r}.")
        if self.hidden % self.heads:
            raise OptionError(
                f"{self.heads} heads cannot divide a width of {self.hidden} among them; choose a "
                "multiple."
            )
        if self.cycles != "dynamic" and (type(self.cycles) is not int or self.cycles < 1):
            raise OptionError(f"cycles is a number above 0 or 'dynamic', not {self.cycles!r}.")

    @property
    def parameters(self) -> int:
        """Number of weights: embedding, four projections of all cycles, two norms."""
        return self.vocabulary * self.hidden + 4 * self.hidden**2 + 2 * self.hidden


def projection(number: int, hidden: int, seed: int) -> np.ndarray:
    """Weights (out, in) of a projection, N(0, .02²), float32."""
    generator = np.random.Generator(np.random.Philox(key=[seed, _FIRST_PROJECTION + number]))
    drawn = generator.standard_normal((hidden, hidden), dtype=np.float32)
    drawn *= np.float32(STANDARD_DEVIATION)
    return drawn


def embedding_rows(tokens: Sequence[int], hidden: int, seed: int) -> np.ndarray:
    """Rows (token, unit) of the embedding, N(0, .02²), float32.

    Each row has random numbers of its own: those of the counter-based generator Philox, keyed by
    the seed, whose counter starts at the token. So a row is the same whichever rows are drawn
    before it, and a table of 524 MB need not be made for a few thousand different tokens.
    """
    return np.stack([_row(int(token), hidden, seed) for token in tokens])


@lru_cache(maxsize=_KEPT_ROWS)
def _row(token: int, hidden: int, seed: int) -> np.ndarray:
    # the token is the highest word of the counter: the stream of a row is 2^192 numbers long
    philox = np.random.Philox(key=[seed, _EMBEDDING], counter=[0, 0, 0, token])
    drawn = np.random.Generator(philox).standard_normal(hidden, dtype=np.float32)
    drawn *= np.float32(STANDARD_DEVIATION)
    drawn.flags.writeable = False
    return drawn
