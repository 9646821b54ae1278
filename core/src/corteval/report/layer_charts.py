"""Curves of scores over layers for pages: from maps of ``corteval layers``, drawn when made."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from markupsafe import Markup

from corteval import registry
from corteval.errors import CortevalError, OptionError
from corteval.report.charts import drawing, ticks
from corteval.report.document import clean, number
from corteval.report.layer_curves import LayerPoint, points_in
from corteval.stats.board import Board

#: Curves that fit a page.
MOST_CURVES = 40

#: Of curves, in the order of benchmarks: colours, then dots.
_LOOKS = ("g1", "g2", "g1 far", "g2 far")
_LEGEND = 18  # height of a line of the legend
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 720, 260, 50, 40, 12, 16


@final
@dataclass(frozen=True, kw_only=True)
class LayerCurve:
    """A curve for each benchmark on which the layer of a region was chosen.

    Args:
        model, region: what it is of.
        benchmarks: those that decided, then those that the chosen layer is reported on.
        chart: as SVG.
        header, rows: the same as a table, of texts.
        caption: what was chosen, and how.
        used: benchmarks whose score on the board was made with this map.
    """

    model: str
    region: str
    benchmarks: tuple[str, ...]
    chart: Markup
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    used: tuple[str, ...] = ()


def layer_curves_of(
    paths: Sequence[Path], board: Board, *, private: bool = False
) -> tuple[list[LayerCurve], list[str]]:
    """Curves in maps that ``corteval layers`` wrote, and what was left out, in words.

    Args:
        paths: of the maps.
        board: curves of models that have no score on it are left out.
        private: also curves on private data.

    Raises:
        OptionError: if a file is no map, or there are too many curves for a page.
    """
    found: list[LayerCurve] = []
    left_out: list[str] = []
    for path in paths:
        points = points_in(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        for model, region in dict.fromkeys((p.model, p.region) for p in points):
            mine = [p for p in points if (p.model, p.region) == (model, region)]
            hidden = sorted({p.benchmark for p in mine if _is_private(p.benchmark)})
            if model not in board.models:
                left_out.append(f"{path}: {model} has no score on this page.")
            elif hidden and not private:
                left_out.append(f"{path}: {', '.join(hidden)} is on private data (--private).")
            else:
                found.append(_curve(mine, board, digest))
    if len(found) > MOST_CURVES:
        raise OptionError(f"{len(found)} curves of layers do not fit a page, {MOST_CURVES} do.")
    return sorted(found, key=lambda c: (c.model.casefold(), c.region)), list(
        dict.fromkeys(left_out)
    )


def _is_private(benchmark: str) -> bool:
    try:
        data = registry.benchmarks.member_card(benchmark).data
        return any(registry.data_card(name).access == "private" for name in data)
    except CortevalError:
        return False


def _curve(points: Sequence[LayerPoint], board: Board, digest: str) -> LayerCurve:
    first = points[0]
    deciding = dict.fromkeys(p.benchmark for p in points if p.purpose == "selection")
    reported = [p for p in points if p.purpose == "report"]
    names = tuple(dict.fromkeys([*deciding, *(p.benchmark for p in reported)]))
    used = tuple(name for name in names if _made_with(board, first.model, name, digest))
    curves = [
        [p for p in points if p.purpose == "selection" and p.benchmark == n] for n in deciding
    ]
    chosen = next((p.layer for p in points if p.chosen), "")
    return LayerCurve(
        model=first.model,
        region=first.region,
        benchmarks=names,
        chart=_drawn(curves, reported, f"Scores of {first.model} over its layers, {first.region}"),
        header=("Layer", "Units", *deciding, ""),
        rows=tuple(_lines(curves)),
        caption=_told(first, [*deciding], chosen, reported, used, max(p.place for p in points)),
        used=used,
    )


def _made_with(board: Board, model: str, benchmark: str, digest: str) -> bool:
    """Whether the provenance of a score names the map."""
    score = board.scores.get((model, benchmark))
    if score is None or score.provenance is None:
        return False
    return any(f"(map {digest})" in str(text) for text in score.provenance.options.values())


def _told(
    first: LayerPoint,
    deciding: Sequence[str],
    chosen: str,
    reported: Sequence[LayerPoint],
    used: Sequence[str],
    count: int,
) -> str:
    words = [f"{first.region} of {first.model}, chosen on {' and '.join(deciding)}"]
    words[0] += f" among {count} layer{'' if count == 1 else 's'}: {chosen or 'none'}."
    words += [
        f"Reported on what did not choose, a diamond: {number(p.value)} on {p.benchmark}."
        for p in reported
        if math.isfinite(p.value)
    ]
    words.append(
        f"The score in the table was made with this map on {' and '.join(used)}."
        if used
        else "Scores in the table do not name this map: they may be of other layers."
    )
    return clean(" ".join(words))


def _lines(curves: Sequence[Sequence[LayerPoint]]) -> Iterator[tuple[str, ...]]:
    layers = {p.layer: p for curve in curves for p in curve}
    for layer, any_point in sorted(layers.items(), key=lambda pair: pair[1].place):
        cells = [next((p for p in curve if p.layer == layer), None) for curve in curves]
        told = [_cell(point) for point in cells]
        mark = "chosen" if any_point.chosen else ""
        yield (clean(layer), f"{any_point.units:,}", *told, mark)


def _cell(point: LayerPoint | None) -> str:
    if point is None:
        return "–"
    value = number(point.value)
    if value is None:
        return clean(f"{point.status.replace('-', ' ')}: {point.reason}".rstrip(": "))
    bounds = f" ({number(point.low)} to {number(point.high)})" if math.isfinite(point.low) else ""
    return value + bounds


def _drawn(
    curves: Sequence[Sequence[LayerPoint]], reported: Sequence[LayerPoint], title: str
) -> Markup:
    every = [p for curve in curves for p in curve]
    bounds = [v for p in (*every, *reported) for v in (p.value, p.low, p.high) if math.isfinite(v)]
    low, high = min([0.0, *bounds]), max([*bounds, 1e-9])
    count = max(p.place for p in every)

    def across(place: float) -> float:
        return _LEFT + (place - 0.5) / count * (_WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _BOTTOM - _TOP)

    parts = [*_frame(low, high, count, across, up)]
    for n, curve in enumerate(curves):
        parts += _line(curve, _LOOKS[n % len(_LOOKS)], across, up)
        if len(curves) > 1:
            parts.append(_named(n, curve[0].benchmark))
    for n, point in enumerate(p for p in reported if math.isfinite(p.value)):
        parts.append(_diamond(point, across(point.place) + 9 * (n + 1), up))
    height = _HEIGHT + _LEGEND * (len(curves) if len(curves) > 1 else 0)
    return drawing(height, clean(title), Markup("").join(parts))


def _named(n: int, benchmark: str) -> Markup:
    """A line of the legend."""
    y = _HEIGHT + _LEGEND * n + 6
    return Markup(
        '<polyline class="curve {}" points="{},{y} {},{y}"/><text x="{}" y="{}">{}</text>'
    ).format(_LOOKS[n % len(_LOOKS)], _LEFT, _LEFT + 36, _LEFT + 44, y + 4, clean(benchmark), y=y)


def _frame(
    low: float,
    high: float,
    count: int,
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> Iterator[Markup]:
    for tick in (t for t in ticks(low, high) if low <= t <= high):
        yield Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>'
            '<text class="in" x="{}" y="{:.1f}" text-anchor="end">{:g}</text>'
        ).format(_LEFT, _WIDTH - _RIGHT, _LEFT - 6, up(tick) + 4, tick, y=up(tick))
    for place in range(1, count + 1, max(1, math.ceil(count / 30))):
        yield Markup('<text class="in" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            across(place), _HEIGHT - _BOTTOM + 14, place
        )
    yield Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
        (_LEFT + _WIDTH) / 2, _HEIGHT - 6, "number of the layer, in the order of computing"
    )


def _line(
    curve: Sequence[LayerPoint],
    shade: str,
    across: Callable[[float], float],
    up: Callable[[float], float],
) -> Iterator[Markup]:
    known = [p for p in curve if math.isfinite(p.value)]
    sure = [p for p in known if math.isfinite(p.low) and math.isfinite(p.high)]
    if len(sure) > 1:
        edge = [*((p, p.high) for p in sure), *((p, p.low) for p in reversed(sure))]
        yield Markup('<polygon class="band {}" points="{}"/>').format(
            shade, " ".join(f"{across(p.place):.1f},{up(v):.1f}" for p, v in edge)
        )
    if len(known) > 1:
        yield Markup('<polyline class="curve {}" points="{}"/>').format(
            shade, " ".join(f"{across(p.place):.1f},{up(p.value):.1f}" for p in known)
        )
    for p in curve:
        x, name = across(p.place), clean(f"{p.place}: {p.layer} on {p.benchmark}, {_cell(p)}")
        if not math.isfinite(p.value):
            yield Markup(
                '<text class="in" x="{:.1f}" y="{}" text-anchor="middle">×<title>{}</title></text>'
            ).format(x, _HEIGHT - _BOTTOM - 3, name)
            continue
        if p.chosen:
            yield Markup('<circle class="ring {}" cx="{:.1f}" cy="{:.1f}" r="8"/>').format(
                shade, x, up(p.value)
            )
        yield Markup(
            '<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>'
        ).format(shade, x, up(p.value), name)


def _diamond(point: LayerPoint, x: float, up: Callable[[float], float]) -> Markup:
    y = up(point.value)
    low, high = (up(v) if math.isfinite(v) else y for v in (point.low, point.high))
    return Markup(
        '<line class="bar g1" x1="{x:.1f}" x2="{x:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        '<path class="dot g1" d="M{x:.1f},{:.1f}l5,5l-5,5l-5,-5z"><title>{}</title></path>'
    ).format(low, high, y - 5, clean(f"reported on {point.benchmark}, {_cell(point)}"), x=x)
