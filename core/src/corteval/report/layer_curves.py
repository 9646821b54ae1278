"""Scores over the layers of models: a curve for each region and benchmark, from layer maps."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from corteval import registry
from corteval.errors import CortevalError, OptionError
from corteval.report import pictures
from corteval.report.figures import Drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of what `corteval layers` writes to a file, and prints with ``--json``.
SCHEMAS = ("corteval.layer-map/1", "corteval.layers/1")

#: Models, and layers of each, that fit a figure.
_MOST_MODELS, _MOST_LAYERS = 12, 300

_MARKS = "osD^vP"


@final
@dataclass(frozen=True, kw_only=True)
class LayerPoint:
    """A score of a layer; NaN is what is not known.

    Args:
        model, region, benchmark: identifiers; the region is what is recorded.
        purpose: ``"selection"``: of the scores that decide on a layer. ``"report"``: of the chosen
            layer, on stimuli or a benchmark that did not decide.
        layer: its name.
        place: number of the layer in the order of computing, from 1.
        units: how many it has.
        status, value, low, high: of the score.
        chosen: whether it is the layer of the region.
        normalization: of reported scores; of others the map does not tell.
        reason: why there is no score.
    """

    model: str
    region: str
    benchmark: str
    purpose: str
    layer: str
    place: int
    units: int
    status: str
    value: float
    low: float
    high: float
    chosen: bool
    normalization: str
    reason: str


def points_in(path: Path) -> list[LayerPoint]:
    """Scores in a file that ``corteval layers`` wrote, or printed with ``--json``.

    Raises:
        OptionError: if it cannot be read or is none.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict) or content.get("schema") not in SCHEMAS:
            raise ValueError("it has another schema")
        if "selection" not in content:
            raise ValueError("its layers are not scored; name a benchmark")
        return [*_points(content)]
    except FileNotFoundError as error:
        raise OptionError(
            f"There is no such file: {path}. `corteval layers MODEL BENCHMARK --output {path}` "
            "writes one."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"The layer map {path} cannot be read: {error}. `corteval layers MODEL BENCHMARK "
            f"--output {path}` writes one."
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise OptionError(
            f"{path} holds no scores of layers ({error}). `corteval layers MODEL BENCHMARK "
            "--output FILE` writes a file that does."
        ) from error


def layer_curves(points: Sequence[LayerPoint]) -> Drawing:
    """A panel a model, in it a curve for each region and benchmark that layers were chosen on.

    The chosen layer of a region is ringed; a diamond beside it is the score that is reported for
    it. A layer without a score is a cross at the bottom.

    Raises:
        OptionError: if there is nothing to draw, or too much.
    """
    models = [*dict.fromkeys(point.model for point in points)]
    most = max((point.place for point in points), default=0)
    if not points:
        raise OptionError("There are no scores of layers to draw.")
    if len(models) > _MOST_MODELS or most > _MOST_LAYERS:
        raise OptionError(
            f"{len(models)} models of up to {most} layers do not fit a figure: {_MOST_MODELS} "
            f"models of {_MOST_LAYERS} layers do. `corteval layers --layers` takes fewer layers."
        )
    chosen = {f"{p.model}: {p.region}": p.layer for p in points if p.chosen}
    regions = [*dict.fromkeys(p.region for p in points)]
    facts = {"models": models, "regions": regions, "layers": most, "chosen": chosen}
    return Drawing(
        rows=points, facts=facts, draw=lambda: _draw(points, models), remark=_private(points)
    )


def _points(content: Mapping[str, Any]) -> Iterator[LayerPoint]:
    model = str(content["model"])
    units = {str(c["layer"]): int(c["units"]) for c in content["candidates"]}
    place = {layer: number for number, layer in enumerate(units, start=1)}
    layers = content["layers"]
    for region, found in content["selection"].items():
        for score in found["scores"]:
            layer = str(score["layer"])
            yield _point(
                score, model=model, region=str(region), purpose="selection", layer=layer,
                place=place[layer], units=units[layer], chosen=layers.get(region) == layer,
            )  # fmt: skip
    for score in content["reported"]:
        region = _region_of(score, content["selection"], layers)
        if region is not None:
            layer = str(layers[region])
            yield _point(
                score, model=model, region=region, purpose="report", layer=layer,
                place=place[layer], units=units[layer], chosen=True,
            )  # fmt: skip


def _region_of(
    score: Mapping[str, Any], selection: Mapping[str, Any], layers: Mapping[str, str]
) -> str | None:
    """What the benchmark of a reported score records, if a layer was chosen for that."""
    name = str(score["benchmark"])
    for region, found in selection.items():
        if region in layers and name in {str(b["identifier"]) for b in found["benchmarks"]}:
            return str(region)
    for region, layer in layers.items():  # chosen on other benchmarks: the notes say for what
        if any(note.startswith(f"{region} is {layer},") for note in score.get("notes", ())):
            return str(region)
    return None


def _point(score: Mapping[str, Any], **fields: Any) -> LayerPoint:
    interval = score["interval"] or {}
    known = score["value"] is not None
    return LayerPoint(
        benchmark=str(score["benchmark"]),
        status=str(score["status"]),
        value=float(score["value"]) if known else math.nan,
        low=float(interval.get("low", math.nan)),
        high=float(interval.get("high", math.nan)),
        normalization=str(score.get("normalization") or ""),
        reason=str(score["reason"] or ""),
        **fields,
    )


def _private(points: Sequence[LayerPoint]) -> str:
    """What must be said of benchmarks on private data, as far as they are installed."""
    found = set()
    for name in dict.fromkeys(point.benchmark for point in points):
        try:
            data = registry.benchmarks.member_card(name).data
            found |= {d for d in data if registry.data_card(d).access == "private"}
        except CortevalError:
            continue
    return f"on private data ({', '.join(sorted(found))})" if found else ""


def _draw(points: Sequence[LayerPoint], models: Sequence[str]) -> Figure:
    from matplotlib.figure import Figure

    of = {model: [p for p in points if p.model == model] for model in models}
    count = max(point.place for point in points)
    letters = max(len(pictures.shown(p.layer, 28)) for p in points)
    height = len(models) * (2.7 + min(0.055 * letters, 1.5))
    figure = Figure(figsize=(min(5.4 + 0.16 * count, 24.0), height), layout="constrained")
    axes = figure.subplots(len(models), 1, squeeze=False)[:, 0]
    regions = [*dict.fromkeys(point.region for point in points)]
    for axis, model in zip(axes, models, strict=True):
        _panel(axis, model, of[model], regions)
    return figure


def _panel(axis: Axes, model: str, points: Sequence[LayerPoint], regions: Sequence[str]) -> None:
    names = [*dict.fromkeys(p.benchmark for p in points if p.purpose == "selection")]
    for region in regions:
        colour = pictures.CURVES[regions.index(region) % len(pictures.CURVES)]
        for number, name in enumerate(names):
            curve = [
                p for p in points
                if (p.region, p.benchmark, p.purpose) == (region, name, "selection")
            ]  # fmt: skip
            if curve:
                _curve(axis, curve, colour, _MARKS[number % len(_MARKS)])
        _reported(axis, [p for p in points if p.region == region and p.purpose == "report"], colour)
    lost = [p.place for p in points if p.status != "scored" and p.purpose == "selection"]
    if lost:
        axis.plot(
            lost, [0.03] * len(lost), ls="none", marker="x", ms=5, color=pictures.GREY,
            transform=axis.get_xaxis_transform(), label="no score",
        )  # fmt: skip
    layers = {p.place: p.layer for p in points}
    step = max(1, math.ceil(len(layers) / 60))
    ticks = sorted(layers)[::step]
    axis.set_xticks(
        ticks, [pictures.shown(layers[t], 28) for t in ticks], rotation=45, ha="right", fontsize=6
    )
    for label in axis.get_xticklabels():
        label.set_rotation_mode("anchor")
    how = sorted({p.normalization for p in points if p.normalization})
    if how and max((p.value for p in points if math.isfinite(p.value)), default=0) > 0.85:
        axis.axhline(1, color="black", lw=0.8, ls="--")
    axis.set_ylabel(f"score ({', '.join(how)})" if how else "score")
    axis.set_xlabel("layer, in the order of computing")
    axis.set_title(pictures.shown(model), loc="left", fontsize=9)
    pictures.dress(axis, "both")
    axis.legend(frameon=False, fontsize=6.5, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _curve(axis: Axes, curve: Sequence[LayerPoint], colour: str, mark: str) -> None:
    x = [p.place for p in curve]
    region, name = (pictures.shown(text, 34) for text in (curve[0].region, curve[0].benchmark))
    axis.fill_between(
        x, [p.low for p in curve], [p.high for p in curve], color=colour, alpha=0.14, lw=0
    )
    axis.plot(
        x, [p.value for p in curve], color=colour, lw=1.3, marker=mark, ms=3.2,
        label=f"{region}: {name}",
    )  # fmt: skip
    for point in (p for p in curve if p.chosen and math.isfinite(p.value)):
        axis.plot(
            point.place, point.value, marker="o", ms=9, mfc="none", mec=colour, mew=1.4, ls="none",
            label=f"{region}: chosen, {pictures.shown(point.layer, 28)}",
        )  # fmt: skip


def _reported(axis: Axes, points: Sequence[LayerPoint], colour: str) -> None:
    scored = [point for point in points if math.isfinite(point.value)]
    for number, point in enumerate(scored):
        x = point.place + 0.3 * (1 + number)
        if math.isfinite(point.low):
            axis.vlines(x, point.low, point.high, color=colour, lw=1.2)
        axis.plot(
            x, point.value, marker="D", ms=4.2, color=colour, mec="white", mew=0.5, ls="none",
            label=f"reported, {pictures.shown(point.benchmark, 30)}: {point.value:.3f}",
        )  # fmt: skip
