"""Boards: the current scores of many models on many benchmarks, and means over suites of them."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final, get_args

import numpy as np
from scipy import stats

from corteval.errors import OptionError
from corteval.intervals import Interval, corrected_replicates, degrees_of_freedom
from corteval.notebook import MOST_ROWS, Rows, Tabular, frame, table
from corteval.score import Score, normalized_replicates

if TYPE_CHECKING:
    import pandas as pd

#: Replicates of a score of which the interval alone is known.
_NORMAL = 1000

#: Benchmarks of a board that a notebook shows side by side.
_MOST_COLUMNS = 12

#: What becomes of a model that lacks a score on a benchmark of a suite.
Missing = Literal["not-ranked", "bounds", "pairwise", "zero"]


def _folded(name: str) -> tuple[str, str]:
    """Alphabetic order, the same for names that differ in case alone."""
    return name.casefold(), name


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Board:
    """Scores by model and benchmark.

    Args:
        scores: one of each cell at most; what is not there was not computed.
        ruled_out: of cells that are not there, why the model cannot do the benchmark; see
            `corteval.report.ruled_out`.
    """

    scores: Mapping[tuple[str, str], Score]
    ruled_out: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, scores: Iterable[Score]) -> Board:
        """Of `scores`; of several on one cell, the last one given."""
        return cls(scores={(s.model, s.benchmark): s for s in scores})

    def only(self, models: Collection[str]) -> Board:
        """The board of these models alone."""
        return Board(
            scores={cell: s for cell, s in self.scores.items() if cell[0] in models},
            ruled_out={cell: why for cell, why in self.ruled_out.items() if cell[0] in models},
        )

    def cell(self, model: str, benchmark: str) -> Score | None:
        """What stands in a cell: its score, or ``"not-applicable"`` where it is ruled out.

        None if it was not computed.
        """
        score = self.scores.get((model, benchmark))
        why = self.ruled_out.get((model, benchmark))
        if score is None and why is not None:
            return Score.unscored("not-applicable", why, model=model, benchmark=benchmark)
        return score

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Models in order of their names."""
        return tuple(sorted({model for model, _ in self.scores}, key=_folded))

    @cached_property
    def benchmarks(self) -> tuple[str, ...]:
        """Benchmarks in order of their names."""
        return tuple(sorted({name for _, name in self.scores}, key=_folded))

    def value(self, model: str, benchmark: str) -> float:
        """Normalised score; NaN where there is none."""
        score = self.scores.get((model, benchmark))
        return float("nan") if score is None or score.status != "scored" else score.value

    def values(
        self, models: Sequence[str] | None = None, benchmarks: Sequence[str] | None = None
    ) -> np.ndarray:
        """(model, benchmark) normalised scores; NaN where there is none."""
        rows, columns = models or self.models, benchmarks or self.benchmarks
        return np.array([[self.value(m, b) for b in columns] for m in rows]).reshape(
            len(rows), len(columns)
        )

    def draws(self, model: str, benchmark: str) -> np.ndarray | None:
        """Bootstrap replicates of a score, corrected as its interval is; None if it has none.

        Replicate b of two models on one benchmark is of the same draw, so that differences are
        paired. Of a score that has an interval only, such as one whose details were left out, they
        are normal with that interval, and independent of others.
        """
        score = self.scores.get((model, benchmark))
        if score is None or score.status != "scored":
            return None
        replicates = corrected_replicates(score.value, normalized_replicates(score))
        if replicates is None and score.interval is not None:
            replicates = _normal(score.value, score.interval, f"{model}|{benchmark}")
        return replicates

    def to_frame(self) -> pd.DataFrame:
        """One row for each model and benchmark, also for those not run; see `Score.row`."""
        bare = Score.unscored("undefined", "")
        rows = []
        for model in self.models:
            for benchmark in self.benchmarks:
                score = self.cell(model, benchmark)
                if score is None:
                    cell = {"model": model, "benchmark": benchmark, "status": "not run"}
                    rows.append(dict(bare.row()) | cell)
                else:
                    rows.append(score.row())
        return frame(rows, bare.row())

    def _repr_html_(self) -> str:
        shown = self.benchmarks[:_MOST_COLUMNS]
        rows = [
            {"model": model, **{name: self._said(model, name) for name in shown}}
            for model in self.models[:MOST_ROWS]
        ]
        left = len(self.benchmarks) - len(shown), len(self.models) - len(rows)
        title = f"Scores of {len(self.models)} models on {len(self.benchmarks)} benchmarks"
        if any(left):
            title += f"; {left[1]} models and {left[0]} benchmarks are left out here"
        return table(rows, title=title, empty="there are no scores.")

    def _said(self, model: str, benchmark: str) -> float | str:
        """The value, or the word for its lack."""
        score = self.cell(model, benchmark)
        if score is None:
            return "not run"
        return score.value if score.status == "scored" else score.status.replace("-", " ")

    def freedom(self, model: str, benchmark: str) -> float:
        """Degrees of freedom of the variance of `draws`; infinite if nothing tells."""
        score = self.scores.get((model, benchmark))
        if score is None or score.status != "scored":
            return float("inf")
        return degrees_of_freedom(normalized_replicates(score))


@final
@dataclass(frozen=True, kw_only=True)
class Mean(Tabular):
    """Weighted mean of a model over a suite.

    Args:
        model: its name.
        value: the mean; NaN if it is not ranked.
        low, high: interval at `level`; under ``"bounds"`` also for what is missing.
        lacking: benchmarks without a score.
        exact: benchmarks whose score has neither interval nor replicates: it counts as if it were
            exact, so that nobody knows how certain the mean is.
        draws: replicates of the mean, for ranks; empty if not ranked.
        freedom: degrees of freedom of their variance, Satterthwaite's; few with few subjects.
    """

    model: str
    value: float
    low: float
    high: float
    lacking: tuple[str, ...]
    exact: tuple[str, ...] = ()
    draws: np.ndarray
    freedom: float = float("inf")

    words: ClassVar[Mapping[str, str]] = {
        "value": "not ranked", "low": "no interval", "high": "no interval",
    }  # fmt: skip

    def row(self) -> dict[str, Any]:
        """Model, mean, interval, benchmarks that it lacks, and those without interval."""
        names = ("model", "value", "low", "high", "lacking", "exact")
        return {name: getattr(self, name) for name in names}


def means(
    board: Board,
    weights: Mapping[str, float],
    *,
    missing: Missing = "not-ranked",
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Rows[Mean]:
    """Means of all models over benchmarks with `weights`, which sum to 1.

        m = Σ_b w_b s_b

    Replicates of different benchmarks are drawn apart from each other, replicate k of two models
    on one benchmark together. Source: spec ``statistics`` S9, S10.

    Args:
        board: of the scores.
        weights: by benchmark.
        missing: ``"not-ranked"``: a model that lacks one has no mean. ``"bounds"``: the interval
            runs from all lacking scores being the smallest on the board to the largest.
            ``"pairwise"``: mean of w-weighted shares of models beaten where both have scores.
            ``"zero"``: lacking scores are 0 and others are clipped to [0, 1], as the field's
            leaderboard does it.
        level: of the intervals.
        resamples: replicates of each mean.
        seed: by which replicates of benchmarks are put together.

    Raises:
        OptionError: for another `missing`.
    """
    if missing not in get_args(Missing):
        raise OptionError(f"missing is one of {', '.join(get_args(Missing))}, not {missing!r}.")
    names, shares = [*weights], np.array([*weights.values()])
    values = board.values(benchmarks=names)
    replicates, freedom = _replicates(board, names, resamples, seed)
    if missing == "zero":
        values = np.clip(np.nan_to_num(values, nan=0.0), 0, 1)
        replicates = np.clip(np.nan_to_num(replicates, nan=0.0), 0, 1)
    if missing == "pairwise":
        values, replicates = _win_rates(values), _win_rates(replicates)
    found = Rows[Mean]()
    tails = [(1 - level) / 2, (1 + level) / 2]
    for row, model in enumerate(board.models):
        lacks = np.isnan(board.values([model], names)[0])
        lacking = tuple(n for n, gone in zip(names, lacks, strict=True) if gone)
        value = float(values[row] @ shares)
        draws = replicates[row].T @ shares
        if missing == "pairwise" and not lacks.all():
            own = shares[~lacks] / shares[~lacks].sum()
            value = float(values[row][~lacks] @ own)
            draws = replicates[row][~lacks].T @ own
        known = [n for n in names if n not in lacking]
        exact = tuple(n for n in known if np.isnan(freedom[row, names.index(n)]))
        certain = np.isfinite(draws).all() and not exact
        low, high = np.quantile(draws, tails) if certain else (np.nan, np.nan)
        if missing == "bounds" and lacking and not lacks.all():
            low, high = _bounds(values, replicates[row], shares, lacks, tails)
        found.append(
            Mean(
                model=model,
                value=value,
                low=float(low),
                high=float(high),
                lacking=lacking,
                exact=exact,
                draws=draws if np.isfinite(draws).all() else np.empty(0),
                freedom=_freedom_of_sum(shares[:, None] * replicates[row], freedom[row]),
            )
        )
    return found


def _freedom_of_sum(draws: np.ndarray, freedom: np.ndarray) -> float:
    """Satterthwaite's degrees of freedom of a sum of variances: (Σ V)² / Σ (V² / df).

    Args:
        draws: (benchmark, replicate) of the summands.
        freedom: (benchmark) degrees of freedom; NaN of what does not vary.
    """
    variance = np.where(np.isnan(freedom), 0, draws.var(axis=1))
    below = np.nansum(variance**2 / freedom)
    return float(variance.sum() ** 2 / below) if below > 0 else float("inf")


def _replicates(
    board: Board, names: Sequence[str], resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """(model, benchmark, replicate) normalised scores, and (model, benchmark) their freedom.

    Freedom is NaN where a score has no replicates.
    """
    rng = np.random.default_rng(seed)
    found = np.full((len(board.models), len(names), resamples), np.nan)
    freedom = np.full((len(board.models), len(names)), np.nan)
    for column, name in enumerate(names):
        chosen: dict[int, np.ndarray] = {}  # by their number, so that models stay paired
        for row, model in enumerate(board.models):
            draws = board.draws(model, name)
            if draws is None:
                found[row, column] = board.value(model, name)
                continue
            if len(draws) not in chosen:
                chosen[len(draws)] = _shuffled(rng, len(draws), resamples)
            found[row, column] = draws[chosen[len(draws)]]
            freedom[row, column] = board.freedom(model, name)
    return found, freedom


def _normal(value: float, interval: Interval, name: str) -> np.ndarray:
    """Quantiles of a normal distribution with an interval, in an order that `name` gives."""
    spread = (interval.high - interval.low) / 2 / stats.norm.ppf((1 + interval.level) / 2)
    places = (np.arange(_NORMAL) + 0.5) / _NORMAL
    seed = [interval.seed, zlib.crc32(name.encode())]
    shuffled = np.random.default_rng(seed).permutation(places)
    return np.asarray(value + spread * stats.norm.ppf(shuffled))


def _shuffled(rng: np.random.Generator, count: int, resamples: int) -> np.ndarray:
    """Numbers of replicates in a random order, all of them as often as each other."""
    rounds = -(-resamples // count)
    return np.concatenate([rng.permutation(count) for _ in range(rounds)])[:resamples]


def _win_rates(values: np.ndarray) -> np.ndarray:
    """Share of the other models that a model beats, ties as half; (model, benchmark, ...)."""
    rates = np.full(values.shape, np.nan)
    for row in range(len(values)):
        others = np.delete(values, row, axis=0)
        both = np.isfinite(others) & np.isfinite(values[row])
        wins = (values[row] > others) + 0.5 * (values[row] == others)
        with np.errstate(invalid="ignore"):
            rates[row] = np.where(both, wins, 0).sum(axis=0) / both.sum(axis=0)
    return rates


def _bounds(
    values: np.ndarray,
    replicates: np.ndarray,
    shares: np.ndarray,
    lacks: np.ndarray,
    tails: Sequence[float],
) -> tuple[float, float]:
    """Interval of a mean whose lacking parts are anything that was ever scored."""
    known = replicates[~lacks].T @ shares[~lacks]
    with np.errstate(all="ignore"):
        lowest = np.nan_to_num(np.nanmin(values[:, lacks], axis=0, initial=np.inf), posinf=0.0)
        highest = np.nan_to_num(np.nanmax(values[:, lacks], axis=0, initial=-np.inf), neginf=1.0)
    low, high = np.quantile(known, tails)
    return float(low + shares[lacks] @ lowest), float(high + shares[lacks] @ highest)
