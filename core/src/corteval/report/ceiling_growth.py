"""How the noise ceiling of a benchmark grows with subjects or trials, and what it grows to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast, final, runtime_checkable

import numpy as np
import xarray as xr

from corteval import over_time as over
from corteval import registry
from corteval.assembly import is_neural
from corteval.benchmark import Benchmark, NeuralBenchmark
from corteval.errors import CortevalError, OptionError, UndefinedScore
from corteval.intervals import interval_of
from corteval.metric import Ceiling
from corteval.report import pictures
from corteval.report.figures import Drawing
from corteval.score import Estimate
from corteval.scoring import build_benchmark
from corteval.stats.resampling import central, subjects_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Draws of trials at each number of them.
_DRAWS = 5

#: The curve is drawn to this many times the number that is recorded.
_BEYOND = 3


@runtime_checkable
class Saturating(Protocol):
    """A ceiling that is the asymptote of a growth with subjects, v(x) = v0 (1 - exp(-x / tau))."""

    def per_neuroid(self, assembly: xr.DataArray) -> xr.Dataset:
        """``ceiling`` (v0) and ``tau`` of each neuroid, (neuroid), with coordinate ``subject``."""


@runtime_checkable
class Grown(Protocol):
    """One that also tells the scores that its curves are fitted to."""

    def growth(self, assembly: xr.DataArray) -> xr.Dataset:
        """``score`` (number, neuroid): mean score of each neuroid at ``number`` of subjects."""


@final
@dataclass(frozen=True, kw_only=True)
class GrowthPoint:
    """A place of the figure; NaN is what is not known.

    Args:
        kind: ``"measured"``, ``"curve"`` or ``"ceiling"``, whose count is infinite or, of trials,
            all there are.
        of: ``"subjects"`` or ``"trials"``.
        count: how many of them.
        value: of the ceiling.
        low, high: of what is measured, the range over draws of trials or the middle half of
            neuroids; of the curve the middle half of neuroids, if it is of neuroids; of the ceiling
            its 95 % interval.
        reason: why there is no value.
    """

    kind: str
    of: str
    count: float
    value: float
    low: float
    high: float
    reason: str = ""


def ceiling_growth(benchmark: str | Benchmark, *, seed: int = 0) -> Drawing:
    """The ceiling of a benchmark, with what it is extrapolated from.

    A ceiling that extrapolates over subjects shows, at x subjects, the median over neuroids (or the
    mean over subjects of these) of v0 (1 - exp(-x / tau)). A reliability r of N trials shows the
    law of Spearman and Brown,

        r(n) = n r1 / (1 + (n - 1) r1),    r1 = r / (N - (N - 1) r),

    beside the estimates from n < N trials, drawn without replacement: the law holds where these lie
    on it. Source: spec ``metrics``, Language 2.5; ``statistics`` S8.

    Args:
        benchmark: neural, with a ceiling.
        seed: of the draws of trials.

    Raises:
        OptionError: if its ceiling does not grow with either.
        UndefinedScore: if there is no ceiling.
    """
    built = build_benchmark(benchmark)
    name = built.card.identifier
    if not isinstance(built, NeuralBenchmark) or not built.card.ceiling:
        raise OptionError(
            f"{name} has no ceiling that is estimated from recordings of units; `corteval info "
            f"{name}` says what it has."
        )
    estimate = built.ceiling()
    (*_, data) = built.recordings()
    options = dict(built.ceiling_options)
    estimator: object = registry.metrics.create(built.card.ceiling, seed=built.seed, **options)
    if isinstance(estimator, Saturating) and subjects_of(data) is not None:
        rows = _with_subjects(estimator, data, estimate)
    elif estimate.quantity == "reliability" and data.sizes.get("trial", 0) > 2:
        rows = _with_trials(built, data, estimate, seed)
    else:
        raise OptionError(
            f"The ceiling of {name} ({built.card.ceiling}) is extrapolated neither over subjects "
            "nor over trials: there is no curve to draw."
        )
    names = [n for n in built.card.data if registry.data_card(n).access == "private"]
    facts = {
        "benchmark": name,
        "estimator": built.card.ceiling,
        "of": rows[0].of,
        "recorded": _recorded(rows, data),
        "ceiling": estimate.value,
    }
    return Drawing(
        rows=rows,
        facts=facts,
        draw=lambda: _draw(rows, facts),
        remark=f"on private data ({', '.join(names)})" if names else "",
    )


def _recorded(rows: Sequence[GrowthPoint], data: xr.DataArray) -> float:
    """Subjects, or trials a stimulus."""
    if rows[0].of == "subjects":
        return float(len(np.unique(data["subject"].values)))
    return max(row.count for row in rows if row.kind == "measured")


def spearman_brown(reliability: float, measured: float, count: np.ndarray) -> np.ndarray:
    """Reliability of `count` trials that has `reliability` with `measured` of them.

    >>> spearman_brown(2 / 3, 2, np.array([1, 2])).round(3).tolist()
    [0.5, 0.667]
    """
    one = reliability / (measured - (measured - 1) * reliability)
    return np.asarray(count * one / (1 + (count - 1) * one))


def _with_subjects(
    estimator: Saturating, data: xr.DataArray, estimate: Estimate
) -> list[GrowthPoint]:
    fits = estimator.per_neuroid(data)
    if not {"ceiling", "tau"} <= set(fits.data_vars):
        raise OptionError(
            "The ceiling is no extrapolation over subjects: there is no curve to draw."
        )
    v0, tau = (np.asarray(fits[name].values, float) for name in ("ceiling", "tau"))
    groups = fits["subject"].values if "subject" in fits.coords else None
    if np.isclose(central(v0, groups=None), estimate.value, atol=1e-9):
        groups = None  # the estimator pools neuroids, whomever they are of
    recorded = len(np.unique(data["subject"].values))
    rows = []
    if isinstance(estimator, Grown):
        scores = estimator.growth(data)["score"].transpose("number", "neuroid")
        for count, row in zip(scores["number"].values, scores.values, strict=True):
            rows.append(_of_neuroids("measured", float(count), row, groups))
    for count in np.linspace(0, _BEYOND * recorded, 25 * _BEYOND + 1):
        with np.errstate(invalid="ignore", over="ignore"):
            curve = v0 * -np.expm1(-count / tau)
        rows.append(_of_neuroids("curve", float(count), curve, groups))
    return [*rows, _asymptote(estimate, "subjects", math.inf)]


def _of_neuroids(
    kind: str, count: float, values: np.ndarray, groups: np.ndarray | None
) -> GrowthPoint:
    kept = values[np.isfinite(values)]
    low, high = np.quantile(kept, [0.25, 0.75]) if kept.size else (math.nan, math.nan)
    return GrowthPoint(
        kind=kind, of="subjects", count=count, value=float(central(values, groups=groups)),
        low=float(low), high=float(high), reason="" if kept.size else "no neuroid has a score",
    )  # fmt: skip


def _with_trials(
    benchmark: NeuralBenchmark, data: xr.DataArray, estimate: Estimate, seed: int
) -> list[GrowthPoint]:
    """Estimates from few trials and from all; where stimuli have unequally many, all is a mean."""
    each = _trials_of(data)
    recorded = float(len(each) / (1 / each).sum())  # the noise of means is that of so many
    estimator = _fast(benchmark)
    rng = np.random.default_rng(seed)
    fewest = int(each.min())
    counts = sorted({*np.linspace(2, fewest, min(8, max(fewest - 1, 1))).round().astype(int)})
    rows = []
    for count in (int(n) for n in counts if 2 <= n < recorded):
        found, reason = [], ""
        for _ in range(_DRAWS):
            try:
                found.append(_estimated(benchmark, estimator, _drawn(data, count, rng)))
            except CortevalError as error:
                reason = str(error)
        known = [value for value in found if math.isfinite(value)]
        value, low, high = math.nan, math.nan, math.nan
        if known:
            value, low, high = float(np.mean(known)), min(known), max(known)
        rows.append(_trial_point("measured", count, value, low, high, "" if known else reason))
    rows.append(_trial_point("measured", recorded, estimate.value))
    if 0 < estimate.value < 1:
        grid = np.linspace(1, _BEYOND * recorded, 25 * _BEYOND)
        curve = spearman_brown(estimate.value, recorded, grid)
        rows += [
            _trial_point("curve", float(n), float(v)) for n, v in zip(grid, curve, strict=True)
        ]
    return [*rows, _asymptote(estimate, "trials", recorded)]


def _trial_point(
    kind: str,
    count: float,
    value: float,
    low: float = math.nan,
    high: float = math.nan,
    reason: str = "",
) -> GrowthPoint:
    return GrowthPoint(
        kind=kind, of="trials", count=count, value=value, low=low, high=high, reason=reason
    )


def _trials_of(data: xr.DataArray) -> np.ndarray:
    """(presentation) how many trials each stimulus has."""
    others = [dim for dim in data.dims if dim not in ("presentation", "trial")]
    present = data.notnull().any(others).transpose("presentation", "trial").values
    counts = present.sum(axis=1)
    if not counts.size or counts.min() < 1:
        raise UndefinedScore("A stimulus has no trial: there is no growth to draw.")
    return np.asarray(counts, float)


def _drawn(data: xr.DataArray, count: int, rng: np.random.Generator) -> xr.DataArray:
    """`count` trials of each stimulus, drawn without replacement from those it has."""
    last = data.transpose("presentation", ..., "trial")
    values = last.values
    inner = tuple(range(1, values.ndim - 1))
    keys = rng.random((values.shape[0], values.shape[-1]))
    keys[np.isnan(values).all(axis=inner)] = np.inf
    order = np.argsort(keys, axis=1)[:, :count]
    order = order.reshape(len(order), *(1 for _ in inner), count)
    taken = np.take_along_axis(values, order, axis=-1)
    coords = {n: c for n, c in last.coords.items() if "trial" not in c.dims}
    return xr.DataArray(taken, dims=last.dims, coords=coords, attrs=data.attrs).transpose(
        *data.dims
    )


def _fast(benchmark: NeuralBenchmark) -> Ceiling:
    """The estimator without bootstrap replicates, if it has any to leave out."""
    name, options = str(benchmark.card.ceiling), dict(benchmark.ceiling_options)
    create = registry.metrics.create
    try:
        return cast("Ceiling", create(name, **{**options, "seed": benchmark.seed, "resamples": 0}))
    except OptionError:
        return cast("Ceiling", create(name, **{**options, "seed": benchmark.seed}))


def _estimated(benchmark: NeuralBenchmark, estimator: Ceiling, data: xr.DataArray) -> float:
    if benchmark.over_time in ("each", "whole") and is_neural(data):
        return over.mean_estimate([estimator(part) for part in over.in_each_bin(data)]).value
    return estimator(data).value


def _asymptote(estimate: Estimate, of: str, count: float) -> GrowthPoint:
    interval = interval_of(estimate.value, estimate.replicates)
    low, high = (math.nan, math.nan) if interval is None else (interval.low, interval.high)
    return GrowthPoint(kind="ceiling", of=of, count=count, value=estimate.value, low=low, high=high)


def _draw(rows: Sequence[GrowthPoint], facts: dict[str, Any]) -> Figure:
    from matplotlib.ticker import MaxNLocator

    figure, axis = pictures.new_figure(5.0, 3.8)
    curve, measured = ([r for r in rows if r.kind == kind] for kind in ("curve", "measured"))
    (ceiling,) = (r for r in rows if r.kind == "ceiling")
    of, recorded = ceiling.of, facts["recorded"]
    law = "v0 (1 - exp(-x / tau))" if of == "subjects" else "Spearman and Brown"
    if curve:
        x = [r.count for r in curve]
        axis.fill_between(
            x, [r.low for r in curve], [r.high for r in curve], color=pictures.BLUE, alpha=0.14,
            lw=0, label="middle half of neuroids" if of == "subjects" else None,
        )  # fmt: skip
        axis.plot(x, [r.value for r in curve], color=pictures.BLUE, lw=1.3, label=law)
    for point in measured:
        axis.plot([point.count] * 2, [point.low, point.high], color=pictures.ORANGE, lw=0.9)
    if measured:
        axis.plot(
            [r.count for r in measured], [r.value for r in measured], ls="none", marker="o",
            ms=4.5, color=pictures.ORANGE, mec="white", mew=0.5, label="measured", zorder=3,
        )  # fmt: skip
    if math.isfinite(ceiling.low):
        axis.axhspan(ceiling.low, ceiling.high, color="black", alpha=0.08, lw=0, zorder=0)
    words = f"ceiling {ceiling.value:.3f}"
    if math.isfinite(ceiling.low):
        words += f" (95 % {ceiling.low:.3f} to {ceiling.high:.3f})"
    axis.axhline(ceiling.value, color="black", lw=0.9, ls="--", label=words)
    axis.axvline(recorded, color=pictures.GREY, lw=0.8, ls=":", label=f"recorded: {recorded:.3g}")
    axis.set_xlim(0, max(r.count for r in (*curve, *measured)) * 1.02)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = axis.get_ylim()
    axis.set_ylim(min(low, 0.0), max(high, min(1.0, 1.25 * ceiling.value)))
    axis.set_xlabel(f"number of {of}")
    axis.set_ylabel("ceiling")
    title = f"{facts['benchmark']}: {facts['estimator']}"
    axis.set_title(pictures.shown(title, 70), loc="left", fontsize=8)
    pictures.dress(axis, "both")
    axis.legend(frameon=False, fontsize=7, loc="lower right")
    return figure
