"""How figures of a board look, drawn with matplotlib."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from corteval.errors import OptionError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from corteval.report.figures import Difference, HeatCell, Point, RankRow

#: Of the palette of Okabe and Ito, as the bars have it.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8C8C8C"
#: Colours of curves, in the order in which they are taken.
CURVES = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#333333")
_LINE, WORDS_GREY = "#DDDDDD", "#555555"
_DPI = 160
_WITH_NUMBERS = 400  # cells of a heat map up to which values stand in them
_ALL_NAMED = 15  # points of a scatter up to which all have names
_SOME_NAMED = 8
_LONGEST = 44
_WORD = {"undefined": "undef.", "not-applicable": "n/a", "failed": "failed", "absent": "–"}


def check_drawable() -> None:
    """Raises an error that says what to install if there is no matplotlib."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise OptionError("Figures need matplotlib: pip install 'corteval[figures]'.") from error


def save(figure: Figure, file: BinaryIO, kind: str, **how: Any) -> None:
    """Write `figure` without the time, so that equal figures are equal files.

    Args:
        figure, file, kind: what, where, and as ``"png"``, ``"svg"`` or ``"pdf"``.
        how: further arguments of matplotlib's ``savefig``.
    """
    from matplotlib import rc_context

    undated: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with rc_context({"svg.hashsalt": "corteval"}):
        figure.savefig(file, format=kind, dpi=_DPI, metadata=undated.get(kind), **how)


def inert() -> AbstractContextManager[None]:
    """Settings under which names are text and no formulas, and text stays text in files."""
    from matplotlib import rc_context

    return rc_context(
        {"text.parse_math": False, "font.size": 8, "svg.fonttype": "none", "pdf.fonttype": 42}
    )


def draw_heatmap(
    rows: Sequence[HeatCell], models: Sequence[str], benchmarks: Sequence[str]
) -> Figure:
    """Values as colours and, in a small map, as numbers; words where there is none."""
    values = np.array([row.value for row in rows]).reshape(len(models), len(benchmarks))
    numbered = values.size <= _WITH_NUMBERS
    wide, high = (0.55, 0.24) if numbered else (0.2, 0.14)
    names, titles = [shown(m) for m in models], [shown(b) for b in benchmarks]
    width = 1.4 + wide * len(benchmarks) + 0.065 * max(map(len, names))
    height = 0.9 + high * len(models) + 0.06 * max(map(len, titles))
    figure, axis = new_figure(max(width, 3.6), height)
    known = values[np.isfinite(values)]
    low, top = (min(0.0, known.min()), known.max()) if known.size else (0.0, 1.0)
    image = axis.imshow(
        np.ma.masked_invalid(values), aspect="auto", cmap="cividis", vmin=low, vmax=max(top, 1e-9)
    )
    axis.set_facecolor("#EEEEEE")
    size = 6 if numbered else 5
    shades = np.asarray(image.to_rgba(values))
    for number, row in enumerate(rows):
        y, x = divmod(number, len(benchmarks))
        if not numbered and row.status == "scored":
            continue
        text = _WORD.get(row.status) or f"{row.value:.2f}"
        colour = WORDS_GREY
        if row.status == "scored":
            colour = _readable_on(shades[y, x])
        axis.text(x, y, text, ha="center", va="center", fontsize=size, color=colour)
    axis.set_xticks(range(len(titles)), titles, rotation=45, ha="right", fontsize=7)
    for label in axis.get_xticklabels():
        label.set_rotation_mode("anchor")
    axis.set_yticks(range(len(names)), names, fontsize=7 if numbered else 6)
    axis.tick_params(length=0)
    axis.set_title(_legend_of(rows), loc="left", fontsize=7, color=WORDS_GREY)
    for side in axis.spines.values():
        side.set_visible(False)
    bar = figure.colorbar(image, ax=axis, shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("score", fontsize=7)
    bar.outline.set_visible(False)
    return figure


def _legend_of(rows: Sequence[HeatCell]) -> str:
    """In which order models stand, and what the short words of a heat map mean."""
    whole = {"undefined": "undefined", "not-applicable": "not applicable", "absent": "not run"}
    there = {row.status for row in rows}
    words = [f"{_WORD[status]} = {told}" for status, told in whole.items() if status in there]
    return "\n".join(["models by the mean of their scores", *([", ".join(words)] if words else [])])


def draw_scatter(rows: Sequence[Point], x: str, y: str, words: str) -> Figure:
    """Points with their intervals over the line and its band."""
    figure, axis = new_figure(4.6, 4.4)
    points = [row for row in rows if row.kind == "model"]
    line = [row for row in rows if row.kind == "line"]
    if line:
        at = [row.x for row in line]
        axis.fill_between(
            at, [p.y_low for p in line], [p.y_high for p in line], color=BLUE, alpha=0.15, lw=0
        )
        axis.plot(at, [p.y for p in line], color=BLUE, lw=1.2)
    for row in points:
        axis.plot([row.x_low, row.x_high], [row.y, row.y], color=GREY, lw=0.6, zorder=2)
        axis.plot([row.x, row.x], [row.y_low, row.y_high], color=GREY, lw=0.6, zorder=2)
    axis.plot(
        [row.x for row in points], [row.y for row in points], ls="none", marker="o", ms=4.2,
        color=BLUE, mec="white", mew=0.5, zorder=3,
    )  # fmt: skip
    for row in _named(points, line):
        axis.annotate(
            shown(row.model, 28),
            (row.x, row.y),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=6,
            color=WORDS_GREY,
            bbox={"facecolor": "white", "alpha": 0.7, "lw": 0, "pad": 0.4},
            zorder=4,
        )
    axis.set_xlabel(shown(x))
    axis.set_ylabel(shown(y))
    axis.set_title(words, fontsize=8, loc="left", wrap=True)
    axis.margins(0.08)
    dress(axis, "both")
    return figure


def draw_ranks(rows: Sequence[RankRow], facts: Mapping[str, Any]) -> Figure:
    """A line a model, from the best to the worst place of its interval."""
    names = [shown(row.model) for row in rows]
    width = 4.2 + 0.065 * max(map(len, names))
    figure, axis = new_figure(width, 1.1 + 0.2 * len(rows))
    for place, row in enumerate(rows):
        known = row.group > 0
        colour = (BLUE if row.group % 2 else ORANGE) if known else GREY
        if known:
            axis.plot([row.low, row.high], [place, place], color=colour, lw=2.2, alpha=0.55)
        axis.plot(row.rank, place, marker="o", ms=4.5, color=colour)
        if known and row.probability_best >= 0.005:
            axis.annotate(
                f"{100 * row.probability_best:.0f} % best",
                (max(row.high, row.rank), place),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=6,
                color=WORDS_GREY,
            )
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(0.5, len(rows) + max(0.6, 0.14 * len(rows)))
    axis.set_xticks(_places(len(rows)))
    axis.set_xlabel("rank with 95 % interval; colours alternate between groups of ties")
    title = f"{shown(str(facts['name']))}: {len(rows)} ranked"
    if facts["not_ranked"]:
        title += f", {facts['not_ranked']} not ranked for lack of scores"
    if facts["exact"]:
        title += f"\ngrey ({facts['exact']}): of scores without intervals; certainty unknown"
    axis.set_title(title, fontsize=8, loc="left")
    dress(axis, "x")
    return figure


def _places(count: int) -> list[int]:
    """Ticks of ranks: the first, and round ones up to the last."""
    step = next(s for n in range(5) for s in (10**n, 2 * 10**n, 5 * 10**n) if count / s <= 9)
    return [1, *(place for place in range(step, count + 1, step) if place > 1)]


def draw_differences(rows: Sequence[Difference], first: str, second: str) -> Figure:
    """A forest: a line a benchmark, filled where the difference is certain."""
    names = [shown(row.benchmark) for row in rows]
    width = 4.4 + 0.065 * max(map(len, names))
    figure, axis = new_figure(width, 1.3 + 0.24 * len(rows))
    axis.axvline(0, color="black", lw=0.8)
    for place, row in enumerate(rows):
        tested = math.isfinite(row.low)
        certain = row.p_holm <= 0.05
        colour = GREY if not certain else BLUE if row.difference > 0 else ORANGE
        if tested:
            axis.plot([row.low, row.high], [place, place], color=colour, lw=1.4)
        axis.plot(
            row.difference, place, marker="o" if tested else "x", ms=5, color=colour,
            mfc=colour if certain else "white",
        )  # fmt: skip
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.set_ylim(len(names) - 0.4, -0.6)
    reach = 1.08 * float(np.nanmax(np.abs([[r.difference, r.low, r.high] for r in rows])))
    axis.set_xlim(-(reach or 1), reach or 1)
    axis.set_xlabel("difference of scores with 95 % paired interval")
    axis.set_title(f"← {shown(second, 28)} better", fontsize=8, loc="left", color=ORANGE)
    axis.set_title(f"{shown(first, 28)} better →", fontsize=8, loc="right", color=BLUE)
    dress(axis, "x")
    _legend_of_differences(figure, rows)
    return figure


def _legend_of_differences(figure: Figure, rows: Sequence[Difference]) -> None:
    from matplotlib.lines import Line2D

    def handle(words: str, **look: Any) -> Line2D:
        return Line2D([], [], ls="none", ms=5, label=words, **look)

    handles = []
    if any(row.p_holm <= 0.05 for row in rows):
        handles.append(handle("differs (Holm, .05)", marker="o", color="black"))
    if any(row.p_holm > 0.05 for row in rows):
        handles.append(handle("not told apart (Holm, .05)", marker="o", color=GREY, mfc="white"))
    if any(math.isnan(row.low) for row in rows):
        handles.append(handle("no test: no replicates in common", marker="x", color=GREY))
    figure.legend(
        handles=handles, loc="outside upper center", ncols=len(handles), frameon=False, fontsize=7
    )


def _named(points: Sequence[Point], line: Sequence[Point]) -> Sequence[Point]:
    """Those whose names are shown: all of a few, else those farthest from the line."""
    if len(points) <= _ALL_NAMED or not line:
        return points[:_ALL_NAMED]
    at, up = [p.x for p in line], [p.y for p in line]
    away = [abs(p.y - float(np.interp(p.x, at, up))) for p in points]
    wide, high = (np.ptp([getattr(p, name) for p in points]) for name in "xy")
    named: list[Point] = []
    for n in np.argsort(away, kind="stable")[::-1]:
        near = [p for p in named if abs(p.x - points[n].x) < 0.3 * wide]
        if all(abs(p.y - points[n].y) > 0.05 * high for p in near):
            named.append(points[n])
    return named[:_SOME_NAMED]


def _readable_on(colour: np.ndarray) -> str:
    """Black or white, whichever stands out more (relative luminance of WCAG 2)."""
    linear = [((c + 0.055) / 1.055) ** 2.4 if c > 0.04045 else c / 12.92 for c in colour[:3]]
    luminance = float(np.dot(linear, [0.2126, 0.7152, 0.0722]))
    return "black" if luminance > 0.179 else "white"


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of a size in inches, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def dress(axis: Axes, grid: Any) -> None:
    """Few lines: a grid along `grid`, and spines where ticks stand."""
    for side in ("top", "right") if grid == "both" else ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    if grid == "x":
        axis.tick_params(axis="y", length=0)
    axis.grid(axis=grid, lw=0.3, color=_LINE)
    axis.set_axisbelow(True)


def shown(name: str, most: int = _LONGEST) -> str:
    """A name that fits, without characters that steer; it is whole in the numbers."""
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    last = 3 * most // 5  # names of one kind differ at their ends
    return plain if len(plain) <= most else f"{plain[: most - last - 1]}…{plain[-last:]}"
