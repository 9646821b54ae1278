"""The layer curve: scores over the layers of a model, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from corteval.errors import OptionError
from corteval.layers import Choice, LayerScore, Question, Search, means_of
from corteval.score import Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "png", "pdf")

_COLOURS = ("#2b5d8a", "#5a9367", "#8a6fa8", "#a9743b", "#5f7a8c")
_CHOSEN = "#d1495b"
_GREY = "#8c8c8c"
_PANEL_INCHES = 3.4
_DPI = 160


def check_drawable() -> None:
    """Raises an error that says what to install if there is no matplotlib."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise OptionError(
            "Drawing needs matplotlib, which is not installed: pip install 'corteval[figures]'."
        ) from error


def layer_curve(
    search: Search,
    scores: Sequence[LayerScore],
    choices: Sequence[Choice],
    reports: Sequence[Score],
) -> Figure:
    """One panel a target: a curve for each benchmark that decides, with intervals.

    The chosen layer is marked, with its reported scores beside it.

    Raises:
        OptionError: without matplotlib.
    """
    check_drawable()
    from matplotlib.figure import Figure

    chosen = {choice.target: choice for choice in choices}
    panels = [
        _Panel(q, [s for s in scores if s.target == q.target], chosen.get(q.target), mine)
        for q, mine in zip(search.questions, _by_question(search, choices, reports), strict=True)
    ]
    count = len(search.candidates)
    letters = max(map(len, search.candidates), default=0)
    width = min(4.6 + max(4.0, 0.3 * count), 30.0)  # the legend stands beside the curves
    height = _PANEL_INCHES * len(panels) + min(0.2 + 0.06 * letters, 2.4)
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, panel in zip(axes, panels, strict=True):
        _draw(ax, search.candidates, panel)
    axes[-1].set_xticks(range(count), search.candidates, rotation=45, ha="right", fontsize=8)
    for label in axes[-1].get_xticklabels():
        label.set_rotation_mode("anchor")
    axes[-1].set_xlabel("layer, in the order of computing")
    figure.suptitle(search.name, fontsize=12, fontweight="bold")
    return figure


def save(figure: Figure, file: BinaryIO, kind: str) -> None:
    """Write `figure` as one of `FORMATS`, without the time: equal figures are equal files."""
    import matplotlib

    metadata: dict[str, Mapping[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context({"svg.hashsalt": "corteval", "svg.fonttype": "none"}):
        figure.savefig(file, format=kind, dpi=_DPI, metadata=dict(metadata.get(kind, {})))


class _Panel(NamedTuple):
    """One target."""

    question: Question
    scores: Sequence[LayerScore]
    choice: Choice | None
    reports: Sequence[Score]


def _by_question(
    search: Search, choices: Sequence[Choice], reports: Sequence[Score]
) -> list[list[Score]]:
    """Reports by question: they come in the order of questions that have a choice."""
    remaining, found = [*reports], []
    for question in search.questions:
        count = len(question.reported_on) * any(c.target == question.target for c in choices)
        found.append(remaining[:count])
        remaining = remaining[count:]
    return found


def _draw(ax: Axes, layers: Sequence[str], panel: _Panel) -> None:
    place = {layer: number for number, layer in enumerate(layers)}
    several = len(panel.question.chosen_on) > 1
    ceilings: list[str] = []
    for colour, benchmark in zip(_cycle(len(panel.question.chosen_on)), _names(panel), strict=True):
        mine = [s for s in panel.scores if s.benchmark == benchmark]
        _draw_curve(ax, place, mine, colour, f"{benchmark}, for choosing")
        ceilings += _ceiling_words([s.score for s in mine])[:1]
    if several:
        means = means_of(panel.question, panel.scores)
        at = sorted(place[layer] for layer in means)
        ax.plot(at, [means[layers[p]] for p in at], color="black", lw=1.2, ls=":", label="mean")
    if panel.choice is not None:
        _mark_choice(ax, place[panel.choice.layer], panel)
    _dress(ax, panel, len(layers), ceilings)


def _draw_curve(
    ax: Axes, place: Mapping[str, int], scores: Sequence[LayerScore], colour: str, label: str
) -> None:
    """Values with intervals; a layer without a score leaves a gap and a cross at the bottom."""
    values, low, high = (np.full(len(place), np.nan) for _ in range(3))
    for found in scores:
        at = place[found.layer]
        if found.score.status == "scored":
            values[at] = found.score.value
        if found.score.interval is not None:
            low[at], high[at] = found.score.interval.low, found.score.interval.high
    x = np.arange(len(place))
    ax.fill_between(x, low, high, color=colour, alpha=0.14, lw=0)
    ax.vlines(x, low, high, color=colour, lw=1.0, alpha=0.7)
    ax.plot(x, values, color=colour, lw=1.6, marker="o", ms=4.5, label=label)
    missing = [place[s.layer] for s in scores if s.score.status != "scored"]
    if missing:
        ax.plot(
            missing,
            np.full(len(missing), 0.03),
            ls="none",
            marker="x",
            ms=6,
            color=_GREY,
            transform=ax.get_xaxis_transform(),
            label="no score",
        )


def _mark_choice(ax: Axes, at: int, panel: _Panel) -> None:
    assert panel.choice is not None
    ax.axvspan(at - 0.5, at + 0.5, color=_CHOSEN, alpha=0.10, lw=0)
    ax.plot(
        at,
        panel.choice.mean,
        marker="o",
        ms=10,
        mfc="none",
        mec=_CHOSEN,
        mew=1.8,
        ls="none",
        label=f"chosen: {panel.choice.layer}",
    )
    pairs = zip(panel.question.reported_on, panel.reports, strict=False)  # fewer if interrupted
    reported = [(b.card.identifier, r) for b, r in pairs if r.status == "scored"]
    colours = _cycle(len(reported)) if len(reported) > 1 else [_CHOSEN]
    for number, (name, score) in enumerate(reported):
        x = at + 0.22 * (1 + number - (len(reported) - 1) / 2)
        if score.interval is not None:
            ax.vlines(x, score.interval.low, score.interval.high, color=_CHOSEN, lw=1.4)
        ax.plot(
            x,
            score.value,
            marker="D",
            ms=5.5,
            mfc=colours[number],
            mec=_CHOSEN,
            ls="none",
            label=f"reported: {score.value:.3f}" + (f" ({name})" if len(reported) > 1 else ""),
        )


def _dress(ax: Axes, panel: _Panel, count: int, ceilings: Sequence[str]) -> None:
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, 0.0) if low < 0.3 else low, high + 0.02)
    low, high = ax.get_ylim()
    if high > 0.85:
        ax.axhline(1.0, color=_GREY, lw=1.0, ls="--")
    words = "a score of 1 is the data's ceiling"
    words += f" ({' and '.join(dict.fromkeys(ceilings))})" if ceilings else ""
    if not ceilings and any(s.score.status == "scored" for s in panel.scores):
        words = "scores are not normalised"
    ax.set_title(panel.question.target, loc="left", fontsize=11)
    ax.set_title(words, loc="right", fontsize=8, color="#555555")
    ax.set_xlim(-0.6, count - 0.4)
    ax.set_ylabel("score")
    ax.grid(axis="y", color="#e4e4e4", lw=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    ax.legend(
        unique.values(), unique.keys(), fontsize=8, frameon=False, loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    )  # fmt: skip


def _ceiling_words(scores: Sequence[Score]) -> list[str]:
    return [f"{s.ceiling.quantity} {s.ceiling.value:.2f}" for s in scores if s.ceiling is not None]


def _names(panel: _Panel) -> list[str]:
    return [benchmark.card.identifier for benchmark in panel.question.chosen_on]


def _cycle(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]
