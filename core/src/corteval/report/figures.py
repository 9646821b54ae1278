"""Figures of a board for print: heat map, scatter, ranks and differences, with their numbers."""

from __future__ import annotations

import csv
import io
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, final

import numpy as np

from corteval.errors import CortevalError, OptionError, UndefinedScore
from corteval.notebook import frame
from corteval.report import pictures
from corteval.report.bars import FORMATS
from corteval.report.origin import is_published
from corteval.score import Score
from corteval.sharing import private_data
from corteval.stats.board import Board, Mean
from corteval.stats.paired import compare
from corteval.stats.ranks import Rank, holm, out_of_reach
from corteval.stats.relations import line_band, relate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Rows that fit a file; beyond, models are to be chosen.
MOST_ROWS = 1500


@final
@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A figure and its numbers.

    Args:
        rows: dataclasses of one kind: what is drawn.
        facts: what is said of them all, as JSON types.
        draw: makes the figure.
        board: of the scores, for what must be said of them.
        remark: what else must be said.
    """

    rows: Sequence[Any]
    facts: Mapping[str, Any]
    draw: Callable[[], Figure]
    board: Board = field(default_factory=lambda: Board(scores={}))
    remark: str = ""

    def to_frame(self) -> Any:
        """The numbers as a data frame, one line a row."""
        return frame([asdict(row) for row in self.rows])

    def _repr_png_(self) -> bytes:
        return self.picture(".png")

    def csv(self) -> str:
        """The numbers, one line a row; what is not known is empty."""
        names = [field.name for field in fields(self.rows[0])]
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(getattr(row, name)) for name in names] for row in self.rows)
        return text.getvalue()

    def picture(self, suffix: str) -> bytes:
        """The file; the same bytes for the same scores.

        Raises:
            OptionError: if `suffix` is none of `FORMATS`, or matplotlib is missing.
        """
        if suffix not in FORMATS:
            raise OptionError(f"Figures are written as {', '.join(FORMATS)}, not as {suffix!r}.")
        pictures.check_drawable()
        stream = io.BytesIO()
        with pictures.inert(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")
            figure = self.draw()
            said = [_remarks(self.board.scores.values()), self.remark]
            if any(said):
                words = "; ".join(filter(None, said))
                figure.supxlabel(words, fontsize=7, color=pictures.WORDS_GREY)
            pictures.save(figure, stream, suffix[1:])
        return stream.getvalue()


@final
@dataclass(frozen=True, kw_only=True)
class HeatCell:
    """A cell of a heat map."""

    model: str
    benchmark: str
    status: str
    value: float
    low: float
    high: float


@final
@dataclass(frozen=True, kw_only=True)
class Point:
    """A model of a scatter, or, with kind ``"line"``, a place of the regression line."""

    kind: str
    model: str
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float


@final
@dataclass(frozen=True, kw_only=True)
class RankRow:
    """A model's place and mean; group 0 is of scores without intervals."""

    model: str
    rank: int
    low: int
    high: int
    probability_best: float
    group: int
    mean: float
    mean_low: float
    mean_high: float


@final
@dataclass(frozen=True, kw_only=True)
class Difference:
    """First model minus second, on one benchmark."""

    benchmark: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    p_holm: float
    reason: str


def heatmap(board: Board) -> Drawing:
    """Models by benchmarks; models with the highest mean of their scores on top.

    Raises:
        OptionError: if there is nothing to draw, or too much.
    """
    _check_size(board)
    values = board.values()
    known = np.isfinite(values)
    sums = np.where(known, values, 0).sum(axis=1)
    means = np.where(known.any(axis=1), sums / np.maximum(known.sum(axis=1), 1), -np.inf)
    order = np.argsort(-means, kind="stable")
    models = [board.models[n] for n in order]
    rows = [_heat_cell(board, model, name) for model in models for name in board.benchmarks]
    facts = {"models": len(models), "benchmarks": len(board.benchmarks)}
    return Drawing(
        rows=rows,
        facts=facts,
        draw=lambda: pictures.draw_heatmap(rows, models, board.benchmarks),
        board=board,
    )


def scatter(board: Board, x: str, y: str) -> Drawing:
    """Two benchmarks against each other, a point a model, with line, band and correlation.

    The band is that of bootstrap draws of models (95 %, at each place by itself); r comes with its
    interval over models. See `corteval.stats.relations`.

    Raises:
        OptionError: if no model has both scores.
    """
    both = [m for m in board.models if np.isfinite([board.value(m, x), board.value(m, y)]).all()]
    if not both:
        raise OptionError(f"No model has a score on both {x} and {y}.")
    rows = [_point(board, model, x, y) for model in both]
    across, up = (np.array([board.value(m, name) for m in both]) for name in (x, y))
    facts: dict[str, Any] = {"models": len(both), "r": None, "low": None, "high": None}
    try:
        relation = relate(across, up)
        facts |= {"r": relation.r, "low": relation.interval.low, "high": relation.interval.high}
        grid = np.linspace(across.min(), across.max(), 50)
        for place, *line in zip(grid, *line_band(across, up, grid), strict=True):
            middle, low, high = map(float, line)
            rows.append(_line_point(float(place), middle, low, high))
        words = (
            f"r = {relation.r:.2f} (95 % interval {relation.interval.low:.2f} to "
            f"{relation.interval.high:.2f}, over {len(both)} models)"
        )
    except UndefinedScore as error:
        words = str(error)
    shown = Board(scores={k: s for k, s in board.scores.items() if k[0] in both and k[1] in (x, y)})
    return Drawing(
        rows=rows, facts=facts, draw=lambda: pictures.draw_scatter(rows, x, y, words), board=shown
    )


def rank_intervals(
    board: Board, name: str, means: Sequence[Mean], placed: Sequence[Rank]
) -> Drawing:
    """Ranks with their intervals, the best on top; shades alternate between groups of ties.

    Args:
        board: of the scores.
        name: of the suite.
        means, placed: of `corteval.stats.board.means` and `corteval.stats.ranks.ranks`.

    Raises:
        OptionError: if no model is ranked.
    """
    if not placed:
        raise OptionError(
            f"No model has a score on each benchmark of {name}, so none is ranked; --missing says "
            "what else may become of them."
        )
    _check_size(board)
    of = {mean.model: mean for mean in means}
    rows = [
        RankRow(
            model=rank.model,
            rank=rank.rank,
            low=rank.low,
            high=rank.high,
            probability_best=rank.probability_best,
            group=rank.group,
            mean=of[rank.model].value,
            mean_low=of[rank.model].low,
            mean_high=of[rank.model].high,
        )
        for rank in placed
    ]
    exact = sum(bool(of[row.model].exact) for row in rows)
    facts = {"name": name, "ranked": len(rows), "not_ranked": len(of) - len(rows), "exact": exact}
    return Drawing(
        rows=rows, facts=facts, draw=lambda: pictures.draw_ranks(rows, facts), board=board
    )


def differences(board: Board, first: str, second: str) -> Drawing:
    """First minus second on every benchmark that both have a score on, with paired intervals.

    p-values are of the paired bootstrap, then Holm's over the benchmarks.

    Raises:
        OptionError: if they share no benchmark.
    """
    found, p_values = {}, {}
    for name in board.benchmarks:
        a, b = board.scores.get((first, name)), board.scores.get((second, name))
        if a is not None and b is not None and a.status == b.status == "scored":
            found[name] = (a, b)
    if not found:
        raise OptionError(f"{first} and {second} have scores on no benchmark in common.")
    bounds, reasons, resamples = {}, {}, 0
    for name, pair in found.items():
        try:
            result = compare(*pair)
            bounds[name] = (result.interval.low, result.interval.high)
            p_values[name] = result.p_value
            resamples = max(resamples, result.interval.resamples)
        except CortevalError as error:
            reasons[name] = str(error)
    adjusted = holm(p_values)
    nan = math.nan
    rows = [
        Difference(
            benchmark=name,
            first=a.value,
            second=b.value,
            difference=a.value - b.value,
            low=bounds.get(name, (nan, nan))[0],
            high=bounds.get(name, (nan, nan))[1],
            p=p_values.get(name, nan),
            p_holm=adjusted.get(name, nan),
            reason=reasons.get(name, ""),
        )
        for name, (a, b) in found.items()
    ]
    rows.sort(key=lambda row: -row.difference)
    certain = [row.difference for row in rows if row.p_holm <= 0.05]
    facts = {
        "first": first,
        "second": second,
        "benchmarks": len(rows),
        "better": sum(d > 0 for d in certain),
        "worse": sum(d < 0 for d in certain),
    }
    shown = Board.of(score for pair in found.values() for score in pair)
    return Drawing(
        rows=rows,
        facts=facts,
        draw=lambda: pictures.draw_differences(rows, first, second),
        board=shown,
        remark=out_of_reach(len(p_values), resamples) if p_values else "",
    )


def _check_size(board: Board) -> None:
    if not board.scores:
        raise OptionError("There are no scores to draw.")
    if len(board.models) > MOST_ROWS:
        raise OptionError(
            f"{len(board.models)} models do not fit a figure, {MOST_ROWS} do: choose with --models."
        )


def _remarks(scores: Iterable[Score]) -> str:
    """What must be said of the scores that are shown."""
    shown = [*scores]
    private = sorted({name for score in shown for name in private_data(score)})
    published = sum(is_published(s) and s.status == "scored" for s in shown)
    said = [f"on private data ({', '.join(private)})"] if private else []
    if published:
        scored = sum(s.status == "scored" for s in shown)
        many = "all" if published == scored else f"{published} of {scored}"
        said.append(f"{many} scores were published and not computed here")
    return "; ".join(said)


def _heat_cell(board: Board, model: str, benchmark: str) -> HeatCell:
    score = board.cell(model, benchmark)
    low, high = _bounds(score)
    status = "absent" if score is None else score.status
    value = board.value(model, benchmark)
    return HeatCell(
        model=model, benchmark=benchmark, status=status, value=value, low=low, high=high
    )


def _point(board: Board, model: str, x: str, y: str) -> Point:
    across, up = board.scores[model, x], board.scores[model, y]
    (x_low, x_high), (y_low, y_high) = _bounds(across), _bounds(up)
    return Point(
        kind="model", model=model, x=across.value, x_low=x_low, x_high=x_high, y=up.value,
        y_low=y_low, y_high=y_high,
    )  # fmt: skip


def _line_point(x: float, y: float, low: float, high: float) -> Point:
    nan = math.nan
    return Point(kind="line", model="", x=x, x_low=nan, x_high=nan, y=y, y_low=low, y_high=high)


def _bounds(score: Score | None) -> tuple[float, float]:
    if score is None or score.interval is None:
        return math.nan, math.nan
    return score.interval.low, score.interval.high


def _text(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return str(value)
