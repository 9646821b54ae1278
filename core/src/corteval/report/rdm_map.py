"""Dissimilarities of all pairs of stimuli, ordered by category: of a data set and of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple, cast, final

import numpy as np
import xarray as xr
from scipy import stats

from corteval import registry
from corteval.assembly import is_neural, is_rdm, responses_matrix
from corteval.commitment import ANY_TARGET
from corteval.data import DataSource
from corteval.errors import OptionError, UndefinedScore
from corteval.model import ModelCommitment, record
from corteval.over_time import mean_of_bins
from corteval.report import pictures
from corteval.report.figures import Drawing
from corteval.requests import Recording
from corteval.scoring import build_model
from corteval.stimuli import StimulusSet

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Columns of stimuli that are taken for their category, the first there is.
CATEGORIES = ("category", "category_name", "object_name", "class", "label", "condition", "topic")

#: Stimuli that fit a figure, and the file beside it.
MOST_STIMULI = 1000

#: Names of categories that stand beside a map.
_NAMED = 40


@final
@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two stimuli, the first before the second in the order of the figure.

    Args:
        of: data set or model.
        first, second: ids of the stimuli.
        first_category, second_category: theirs, if they have one.
        dissimilarity: NaN if it is not defined, such as of responses that do not vary.
    """

    of: str
    first: str
    second: str
    first_category: str
    second_category: str
    dissimilarity: float


class Map(NamedTuple):
    """A symmetric (stimulus, stimulus) matrix, whose it is and what its numbers are."""

    of: str
    values: np.ndarray
    unit: str


def rdm_map(
    data: str,
    models: Sequence[str | ModelCommitment] = (),
    *,
    target: str = "",
    category: str = "",
    stimuli: int | None = None,
) -> Drawing:
    """Maps of a data set and of models, each with its own scale; stimuli of a category together.

        d_ij = 1 - r(x_i, x_j)

    x_i are mean responses to stimulus i, over trials and time, of all neuroids. Data that are
    dissimilarities already are averaged over subjects. Models show the same stimuli in the same
    order, and Spearman's correlation of their pairs with those of the data.

    Args:
        data: identifier of a data set.
        models: identifiers, or subjects; their responses come from the store in force, if it has
            them.
        target: what models record; by default the region of the data, if they have one.
        category: column of stimuli; by default the first of `CATEGORIES`.
        stimuli: take so many, evenly spaced in the order of the data set.

    Raises:
        OptionError: for a column there is not, data that are no responses, or too many stimuli.
        UnsupportedRequest: if a model does not record the target.
    """
    source = cast("DataSource", registry.data.create(data))
    shown, assembly = source.stimuli(), source.assembly()
    recorded = set(assembly["stimulus_id"].values.astype(str))
    shown = _fitting(shown.select([i for i in shown.stimulus_ids if i in recorded]), stimuli)
    labels = _labels(shown, category)
    ids = _in_order(shown.stimulus_ids, labels)
    chosen = shown.select(ids)
    own = dissimilarities(_of(assembly, ids), data)
    maps = [Map(data, _picked(own, ids), str(own.attrs["unit"]))]
    for model in models:
        subject = build_model(model)
        asked = target or _region(assembly, subject, data)
        responses = record(subject, chosen, asked)
        maps.append(
            Map(
                f"{subject.identifier}: {asked}",
                _picked(dissimilarities(responses, subject.identifier), ids),
                "1 - Pearson's r",
            )
        )
    of_id = dict(zip(shown.stimulus_ids, labels, strict=True)) if labels else {}
    ordered = [of_id.get(i, "") for i in ids]
    relations = {m.of: _spearman(maps[0].values, m.values) for m in maps[1:]}
    facts = {
        "stimuli": len(ids),
        "categories": [*dict.fromkeys(ordered)] if labels else [],
        "of": [m.of for m in maps],
        "spearman": relations,
    }
    access = registry.data_card(data).access
    return Drawing(
        rows=_pairs(maps, ids, ordered),
        facts=facts,
        draw=lambda: _draw(maps, ordered, relations),
        remark=f"on private data ({data})" if access == "private" else "",
    )


def dissimilarities(assembly: xr.DataArray, name: str) -> xr.DataArray:
    """(id, id_2) correlation distances of responses, or the mean of recorded dissimilarities.

    Raises:
        OptionError: if `assembly`, called `name`, holds neither.
    """
    if is_rdm(assembly):
        over = [d for d in assembly.dims if d not in ("presentation", "presentation_2")]
        flat = assembly.mean(over, skipna=True).transpose("presentation", "presentation_2")
        rows, columns = (list(flat[n].values.astype(str)) for n in ("stimulus_id", "stimulus_id_2"))
        found = np.asarray(flat.values, np.float64)[:, [columns.index(i) for i in rows]]
        return _square(found, rows, "dissimilarity, as recorded")
    if not is_neural(assembly):
        raise OptionError(
            f"{name} holds no responses of units: there are no dissimilarities to draw."
        )
    flat = responses_matrix(mean_of_bins(assembly))
    centred = flat.values - flat.values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    flatness = lengths <= 1e-12 * np.abs(flat.values).max(axis=1, keepdims=True, initial=0)
    unit = centred / np.where(flatness, np.nan, lengths)
    found = 1 - np.clip(unit @ unit.T, -1, 1)
    np.fill_diagonal(found, 0)
    return _square(found, list(flat["stimulus_id"].values.astype(str)), "1 - Pearson's r")


def _of(assembly: xr.DataArray, ids: Sequence[str]) -> xr.DataArray:
    """Rows of `assembly`, and columns if it is of pairs, that are of the named stimuli."""
    named = (("presentation", "stimulus_id"), ("presentation_2", "stimulus_id_2"))
    return assembly.isel(
        {d: np.isin(assembly[n].values.astype(str), ids) for d, n in named if d in assembly.dims}
    )


def _square(values: np.ndarray, ids: Sequence[str], unit: str) -> xr.DataArray:
    coords = {"id": list(ids), "id_2": list(ids)}
    return xr.DataArray(values, dims=("id", "id_2"), coords=coords, attrs={"unit": unit})


def _picked(found: xr.DataArray, ids: Sequence[str]) -> np.ndarray:
    return np.asarray(found.sel(id=list(ids), id_2=list(ids)).values)


def _fitting(shown: StimulusSet, count: int | None) -> StimulusSet:
    if count is not None and count < 3:
        raise OptionError(f"A map is of three stimuli at least, not of {count}.")
    if count is not None and count < len(shown):
        places = np.linspace(0, len(shown) - 1, count).round().astype(int)
        shown = shown.select([shown.stimulus_ids[n] for n in places])
    if len(shown) > MOST_STIMULI:
        raise OptionError(
            f"{len(shown)} stimuli do not fit a figure, {MOST_STIMULI} do: --stimuli N takes N of "
            "them, evenly spaced."
        )
    return shown


def _labels(shown: StimulusSet, category: str) -> list[str]:
    """Category of each stimulus; none if no column is one."""
    table = shown.table
    if category and category not in table.columns:
        known = ", ".join(map(str, table.columns))
        raise OptionError(f"The stimuli have no column {category!r}; they have {known}.")
    for name in (category,) if category else CATEGORIES:
        if name in table.columns and (category or 1 < table[name].nunique() < len(table)):
            return list(table[name].astype(str))
    return []


def _in_order(ids: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Stimuli by category, in the order in which categories come first; each in its own order."""
    if not labels:
        return list(ids)
    first = {name: place for place, name in reversed([*enumerate(labels)])}
    places = sorted(range(len(ids)), key=lambda n: (first[labels[n]], n))
    return [ids[n] for n in places]


def _region(assembly: xr.DataArray, subject: ModelCommitment, data: str) -> str:
    """The region of the data that the subject records."""
    found: list[str] = []
    if "region" in assembly.coords:
        found = sorted(set(assembly["region"].values.ravel().astype(str).tolist()))
    able = [name for name in found if subject.supports(Recording(name))]
    if len(able) == 1:
        return able[0]
    known = f"{data} is of {', '.join(found)}" if found else f"{data} names none"
    raise OptionError(
        f"Say with --target what {subject.identifier} is to record: {known}. {_targets(subject)}"
    )


def _targets(subject: ModelCommitment) -> str:
    """What a subject made of layers may be asked to record, in words."""
    layers = getattr(subject, "layers", {})
    if ANY_TARGET in layers:
        return "The model answers any target, such as --target IT."
    if not layers:
        return "`corteval info` tells of the model what it records."
    return f"The model records {', '.join(map(str, layers))}."


def _spearman(first: np.ndarray, second: np.ndarray) -> float | None:
    """Of the pairs that both define."""
    upper = np.triu_indices(len(first), 1)
    x, y = first[upper], second[upper]
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < 3 or np.ptp(x[both]) == 0 or np.ptp(y[both]) == 0:
        return None
    return float(stats.spearmanr(x[both], y[both]).statistic)


def _pairs(maps: Sequence[Map], ids: Sequence[str], labels: Sequence[str]) -> list[Pair]:
    pairs = [*combinations(range(len(ids)), 2)]
    if not pairs:
        raise UndefinedScore(f"{len(ids)} stimuli are in both stimuli and responses: no pairs.")
    return [
        Pair(
            of=m.of, first=ids[i], second=ids[j], first_category=labels[i],
            second_category=labels[j], dissimilarity=float(m.values[i, j]),
        )
        for m in maps
        for i, j in pairs
    ]  # fmt: skip


def _draw(
    maps: Sequence[Map], labels: Sequence[str], relations: Mapping[str, float | None]
) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0 * len(maps) + 0.6, 4.0), layout="constrained")
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    for number, (axis, m) in enumerate(zip(axes, maps, strict=True)):
        hidden = m.values.copy()
        np.fill_diagonal(hidden, np.nan)  # of a stimulus with itself: no information
        image = axis.imshow(np.ma.masked_invalid(hidden), cmap="cividis", interpolation="nearest")
        axis.set_facecolor("#EEEEEE")
        title = pictures.shown(m.of)
        if m.of in relations:
            r = relations[m.of]
            words = "not defined" if r is None else f"{r:.2f}"
            title += f"\nSpearman's correlation with the data: {words}"
        axis.set_title(title, fontsize=8, loc="left")
        _mark(axis, labels, named=number == 0)
        lost = int(np.isnan(m.values).sum() // 2)
        bar = figure.colorbar(image, ax=axis, shrink=0.7, aspect=25, pad=0.02)
        bar.set_label(m.unit + (f"; grey: {lost} pairs not defined" if lost else ""), fontsize=7)
        bar.outline.set_visible(False)
    return figure


def _mark(axis: Axes, labels: Sequence[str], *, named: bool) -> None:
    """Lines between categories, and their names."""
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
    starts = [n for n, label in enumerate(labels) if label and (n == 0 or label != labels[n - 1])]
    if len(starts) > len(labels) / 2:
        return
    for start in starts[1:]:
        axis.axhline(start - 0.5, color="white", lw=0.6)
        axis.axvline(start - 0.5, color="white", lw=0.6)
    if named and 0 < len(starts) <= _NAMED:
        middles: list[Any] = [
            (start + end - 1) / 2
            for start, end in zip(starts, [*starts[1:], len(labels)], strict=True)
        ]
        size = 7 if len(starts) <= 15 else 5
        axis.set_yticks(
            middles, [pictures.shown(labels[int(m)], 22) for m in middles], fontsize=size
        )
        axis.tick_params(length=0)
