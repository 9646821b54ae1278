"""Charts as SVG, drawn when a page is made: they need no script and no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
from markupsafe import Markup, escape

from corteval.errors import UndefinedScore
from corteval.stats.board import Mean
from corteval.stats.ranks import Rank
from corteval.stats.relations import line_band

#: Rows beyond which a chart says how many are left out.
MOST_ROWS = 60
#: Points beyond which a scatter does not write the names of all into itself.
MOST_NAMES = 12
_ROW, _WIDTH, _NARROW = 20, 720, 360


def mean_chart(ranked: Sequence[Rank], means: Sequence[Mean], *, narrow: bool = False) -> Markup:
    """Means with intervals, one row a model, the best on top; groups of ties by the shade.

    Args:
        ranked: models, the best first.
        means: of these models.
        narrow: for a telephone, where letters would be too small in the usual one.
    """
    width, left, most = (_NARROW, 140, 18) if narrow else (_WIDTH, 220, 30)

    def place(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - 20)

    of = {mean.model: mean for mean in means}
    shown = ranked[:MOST_ROWS]
    bounds = [getattr(of[r.model], name) for r in shown for name in ("value", "low", "high")]
    known = [bound for bound in bounds if np.isfinite(bound)]  # some have no interval
    low, high = min([0.0, *known]), max([*known, 1e-9])
    rows = []
    for n, rank in enumerate(shown):
        mean, y = of[rank.model], 30 + _ROW * n
        interval = (mean.low, mean.high) if np.isfinite(mean.low) else (mean.value, mean.value)
        a, b, c = (place(v) for v in (*interval, mean.value))
        shade = "g1" if rank.group % 2 else "g2"
        rows.append(
            Markup(
                '<text x="{}" y="{}" text-anchor="end">{}</text>'
                '<line class="bar {}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
                '<circle class="dot {}" cx="{:.1f}" cy="{}" r="4"/>'
            ).format(left - 8, y + 4, short(rank.model, most), shade, a, b, y, y, shade, c, y)
        )
    height = 50 + _ROW * len(shown)
    return drawing(
        height,
        "Means of ranked models with their intervals",
        Markup("").join([_axis(low, high, height - 20, place, most=4 if narrow else 9), *rows]),
        width=width,
    )


def scatter(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], labels: tuple[str, str]
) -> Markup:
    """Two benchmarks against each other, one point a model, with the regression line and band.

    The band is that of bootstrap draws of models, at 95 %, as of `corteval.stats.relations`. Where
    that is undefined, such as for three models, there is neither.
    """
    first, second = np.asarray(x, float), np.asarray(y, float)
    n = len(first)
    size, pad, left = 360, 44, 54  # the left has room for the widest numbers and the label
    grid = np.linspace(first.min(), first.max(), 30)
    line = band = None
    with suppress(UndefinedScore):
        line, *band = line_band(first, second, grid)
    inside = np.concatenate([second, *(band or [])])
    lows = np.array([first.min(), inside.min()])
    highs = np.array([first.max(), inside.max()])
    spans = np.where(highs > lows, highs - lows, 1.0)
    lows, spans = lows - 0.05 * spans, 1.1 * spans

    def at(values: np.ndarray, axis: int) -> np.ndarray:
        share = (values - lows[axis]) / spans[axis]
        if axis == 0:
            return left + (size - pad - left) * share
        return size - pad - (size - 2 * pad) * share

    parts = [
        Markup('<line class="axis" x1="{0}" x2="{1}" y1="{1}" y2="{1}"/>').format(left, size - pad),
        Markup('<line class="axis" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
            left, pad, size - pad
        ),
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            size / 2, size - 6, short(labels[0], 44)
        ),
        Markup(
            '<text transform="rotate(-90 12 {0})" x="12" y="{0}" text-anchor="middle">{1}</text>'
        ).format(size / 2, short(labels[1], 44)),
    ]
    for axis, (low, span) in enumerate(zip(lows.tolist(), spans.tolist(), strict=True)):
        shown = [t for t in ticks(low, low + span) if low <= t <= low + span][:8]
        for tick, place in zip(shown, at(np.array(shown), axis).tolist(), strict=True):
            parts.append(_tick(axis, place, tick, (left, size - pad), (pad, size - pad)))
    if line is not None and band is not None:
        upper = zip(at(grid, 0), at(band[1], 1), strict=True)
        lower = zip(at(grid[::-1], 0), at(band[0][::-1], 1), strict=True)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in [*upper, *lower])
        parts.append(Markup('<polygon class="band" points="{}"/>').format(points))
        ends = (*at(grid[[0, -1]], 0), *at(line[[0, -1]], 1))
        parts.append(
            Markup('<line class="fit" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>').format(
                *ends
            )
        )
    across, up = at(first, 0).tolist(), at(second, 1).tolist()
    if n <= MOST_NAMES:
        parts += _named(across, up, names, (left, size - 4, 4, size - pad))
    for a, b, name in zip(across, up, names, strict=True):
        parts.append(
            Markup(
                '<circle class="dot g1" cx="{:.1f}" cy="{:.1f}" r="4"><title>{}</title></circle>'
            ).format(a, b, name)
        )
    title = f"{labels[1]} against {labels[0]}, {n} models"
    return drawing(size, title, Markup("").join(parts), width=size)


#: Ways from a point to the middle of its name's near edge, or of the name: the nearest first.
_WAYS = tuple(
    (across, up, anchor)
    for away in (0, 11, 22, 33, 44, 55, 66)
    for across, up, anchor in (
        (7, 3.5 - away, "start"),
        (-7, 3.5 - away, "end"),
        (7, 3.5 + away, "start"),
        (-7, 3.5 + away, "end"),
        (0, -7 - away, "middle"),
        (0, 14 + away, "middle"),
    )
)
_LETTER, _LINE = 5.6, 10.0  # width of most letters of 10 px, and height


def _named(
    x: Sequence[float],
    y: Sequence[float],
    names: Sequence[str],
    frame: tuple[float, float, float, float],
) -> list[Markup]:
    """Names beside their points, where they cover neither a point nor each other.

    A name that had to go farther has a line to its point; one without any room is left to the
    title of its point.
    """
    taken = [(a - 5, a + 5, b - 5, b + 5) for a, b in zip(x, y, strict=True)]
    left, right, top, bottom = frame
    found = []
    for a, b, name in zip(x, y, names, strict=True):
        text = short(name, 22)
        length = _LETTER * min(len(name), 22)
        for across, up, anchor in _WAYS:
            start = a + across - {"start": 0.0, "middle": length / 2, "end": length}[anchor]
            base = b + up
            box = (start, start + length, base - _LINE + 1, base + 2)
            inside = left <= box[0] and box[1] <= right and top <= box[2] and box[3] <= bottom
            if not inside or any(
                box[0] < t[1] and t[0] < box[1] and box[2] < t[3] and t[2] < box[3] for t in taken
            ):
                continue
            taken.append(box)
            if abs(base - b) > 15:
                found.append(
                    Markup(
                        '<line class="lead" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
                    ).format(a, a + across, b, base + (2 if up < 0 else 1 - _LINE))
                )
            found.append(
                Markup(
                    '<text class="in near" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
                ).format(a + across, base, anchor, text)
            )
            break
    return found


def _tick(
    axis: int, place: float, value: float, across: tuple[int, int], up: tuple[int, int]
) -> Markup:
    """A line across the frame at `place`, with its value below, or to the left."""
    ends: tuple[float, ...] = (*across, place, place)
    words: tuple[float, float, str] = (across[0] - 5, place + 4, "end")
    if axis == 0:
        ends, words = (place, place, *up), (place, up[1] + 15, "middle")
    return Markup(
        '<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}"/>'
        '<text class="in" x="{:.1f}" y="{:.1f}" text-anchor="{}">{:g}</text>'
    ).format(*ends, *words, value)


def ends(name: str, most: int) -> Markup:
    """A name that fits, escaped, by its beginning and its end, where names of one kind differ."""
    if len(name) <= most:
        return escape(name)
    last = 3 * most // 5
    return escape(f"{name[: most - last - 1]}…{name[-last:]}")


def short(name: str, most: int = 30) -> Markup:
    """A name that fits, escaped; the rest is in the table."""
    return escape(name if len(name) <= most else name[: most - 1] + "…")


def _axis(
    low: float, high: float, y: float, place: Callable[[float], float], *, most: int
) -> Markup:
    shown = [t for t in ticks(low, high) if low <= t <= high]
    shown = shown[:: -(-len(shown) // most)] if shown else shown
    marks = [
        Markup(
            '<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="18" y2="{1}"/>'
            '<text x="{0:.1f}" y="{2}" text-anchor="middle">{3:g}</text>'
        ).format(place(t), y, y + 14, t)
        for t in shown
    ]
    return Markup("").join(marks)


def ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, eight steps at most; some may lie outside."""
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-9)))
    for part in (0.2, 0.25, 0.5, 1.0):
        if (high - low) / (part * step) <= 8:
            step *= part
            break
    start = np.ceil(low / step)
    return [round(float((start + n) * step), 10) for n in range(int((high - low) / step) + 2)]


def drawing(
    height: float, title: str, inside: Markup, width: float = _WIDTH, *, fixed: bool = False
) -> Markup:
    """An SVG of `inside`, with a name; as wide as its place unless `fixed`."""
    size = Markup(' width="{}" height="{}"').format(width, height) if fixed else Markup("")
    return Markup(
        '<svg viewBox="0 0 {} {}"{} role="img" aria-label="{}"><title>{}</title>{}</svg>'
    ).format(width, height, size, title, title, inside)
