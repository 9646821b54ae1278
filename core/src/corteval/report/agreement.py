"""How benchmarks agree over models: scatter plots of pairs, and the matrix of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corteval.errors import UndefinedScore
from corteval.report.charts import scatter
from corteval.report.document import clean
from corteval.report.matrix import FEWEST_MODELS, heat_map, matrix
from corteval.stats.board import Board
from corteval.stats.relations import relate

#: Pairs of benchmarks up to which all are shown; of more, the first and the last.
_MOST_PAIRS = 6


def relations(board: Board, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Pairs of benchmarks as scatter plots, the most alike first: all, or the two at the ends."""
    if len(columns) < 2 or not board.models:
        return []
    values = board.values(benchmarks=columns)
    pairs = correlations(values)
    shown = pairs[::-1] if len(pairs) <= _MOST_PAIRS else [pairs[-1], pairs[0]]
    found = []
    for r, i, j in shown:
        both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
        names = [clean(m) for m, kept in zip(board.models, both, strict=True) if kept]
        labels = (clean(columns[i]), clean(columns[j]))
        found.append(
            {
                "labels": labels,
                "r": f"{r:.2f}",
                "models": int(both.sum()),
                "chart": scatter(values[both, i], values[both, j], names, labels),
            }
            | _told(values[both, i], values[both, j])
        )
    return found


def correlations(values: np.ndarray) -> list[tuple[float, int, int]]:
    """Pearson correlation of each pair of columns that share four models and vary, smallest first.

    r = Σ w x y - Σ w x Σ w y / n over the root of the same for x and y, w = 1 where both are known.
    """
    known = np.isfinite(values).astype(np.float64)
    counts = np.maximum(known.sum(axis=0), 1)
    filled = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    filled = known * (filled - filled.sum(axis=0) / counts)  # centred, or squares drown the rest
    n = known.T @ known
    sums, squares = filled.T @ known, (filled**2).T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = squares - sums**2 / n
        r = (filled.T @ filled - sums * sums.T / n) / np.sqrt(spread * spread.T)
    found = []
    for i, j in zip(*np.triu_indices(values.shape[1], 1), strict=True):
        varies = all(spread[p] > 1e-12 * squares[p] for p in ((i, j), (j, i)))
        if n[i, j] >= FEWEST_MODELS and varies:
            found.append((round(float(np.clip(r[i, j], -1, 1)), 12), int(i), int(j)))
    return sorted(found)


def _told(x: np.ndarray, y: np.ndarray) -> dict[str, str]:
    """Interval of r over models in words, or why there is none."""
    try:
        interval = relate(x, y).interval
    except UndefinedScore as error:
        return {"interval": "", "reason": str(error)}
    return {"interval": f"{interval.low:.2f} to {interval.high:.2f}", "reason": ""}


def agreement(board: Board, columns: Sequence[str]) -> dict[str, Any] | None:
    """Rank correlations of all pairs of benchmarks, as a heat map and a table; None without any."""
    found = matrix(board, columns)
    if not found.known:
        return None
    names = [clean(b) for b in found.benchmarks]
    return {
        "names": names,
        "chart": heat_map(found, names),
        "rows": [*zip(names, found.pairs, strict=True)],
        "left_out": found.left_out,
    }
