"""Interpolated modified Kneser-Ney smoothing of n-grams of whole numbers (Chen & Goodman 1998).

For a context h of n - 1 symbols, h' the same without its first, and a(hw) the count of n-gram hw:

    p(w | h) = max(a(hw) - D(a(hw)), 0) / sum_v a(hv)  +  g(h) p(w | h')
    g(h)     = sum_v D(a(hv)) / sum_v a(hv),   1 for a context that was never seen
    D(a)     = 0, D1, D2, D3 for a = 0, 1, 2 and >= 3
    D1 = 1 - 2 Y n2/n1,  D2 = 2 - 3 Y n3/n2,  D3 = 3 - 4 Y n4/n3,  Y = n1 / (n1 + 2 n2)

n_r is the number of n-grams of that length with count r. At the highest order, and for n-grams at
the beginning of a document, a is how often hw occurs; below, in how many different symbols it is
continued to the left. Below the single symbols stands a base distribution that the caller gives.

Every document begins with the symbol 0, which is never predicted. Where counts of counts are zero,
or give discounts that are negative or larger than the count, they are 1/2, 1 and 3/2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np

from corteval.errors import OptionError

#: The symbol at the beginning of every document.
START = 0
#: Stands for symbols without a number.
UNKNOWN = -1

_DISCOUNTS = (0.5, 1.0, 1.5)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Level:
    """All n-grams of one length.

    Args:
        keys: number of the context among the n-grams one shorter, times the number of symbols, plus
            the last symbol; ascending.
        gains: of each n-gram, (a - D) / sum a.
        weights: of each context, g.
    """

    keys: np.ndarray
    gains: np.ndarray
    weights: np.ndarray


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class KneserNey:
    """A smoothed model of n-grams.

    Args:
        symbols: how many there are, `START` among them.
        levels: by length of the n-grams, from 1.
    """

    symbols: int
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """Length of the longest n-grams."""
        return len(self.levels)

    def probabilities(self, documents: Sequence[np.ndarray], base: np.ndarray) -> np.ndarray:
        """Probability p of every symbol after what came before it in its document.

        Args:
            documents: symbols, without `START`; `UNKNOWN` is one that was never seen.
            base: of each symbol of all documents, its probability below single symbols.

        Returns:
            (symbols of all documents).
        """
        flat, depth = _joined(documents)
        p = np.zeros(len(flat))
        p[depth > 0] = base
        for level, context in self._contexts(flat, depth):
            seen = np.flatnonzero((depth > 0) & (context >= 0))
            held, last = context[seen], flat[seen]
            index, known = _find(level.keys, held * self.symbols + last, last >= 0)
            p[seen] = level.weights[held] * p[seen] + np.where(known, level.gains[index], 0)
        return p[depth > 0]

    def distribution(self, context: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Probability p of each symbol after `context`, which begins a document.

        Args:
            context: symbols, without `START`.
            base: (symbol) probabilities below single symbols; they may sum to less than 1, for
                symbols without a number have the rest.

        Returns:
            (symbol); 0 for `START`.
        """
        flat = np.concatenate([[START], context, [UNKNOWN]]).astype(np.int64)
        p = np.array(base, np.float64)
        p[START] = 0
        for level, contexts in self._contexts(flat, np.arange(len(flat))):
            last = int(contexts[-1])
            if last < 0:
                break  # nor was a longer context seen
            p *= level.weights[last]
            low, high = np.searchsorted(
                level.keys, [last * self.symbols, (last + 1) * self.symbols]
            )
            p[level.keys[low:high] - last * self.symbols] += level.gains[low:high]
        return p

    def most_probable(self, documents: Sequence[np.ndarray], base: np.ndarray) -> np.ndarray:
        """The symbol with the largest p after each beginning of each document.

        Only symbols that followed the last one before need be compared, and the one that is most
        probable by itself: all others keep its order.

        Args:
            documents: symbols, without `START`.
            base: (symbol) probabilities below single symbols.

        Returns:
            (symbols of all documents and one more for each): after none, one, ... all of them.
        """
        flat, depth = _joined([np.append(document, UNKNOWN) for document in documents])
        held = np.stack([context for _, context in self._contexts(flat, depth)])[:, depth > 0]
        single = self.distribution(np.array([UNKNOWN]), base)  # nothing is known of what follows
        chains, inverse = np.unique(held, axis=1, return_inverse=True)
        best = np.array([self._best(chain, single) for chain in chains.T], np.int64)
        return best[inverse.ravel()]

    def _best(self, chain: np.ndarray, single: np.ndarray) -> int:
        """The most probable symbol, from the number of the context at each level."""
        first = int(single.argmax())
        other = single[first]
        rivals, p = np.zeros(0, np.int64), np.zeros(0)
        for number in range(1, self.order):
            level, context = self.levels[number], chain[number]
            if context < 0:
                break
            ends = [context * self.symbols, (context + 1) * self.symbols]
            low, high = np.searchsorted(level.keys, ends)
            last = level.keys[low:high] - ends[0]
            if number == 1:
                rivals, p = last, single[last]
            p = p * level.weights[context]
            p[np.searchsorted(rivals, last)] += level.gains[low:high]
            other = other * level.weights[context]
        return int(rivals[p.argmax()]) if p.max(initial=0) >= other else first

    def _contexts(self, flat: np.ndarray, depth: np.ndarray) -> Iterator[tuple[Level, np.ndarray]]:
        """By level, the number of the context of each symbol; -1 if it was never seen."""
        grams = np.zeros(len(flat), np.int64)
        for number, level in enumerate(self.levels):
            context = grams  # of the single symbols there is one, 0
            if number:
                context = np.concatenate([[-1], grams[:-1]])
                context[depth < number] = -1
            yield level, context
            index, known = _find(
                level.keys, context * self.symbols + flat, (context >= 0) & (flat >= 0)
            )
            grams = np.where(known, index, -1)


def train(documents: Sequence[np.ndarray], *, order: int, symbols: int) -> KneserNey:
    """A model of n-grams up to length `order`.

    Args:
        documents: symbols from 1 to `symbols` - 1.
        order: length of the longest n-grams; where no document is so long, the model has less.
        symbols: how many there are, `START` among them.

    Raises:
        OptionError: for an order below 1, or without symbols to learn from.
    """
    if order < 1:
        raise OptionError(f"The order of an n-gram model is 1 or more, not {order}.")
    flat, depth = _joined(documents)
    if not (depth > 0).any():
        raise OptionError("There is nothing to train an n-gram model on. Is the text empty?")
    singles = np.bincount(flat[depth > 0], minlength=symbols)
    below = _Grams(np.arange(symbols), singles, np.zeros(symbols, np.int64), flat)
    levels, contexts = [], 1
    for number in range(order):
        longer = _longer(below, flat, depth, number + 1, symbols) if number + 1 < order else None
        counts = below.counts
        if longer is not None:
            left = np.bincount(below.at[longer.first], minlength=len(counts))
            begins = (depth[below.first] == number) & (number > 0)
            counts = np.where(begins, counts, left)
        levels.append(_level(below.keys, counts, contexts, symbols))
        if longer is None or not len(longer.keys):
            break
        below, contexts = longer, len(below.keys)
    return KneserNey(symbols=symbols, levels=tuple(levels))


def discounts(counts: np.ndarray) -> tuple[float, float, float]:
    """D1, D2 and D3 of n-grams with these counts (Chen & Goodman 1998, equation 26)."""
    n = [int((counts == r).sum()) for r in (1, 2, 3, 4)]
    if not all(n):
        return _DISCOUNTS
    y = n[0] / (n[0] + 2 * n[1])
    d1, d2, d3 = ((r + 1) - (r + 2) * y * n[r + 1] / n[r] for r in range(3))
    if not (0 < d1 <= 1 and 0 < d2 <= 2 and 0 < d3 <= 3):
        return _DISCOUNTS
    return d1, d2, d3


class _Grams(NamedTuple):
    """The n-grams of one length in the training text.

    Args:
        keys: see `Level`.
        counts: how often each occurs.
        first: where each first ends.
        at: of each place of the text, the number of the n-gram that ends there, or -1.
    """

    keys: np.ndarray
    counts: np.ndarray
    first: np.ndarray
    at: np.ndarray


def _longer(
    below: _Grams, flat: np.ndarray, depth: np.ndarray, number: int, symbols: int
) -> _Grams:
    """n-grams of `number` + 1 symbols, from those of one less."""
    ends = np.flatnonzero(depth >= number)
    keys, first, inverse, counts = np.unique(
        below.at[ends - 1] * symbols + flat[ends],
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    at = np.full(len(flat), -1)
    at[ends] = inverse
    return _Grams(keys, counts, ends[first], at)


def _level(keys: np.ndarray, counts: np.ndarray, contexts: int, symbols: int) -> Level:
    """Gains and weights from (adjusted) counts."""
    discount = np.array([0.0, *discounts(counts)])[np.minimum(counts, 3)]
    context = keys // symbols
    total = np.bincount(context, counts, contexts)
    freed = np.bincount(context, discount, contexts)
    return Level(
        keys=keys,
        gains=np.maximum(counts - discount, 0) / np.maximum(total, 1)[context],
        weights=np.where(total > 0, freed / np.maximum(total, 1), 1.0),
    )


def _joined(documents: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All symbols, `START` before each document, and their places in their documents, from 0."""
    if not len(documents):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    flat = np.concatenate([part for d in documents for part in ([START], d)]).astype(np.int64)
    lengths = np.array([len(d) + 1 for d in documents])
    starts = np.cumsum(lengths) - lengths
    return flat, np.arange(len(flat)) - np.repeat(starts, lengths)


def _find(keys: np.ndarray, wanted: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of `wanted` in ascending `keys`, and whether they are there."""
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return index, valid & (keys[index] == wanted)
