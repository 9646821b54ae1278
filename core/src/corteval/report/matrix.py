"""Rank correlations between benchmarks, as a heat map and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from markupsafe import Markup

from corteval.report.charts import drawing, ends
from corteval.stats.board import Board

#: Benchmarks beyond which those with the fewest scores are left out.
MOST_BENCHMARKS = 30
#: Models that two benchmarks must share to be set against each other, as `corteval.stats.relations`
#: wants them: rank correlations of three models are 1, 1/2, -1/2 or -1, each by chance often.
FEWEST_MODELS = 4
_CELL, _TOP = 24, 22
_LETTERS, _LETTER = 42, 6.8  # of a name, and the width of one in pixels


@final
@dataclass(frozen=True, kw_only=True)
class Pair:
    """Agreement of two benchmarks.

    Args:
        rho: Spearman correlation over the models with a score on both; None where it is undefined.
        models: number of these.
        reason: why it is undefined.
    """

    rho: float | None
    models: int
    reason: str = ""

    @property
    def text(self) -> str:
        """Two decimals, or why there are none."""
        return self.reason if self.rho is None else f"{self.rho:.2f}"


@final
@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Rank correlations of benchmarks.

    Args:
        benchmarks: those it is of, in the order given.
        pairs: (row, column), symmetric; of a benchmark with itself None.
        left_out: number of benchmarks that are not in it.
    """

    benchmarks: tuple[str, ...]
    pairs: tuple[tuple[Pair | None, ...], ...]
    left_out: int = 0

    @property
    def known(self) -> bool:
        """Whether any two benchmarks can be set against each other."""
        return any(pair is not None and pair.rho is not None for row in self.pairs for pair in row)


def matrix(board: Board, benchmarks: Sequence[str], *, most: int = MOST_BENCHMARKS) -> Matrix:
    """Spearman's rank correlation of each pair of benchmarks, over the models that both have.

        rho = r(rank x, rank y),    equal scores share their mean rank

    Args:
        board: of the scores.
        benchmarks: candidates, in the order to show them.
        most: of them at most, those with most scores; of equally many, the first ones.
    """
    values = (
        board.values(benchmarks=benchmarks) if benchmarks and board.models else np.empty((0, 0))
    )
    counts = np.isfinite(values).sum(axis=0)
    places = sorted(range(values.shape[1]), key=lambda j: (-counts[j], j))[:most]
    places = sorted(j for j in places if counts[j])
    pairs: list[list[Pair | None]] = [[None] * len(places) for _ in places]
    for a, i in enumerate(places):
        for b, j in enumerate(places[:a]):
            pairs[a][b] = pairs[b][a] = spearman(values[:, i], values[:, j])
    return Matrix(
        benchmarks=tuple(benchmarks[j] for j in places),
        pairs=tuple(map(tuple, pairs)),
        left_out=len(benchmarks) - len(places),
    )


def spearman(x: np.ndarray, y: np.ndarray) -> Pair:
    """Agreement of two benchmarks; NaN is no score. See `matrix`."""
    from scipy.stats import rankdata

    both = np.isfinite(x) & np.isfinite(y)
    count = int(both.sum())
    if count < FEWEST_MODELS:
        reason = f"too few models ({count} of {FEWEST_MODELS})" if count else "no model on both"
        return Pair(rho=None, models=count, reason=reason)
    first, second = rankdata(x[both]), rankdata(y[both])
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Pair(rho=None, models=count, reason="all models score alike")
    return Pair(rho=float(np.corrcoef(first, second)[0, 1]), models=count)


def heat_map(found: Matrix, names: Sequence[str]) -> Markup:
    """The lower triangle, blue for agreement and brown for its opposite, with the number in each.

    Args:
        found: correlations.
        names: of its benchmarks, as they are to be shown.
    """
    count = len(names)
    told = [ends(name, _LETTERS) for name in names]
    left = round(max((_LETTER * len(f"{t} {count}") for t in told), default=0)) + 12
    parts = []
    for row in range(count):
        y = _TOP + _CELL * row
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="end">{} {}</text>').format(
                left - 6, y + 16, told[row], row + 1
            )
        )
        for column in range(row):
            pair = found.pairs[row][column]
            if pair is not None:
                parts.append(_square(pair, left + _CELL * column, y, f"{row + 1} and {column + 1}"))
        if row < count - 1:
            parts.append(
                Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
                    left + _CELL * (row + 0.5), _TOP + _CELL * count + 14, row + 1
                )
            )
    width, height = left + _CELL * count, _TOP + _CELL * count + 20
    title = f"Spearman correlations between {count} benchmarks"
    return drawing(height, title, Markup("").join(parts), width=width, fixed=True)


def _square(pair: Pair, x: int, y: int, which: str) -> Markup:
    if pair.rho is None:
        fill, ink, text = "none", "", "–"
    else:
        fill, dark = _colour(pair.rho)
        ink = "on-dark" if dark else "on-light"
        text = f"{pair.rho:.2f}".replace("0.", ".", 1)
        text = {"1.00": "1", "-1.00": "-1"}.get(text, text)
    return Markup(
        '<g><title>{}: {}, {} models</title><rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
        '<text class="in {}" x="{}" y="{}" text-anchor="middle">{}</text></g>'
    ).format(
        which, pair.text, pair.models, x, y, _CELL - 1, _CELL - 1, fill, ink, x + 11.5, y + 15, text
    )


def _colour(rho: float) -> tuple[str, bool]:
    """Between white at 0 and blue at 1 or brown at -1; and whether white is read better on it."""
    end = (0, 70, 127) if rho >= 0 else (140, 60, 0)
    share = min(1.0, abs(rho))
    red, green, blue = (round(255 + (c - 255) * share) for c in end)
    linear = [((c / 255 + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return f"#{red:02x}{green:02x}{blue:02x}", luminance < 0.179
