"""Scores as bars with intervals: a panel for each benchmark, a row for each model."""

from __future__ import annotations

import csv
import io
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, final

from corteval.controls import controls_of
from corteval.errors import OptionError
from corteval.intervals import interval_of
from corteval.registered import LEAKY
from corteval.report import pictures
from corteval.report.origin import is_published
from corteval.score import Estimate, Score
from corteval.sharing import private_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Endings of files that can be drawn.
FORMATS = (".png", ".svg", ".pdf")

# Of the palette of Okabe and Ito, which all kinds of colour vision tell apart.
_MODEL, _CONTROL, _LEAK, _BAND = "#0072B2", "#8C8C8C", "#D55E00", "#F0E442"
_ROW_INCHES, _PANEL_INCHES, _HEAD_INCHES = 0.3, 3.3, 1.1
_LONGEST = 34  # characters of a title's line


@final
@dataclass(frozen=True, kw_only=True)
class Bar:
    """A cell of the figure; NaN is what is not known.

    Args:
        model, benchmark: identifiers.
        status: of the score.
        control: whether a benchmark names the model as a control of another.
        value, low, high: score and its interval.
        raw, ceiling: before normalisation.
        band_low, band_high: interval of the ceiling in units of the score; 1 is the ceiling.
        normalization: by name, empty for raw scores.
        published: whether others computed it, and nothing here did.
    """

    model: str
    benchmark: str
    status: str
    control: bool
    value: float
    low: float
    high: float
    raw: float
    ceiling: float
    band_low: float
    band_high: float
    normalization: str
    published: bool = False


def bars_of(scores: Iterable[Score]) -> list[Bar]:
    """What a figure of `scores` shows, in their order."""
    scores = [*scores]
    controls = {
        control.casefold()
        for model, benchmark in dict.fromkeys((s.model, s.benchmark) for s in scores)
        for control in controls_of(model, benchmark, build=False)
    }
    return [_bar(score, score.model.casefold() in controls) for score in scores]


def as_csv(bars: Iterable[Bar]) -> str:
    """The numbers of a figure, one line a bar."""
    names = [field.name for field in fields(Bar)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(getattr(bar, name)) for name in names] for bar in bars)
    return text.getvalue()


def draw(scores: Sequence[Score], suffix: str) -> bytes:
    """A figure of `scores` as the bytes of a file.

    Each benchmark has a panel, in which models are bars with intervals and controls are grey; a
    benchmark ending in `LEAKY` is drawn into the panel of the one it is a variant of, as hatched
    bars. Scores that were published, and not computed here, are open bars that say so. Where scores
    are normalised, a line at 1 is the ceiling and the band about it its interval. The same scores
    give the same bytes.

    Args:
        scores: of any models and benchmarks.
        suffix: of `FORMATS`.

    Raises:
        OptionError: if there is nothing to draw, the format is none, or matplotlib is missing.
    """
    if suffix not in FORMATS:
        raise OptionError(f"Figures are written as {', '.join(FORMATS)}, not as {suffix!r}.")
    if not scores:
        raise OptionError("There are no scores to draw.")
    pictures.check_drawable()
    from matplotlib.figure import Figure

    bars = bars_of(scores)
    models = sorted(dict.fromkeys(b.model for b in bars), key=lambda m: _is_control(m, bars))
    panels = _panels(bars)
    paired = any(len(names) > 1 for names in panels.values())
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    height = _HEAD_INCHES + _ROW_INCHES * (1.5 if paired else 1.0) * len(models)
    longest = max(len(pictures.shown(model)) for model in models)
    with pictures.inert(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(
            figsize=(0.075 * longest + _PANEL_INCHES * columns, height * rows + 0.35),
            layout="constrained",
        )
        axes = figure.subplots(rows, columns, sharex=False, sharey=True, squeeze=False).ravel()
        for axis, (name, names) in zip(axes, panels.items(), strict=False):
            _panel(axis, name, names, models, bars)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        _legend(figure, bars, paired)
        private = sorted({name for score in scores for name in private_data(score)})
        if private:
            figure.supxlabel(f"on private data ({', '.join(private)})", fontsize=7, color=_CONTROL)
        stream = io.BytesIO()
        pictures.save(figure, stream, suffix[1:], bbox_inches="tight")
    return stream.getvalue()


def _panel(
    axis: Axes, name: str, names: Sequence[str], models: Sequence[str], bars: Sequence[Bar]
) -> None:
    """Bars of one benchmark, and of its leaky variant if there is one."""
    thick = 0.36 if len(names) > 1 else 0.7
    found = {(bar.model, bar.benchmark): bar for bar in bars}
    for number, benchmark in enumerate(names):
        shift = (number - (len(names) - 1) / 2) * thick
        for row, model in enumerate(models):
            bar = found.get((model, benchmark))
            if bar is not None:
                _draw(axis, bar, row + shift, thick, leaky=benchmark != name)
            elif benchmark == name:
                _say(axis, "no score", row + shift)
    shown = [bar for bar in bars if bar.benchmark in names]
    ceiling = next((b for b in shown if b.normalization and not math.isnan(b.ceiling)), None)
    if ceiling is not None:
        if not math.isnan(ceiling.band_low):
            axis.axvspan(
                ceiling.band_low, ceiling.band_high, color=_BAND, alpha=0.45, lw=0, zorder=0
            )
        axis.axvline(1, color="black", lw=0.8, ls="--")
    axis.axvline(0, color="black", lw=0.6)
    axis.set_yticks(range(len(models)), [pictures.shown(model) for model in models])
    axis.set_ylim(len(models) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.grid(axis="x", lw=0.3, color="#DDDDDD")
    axis.set_axisbelow(True)
    axis.margins(x=0.12)
    axis.set_title(_broken(pictures.shown(name, 3 * _LONGEST)), fontsize=8)
    how = {bar.normalization for bar in shown if bar.normalization}
    axis.set_xlabel(f"score ({', '.join(sorted(how))})" if how else "score (not normalised)")


def _draw(axis: Axes, bar: Bar, place: float, thick: float, *, leaky: bool) -> None:
    colour = _CONTROL if bar.control else _MODEL
    if math.isnan(bar.value):
        _say(axis, bar.status.replace("-", " "), place)
        return
    look: dict[str, Any] = {"facecolor": colour, "edgecolor": colour, "linewidth": 0.9}
    if leaky:
        look |= {"facecolor": "white", "edgecolor": _LEAK, "hatch": "////"}
    if bar.published:
        look |= {"facecolor": "white", "linestyle": "--"}
    axis.barh(place, bar.value, height=0.86 * thick, **look)
    end = max(bar.value, 0.0)
    if not math.isnan(bar.low):
        axis.plot([bar.low, bar.high], [place, place], color="black", lw=0.9)
        end = max(end, bar.high)
    axis.annotate(
        f"{bar.value:.3f}{' published' if bar.published else ''}",
        (end, place),
        xytext=(3, 0),
        textcoords="offset points",
        va="center",
        fontsize=6.5,
        bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.4},  # over the ceiling
    )


def _say(axis: Axes, words: str, place: float) -> None:
    axis.text(0, place, f" {words}", va="center", fontsize=6, color=pictures.WORDS_GREY)


def _legend(figure: Any, bars: Sequence[Bar], paired: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [Patch(color=_MODEL, label="model")]
    if any(bar.control for bar in bars):
        handles.append(Patch(color=_CONTROL, label="control"))
    if paired:
        words = "the same, folds divide groups (leaky)"
        handles.append(Patch(label=words, facecolor="white", edgecolor=_LEAK, hatch="////"))
    if any(bar.published for bar in bars):
        words = "published, not computed here"
        handles.append(Patch(label=words, facecolor="white", edgecolor=_MODEL, ls="--"))
    if any(not math.isnan(bar.low) for bar in bars):
        handles.append(Line2D([], [], color="black", lw=0.9, label="interval"))
    if any(bar.normalization for bar in bars):
        handles.append(Line2D([], [], color="black", lw=0.8, ls="--", label="ceiling"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)


def _panels(bars: Sequence[Bar]) -> dict[str, list[str]]:
    """Benchmarks of each panel: one, and its leaky variant if that is shown as well."""
    names = list(dict.fromkeys(bar.benchmark for bar in bars))
    panels: dict[str, list[str]] = {}
    for name in names:
        base = name.removesuffix(LEAKY)
        home = base if base in names else name
        panels.setdefault(home, [])
        panels[home].insert(0 if name == home else len(panels[home]), name)
    return panels


def _is_control(model: str, bars: Sequence[Bar]) -> bool:
    return any(bar.control for bar in bars if bar.model == model)


def _bar(score: Score, control: bool) -> Bar:
    interval, ceiling = score.interval, score.ceiling
    band = _band(ceiling) if score.normalization and ceiling is not None else (math.nan, math.nan)
    return Bar(
        model=score.model,
        benchmark=score.benchmark,
        status=score.status,
        control=control,
        value=score.value,
        low=interval.low if interval else math.nan,
        high=interval.high if interval else math.nan,
        raw=score.raw.value if score.raw else math.nan,
        ceiling=ceiling.value if ceiling else math.nan,
        band_low=band[0],
        band_high=band[1],
        normalization=score.normalization,
        published=is_published(score),
    )


def _band(ceiling: Estimate) -> tuple[float, float]:
    interval = interval_of(ceiling.value, ceiling.replicates)
    if interval is None:
        return math.nan, math.nan
    return interval.low / ceiling.value, interval.high / ceiling.value


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _broken(name: str) -> str:
    """A benchmark's name on lines that fit a panel, broken after its marks or where it must be."""
    lines, line = [], ""
    parts = re.split(r"(?<=[._/@-])", name)
    for part in (p[n : n + _LONGEST] for p in parts for n in range(0, len(p), _LONGEST)):
        if line and len(line) + len(part) > _LONGEST:
            lines.append(line)
            line = ""
        line += part
    return "\n".join([*lines, line])
