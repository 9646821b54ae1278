"""Paired tests of pairs of models, for the page to show of whichever pair somebody chooses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, cast, final

import numpy as np

from corteval.errors import CortevalError
from corteval.intervals import Replicates, corrected_replicates
from corteval.score import Score, normalized_replicates
from corteval.stats.board import Board
from corteval.stats.paired import compare
from corteval.stats.ranks import holm, out_of_reach

#: Tests that a page may carry: some 30 bytes and half a millisecond each. Of more, it has those of
#: the pairs among the first models of its table.
MOST_TESTS = 6_000

#: By which numbers are multiplied to become whole ones.
SCALE = 10_000

_LEVEL = 0.95
_TAILS = [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Drawn:
    """A score whose replicates were normalised once for all pairs it takes part in.

    Args:
        score: the score.
        replicates: normalised; their values are arrays.
        alike: the same for scores that can be compared.
    """

    score: Score
    replicates: tuple[Replicates, ...] = ()
    alike: tuple[Any, ...] | None = None


@final
@dataclass(frozen=True, kw_only=True)
class _Result:
    """Difference with its interval and p-value; or why there is no test."""

    difference: float = 0.0
    low: float = 0.0
    high: float = 0.0
    p_value: float = 1.0
    resamples: int = 0
    reason: str = ""


def paired_tests(
    board: Board,
    rows: Sequence[str],
    columns: Sequence[str],
    clean: Callable[[str], str],
    *,
    most: int = MOST_TESTS,
) -> dict[str, Any]:
    """Paired tests of all pairs among the first of `rows`, as ``corteval compare`` makes them.

    Args:
        board: of the scores.
        rows: models, as the table has them.
        columns: benchmarks.
        clean: makes a text harmless.
        most: scores of two models on one benchmark that are compared.

    Returns:
        ``models``: of how many rows there are pairs. ``words``: texts. ``pairs``: by the places of
        both rows what to add in words (a place in ``words``, or -1), then for each benchmark both
        have a score on its place and difference, low, high, p, Holm's p, all times `SCALE`; or its
        place and why there is no test.
    """
    known = np.isfinite(board.values(rows, columns)) if rows and columns else np.empty((0, 0), bool)
    count = _leading(known, most)
    drawn = [[_drawn(board, m, b) for b in columns] for m in rows[:count]]
    words: dict[str, int] = {}
    why: dict[tuple[Any, Any], str] = {}

    def place(text: str) -> int:
        return words.setdefault(clean(text), len(words)) if text else -1

    pairs = {}
    for i, j in combinations(range(count), 2):
        shared = np.flatnonzero(known[i] & known[j]).tolist()
        found = {b: _tested(drawn[i][b], drawn[j][b], why) for b in shared}
        tested = {b: r for b, r in found.items() if not r.reason}
        adjusted = holm({str(b): r.p_value for b, r in tested.items()}) if tested else {}
        resamples = max((r.resamples for r in tested.values()), default=0)
        remark = out_of_reach(len(tested), resamples) if tested else ""
        lines = [
            [b, place(r.reason)] if r.reason else [b, *_whole(r, adjusted[str(b)])]
            for b, r in found.items()
        ]
        pairs[f"{i},{j}"] = [place(remark), *lines]
    return {"models": count, "pairs": pairs, "words": [*words]}


def _leading(known: np.ndarray, most: int) -> int:
    """How many of the first rows have, in pairs, at most so many columns in common."""
    above = np.zeros(known.shape[1], int)
    comparisons = 0
    for n, row in enumerate(known):
        comparisons += int(above[row].sum())
        if comparisons > most:
            return n
        above += row
    return len(known)


def _drawn(board: Board, model: str, benchmark: str) -> _Drawn | None:
    score = board.scores.get((model, benchmark))
    if score is None or score.status != "scored":
        return None
    try:
        found = normalized_replicates(score)
    except CortevalError:
        return _Drawn(score=score)
    if not found:
        return _Drawn(score=score)
    draws = tuple((r.scope, len(r.values), r.seed, r.draw, r.sizes) for r in found)
    return _Drawn(
        score=score,
        replicates=tuple(_with(r, np.array(r.values)) for r in found),
        alike=(score.normalization, score.ceiling is None, draws),
    )


def _with(replicates: Replicates, values: np.ndarray) -> Replicates:
    # arrays, for tuples of them would be made into arrays once more for every pair
    return replace(replicates, values=cast("tuple[float, ...]", values))


def _tested(
    first: _Drawn | None, second: _Drawn | None, why: dict[tuple[Any, Any], str]
) -> _Result:
    """What `corteval.stats.paired.compare` says of two scores.

    Args:
        first, second: of two models on one benchmark.
        why: reasons that were given to pairs like this one.
    """
    if first is None or second is None:  # a value without status, which has no test
        return _Result(reason="one of the two is no score")
    if first.alike is None or second.alike is None:
        return _Result(reason=_reason(first.score, second.score))
    if first.alike != second.alike:
        key = (first.alike, second.alike)
        if key not in why:
            why[key] = _reason(first.score, second.score)
        return _Result(reason=why[key])
    difference = first.score.value - second.score.value
    differences = [*_minus(first.replicates, second.replicates)]
    values = corrected_replicates(difference, differences, level=_LEVEL)
    if values is None or not np.isfinite([difference, *values]).all():
        return _Result(reason=_reason(first.score, second.score))
    low, high = np.quantile(values, _TAILS)
    rarer = min(1 + (values <= 0).sum(), 1 + (values >= 0).sum()) / (len(values) + 1)
    return _Result(
        difference=difference,
        low=float(low),
        high=float(high),
        p_value=float(min(1.0, 2 * rarer)),
        resamples=len(differences[0].values),
    )


def _minus(first: Sequence[Replicates], second: Sequence[Replicates]) -> Iterator[Replicates]:
    for a, b in zip(first, second, strict=True):
        yield _with(a, np.asarray(a.values) - np.asarray(b.values))


def _reason(first: Score, second: Score) -> str:
    try:
        compare(first, second)
    except CortevalError as error:
        return str(error)
    return "the difference is not a finite number"


def _whole(result: _Result, adjusted: float) -> list[int]:
    parts = (result.difference, result.low, result.high, result.p_value)
    corrected = round(SCALE * adjusted)
    if adjusted > 0.05 and corrected == round(SCALE * 0.05):
        corrected += 1  # or rounding would make it significant
    return [*(round(SCALE * part) for part in parts), corrected]
