"""Correlations between scores of models that are not independent of each other.

Models come in families: variants of one architecture, trained alike, score alike. Intervals that
count them as independent are then too narrow, and one family may carry a relation alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import Interval, Replicates, corrected_replicates
from corteval.notebook import Tabular
from corteval.stats.resampling import correlation, draw_counts

#: One name a row.
Labels = Sequence[str] | np.ndarray

#: Correlations this close to 1 are taken for it: their Fisher transform would be infinite.
_PERFECT = 1 - 1e-12


@final
@dataclass(frozen=True, kw_only=True)
class Relation(Tabular):
    """A correlation over models, and what it rests on.

    Args:
        r: Pearson correlation.
        models: how many it is of.
        interval: of r, as if models were independent.
        by_cluster: of r, with whole clusters drawn; None if nobody says which there are.
        left_out: r without each cluster, in sorted order.
    """

    r: float
    models: int
    interval: Interval
    by_cluster: Interval | None = None
    left_out: dict[str, float]

    words: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("cluster_low", "cluster_high"), "clusters are not named"),
        "most_influential": "clusters are not named",
    }

    def row(self) -> dict[str, Any]:
        """r, its intervals over models and clusters, and its range with one cluster left out."""
        clusters, nan = self.by_cluster, float("nan")
        smallest, largest = self.range
        return {
            "r": self.r,
            "models": self.models,
            "low": self.interval.low,
            "high": self.interval.high,
            "level": self.interval.level,
            "cluster_low": nan if clusters is None else clusters.low,
            "cluster_high": nan if clusters is None else clusters.high,
            "smallest_without_one": smallest if self.left_out else nan,
            "largest_without_one": largest if self.left_out else nan,
            "most_influential": self.most_influential,
        }

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest r with one cluster left out; r itself if there are no clusters."""
        found = [*self.left_out.values()] or [self.r]
        return min(found), max(found)

    @property
    def most_influential(self) -> str:
        """The cluster without which r differs most; empty if there are no clusters."""
        differences = {name: abs(r - self.r) for name, r in self.left_out.items()}
        return max(differences, key=lambda name: differences[name], default="")


def relate(
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    *,
    clusters: Labels | None = None,
    level: float = 0.95,
    resamples: int = 5000,
    seed: int = 0,
) -> Relation:
    """Correlation of two scores of the same models, with intervals and a leave-cluster-out check.

    Rows in which x or y is NaN are left out. See `correlation_interval`, `leave_cluster_out`.

    Args:
        x, y: (model).
        clusters: (model) names, such as of families.
        level: of the intervals.
        resamples: bootstrap replicates.
        seed: of the bootstrap.

    Raises:
        OptionError: if x, y and clusters differ in length.
        UndefinedScore: with fewer than four models, or if x or y does not vary.
    """
    a, b, names = _pairs(x, y, clusters)
    interval, *by_cluster = (
        correlation_interval(a, b, clusters=drawn, level=level, resamples=resamples, seed=seed)
        for drawn in ((None,) if names is None else (None, names))
    )
    return Relation(
        r=_r(a, b),
        models=len(a),
        interval=interval,
        by_cluster=by_cluster[0] if by_cluster else None,
        left_out={} if names is None else leave_cluster_out(a, b, names),
    )


def correlation_interval(
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    *,
    clusters: Labels | None = None,
    level: float = 0.95,
    resamples: int = 5000,
    seed: int = 0,
) -> Interval:
    """Bootstrap interval of a correlation, over rows or over whole clusters of rows.

        z = atanh r,    bounds = tanh(z + k (z* - median z*)),
        k = sqrt(g / (g - 1)) t(level, g - 1) / z(level)

    z* are replicates with rows or clusters drawn with replacement. g is the number of rows, or the
    effective number of clusters, (Σ n_c)² / Σ n_c², with n_c rows in cluster c: a few large ones
    tell less than as many equal ones. Source: spec ``statistics`` S15; Cameron, Gelbach and
    Miller 2008 (drawing clusters); Kish 1965 (effective number).

    Args:
        x, y: (row).
        clusters: (row) names; rows are drawn if None.
        level: nominal coverage.
        resamples: bootstrap replicates.
        seed: of the bootstrap; the order of rows does not matter for clusters.

    Raises:
        OptionError: if x, y and clusters differ in length, or an option is out of range.
        UndefinedScore: with fewer than four rows or three clusters, if x or y does not vary, or if
            over a tenth of the draws leave nothing that varies.
    """
    if not 0 < level < 1 or resamples < 2:
        raise OptionError(
            f"An interval has a level between 0 and 1, not {level}, and takes two replicates at "
            f"least, not {resamples}."
        )
    a, b, names = _pairs(x, y, clusters)
    drawn = correlation_replicates(a, b, clusters=names, resamples=resamples, seed=seed)
    centre = float(np.arctanh(np.clip(_r(a, b), -_PERFECT, _PERFECT)))
    found = corrected_replicates(centre, [drawn], level=level)
    if found is None:
        raise UndefinedScore(
            f"Over a tenth of the draws of {drawn.scope} leave no correlation: too few "
            f"{drawn.scope} carry all that varies."
        )
    low, high = np.tanh(np.quantile(found, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(
        low=float(low),
        high=float(high),
        level=level,
        method="bootstrap of Fisher's z, variance-corrected percentiles",
        scope=drawn.scope,
        resamples=resamples,
        seed=seed,
    )


def correlation_replicates(
    x: np.ndarray,
    y: np.ndarray,
    *,
    clusters: Labels | None = None,
    resamples: int = 5000,
    seed: int = 0,
) -> Replicates:
    """Fisher's z of the correlation in draws of rows, or of whole clusters.

    Args:
        x, y: (row), without NaN.
        clusters: (row) names; rows are drawn if None.
        resamples: number of draws.
        seed: of the draws.

    Raises:
        UndefinedScore: with fewer than three clusters.
    """
    weights, units = _weights(len(x), clusters, resamples, seed)
    r = np.clip(_weighted_r(np.asarray(x), np.asarray(y), weights), -_PERFECT, _PERFECT)
    scope = "models" if clusters is None else "clusters"
    values = tuple(np.arctanh(r).tolist())
    return Replicates(scope=scope, sizes=(units,), values=values, seed=seed)


def leave_cluster_out(
    x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, clusters: Labels
) -> dict[str, float]:
    """Correlation without each cluster, by its name in sorted order.

    Args:
        x, y: (row).
        clusters: (row) names.

    Returns:
        NaN where what is left does not vary.
    """
    a, b, names = _pairs(x, y, clusters)
    found = {}
    for name in np.unique(_given(names)):
        kept = names != name
        found[str(name)] = _r(a[kept], b[kept], strict=False)
    return found


def line_band(
    x: Sequence[float] | np.ndarray,
    y: Sequence[float] | np.ndarray,
    at: Sequence[float] | np.ndarray,
    *,
    clusters: Labels | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares line of y on x at `at`, and the band of its bootstrap replicates.

    The band holds the line at each place by itself with probability `level`, not at all places.

    Args:
        x, y: (row).
        at: (place) values of x.
        clusters: (row) names; rows are drawn if None.
        level: nominal coverage.
        resamples: bootstrap replicates.
        seed: of the bootstrap.

    Returns:
        line, lower and upper bound, each (place).

    Raises:
        UndefinedScore: as `correlation_interval`.
    """
    a, b, names = _pairs(x, y, clusters)
    weights, units = _weights(len(a), names, resamples, seed)
    places = np.asarray(at, np.float64)
    (line,) = _lines(a, b, np.ones((1, len(a))), places)
    drawn = _lines(a, b, weights, places)
    bounds = []
    for column, value in zip(drawn.T, line.tolist(), strict=True):
        one = Replicates(scope="models", sizes=(units,), values=tuple(column.tolist()), seed=seed)
        found = corrected_replicates(value, [one], level=level)
        if found is None:
            raise UndefinedScore("Over a tenth of the draws leave no line: x varies in too few.")
        bounds.append(np.quantile(found, [(1 - level) / 2, (1 + level) / 2]))
    low, high = np.array(bounds).T
    return line, low, high


def _weights(
    rows: int, clusters: Labels | None, resamples: int, seed: int
) -> tuple[np.ndarray, int]:
    """(resample, row) how often each is drawn, and the effective number of what is drawn."""
    if clusters is None:
        ids = [f"{number:09d}" for number in range(rows)]
        return draw_counts(ids, resamples, [seed, 3]).astype(np.float64), rows
    names, of_row, sizes = np.unique(
        np.asarray(clusters, str), return_inverse=True, return_counts=True
    )
    if len(names) < 3:
        raise UndefinedScore(
            f"{len(names)} clusters ({', '.join(names)}): nobody can tell how clusters differ from "
            "fewer than three. Leave out clusters=, or name finer ones."
        )
    counts = draw_counts(names, resamples, [seed, 4])
    effective = max(2, round(rows**2 / float((sizes.astype(np.float64) ** 2).sum())))
    return counts[:, of_row].astype(np.float64), effective


def _weighted_r(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(resample) correlations; NaN where x or y does not vary among the drawn rows."""
    a, b = _standard(x), _standard(y)
    total = weights.sum(axis=1)
    mean_a, mean_b, aa, bb, ab = (
        (weights @ column) / total for column in (a, b, a * a, b * b, a * b)
    )
    spread = (aa - mean_a**2) * (bb - mean_b**2)
    flat = np.minimum(aa - mean_a**2, bb - mean_b**2) < 1e-12
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (ab - mean_a * mean_b) / np.sqrt(spread)
    return np.where(flat, np.nan, np.clip(r, -1, 1))


def _lines(x: np.ndarray, y: np.ndarray, weights: np.ndarray, places: np.ndarray) -> np.ndarray:
    """(resample, place) values of least-squares lines; NaN where x does not vary."""
    centre, scale = x.mean(), x.std()
    a = (x - centre) / scale
    total = weights.sum(axis=1)
    mean_a, mean_y, aa, ay = ((weights @ column) / total for column in (a, y, a * a, a * y))
    variance = aa - mean_a**2
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(variance < 1e-12, np.nan, (ay - mean_a * mean_y) / variance)
    return np.asarray(
        mean_y[:, None] + slope[:, None] * ((places - centre) / scale - mean_a[:, None])
    )


def _pairs(
    x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray, clusters: Labels | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Rows that have both values."""
    a, b = (np.asarray(values, np.float64).ravel() for values in (x, y))
    names = None if clusters is None else np.asarray(clusters, str).ravel()
    if len(a) != len(b) or (names is not None and len(names) != len(a)):
        raise OptionError(
            f"x has {len(a)} values, y has {len(b)}"
            + ("." if names is None else f", and there are {len(names)} names of clusters.")
        )
    kept = np.isfinite(a) & np.isfinite(b)
    if kept.sum() < 4:
        raise UndefinedScore(f"{int(kept.sum())} models have both scores; a relation needs four.")
    a, b = a[kept], b[kept]
    for what, values in (("x", a), ("y", b)):
        if np.isnan(_standard(values)).any():
            raise UndefinedScore(f"{what} is {values[0]:g} throughout: nothing relates to it.")
    return a, b, None if names is None else names[kept]


def _standard(values: np.ndarray) -> np.ndarray:
    """Centred, of unit variance; NaN if constant but for rounding."""
    centred = values - values.mean()
    spread = centred.std()
    constant = spread <= 1e-13 * np.abs(values).max(initial=0)
    return np.asarray(centred / (np.nan if constant else spread))


def _r(x: np.ndarray, y: np.ndarray, *, strict: bool = True) -> float:
    """Correlation of two columns."""
    (r,) = correlation(x[:, None], y[:, None]) if len(x) else (np.nan,)
    if strict and np.isnan(r):
        raise UndefinedScore("There is no correlation: x or y does not vary.")
    return float(r)


def _given(names: np.ndarray | None) -> np.ndarray:
    if names is None:
        raise OptionError("Name the cluster of each row.")
    return names


__all__ = [
    "Relation",
    "correlation_interval",
    "correlation_replicates",
    "leave_cluster_out",
    "line_band",
    "relate",
]
