"""Thresholds of the offset of a vernier, alone and among flankers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtr, ndtri

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError, StimuliError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Probabilities, Request
from corteval.score import Estimate, Provenance, Published, Score, normalize, published
from corteval.stimuli import StimulusSet, joined

#: End of the names of data sets that read-outs are fitted on.
_FIT = "_fit"


@final
@dataclass(frozen=True, kw_only=True)
class Vernier:
    """Compares a subject's threshold, or its elevation by flankers, with those of people.

    A read-out is fitted on labelled images, and tells of each vernier whether the lower line is
    offset to the left or to the right. The threshold is the offset at which it is right in three of
    four images.

    With several data sets to fit on, it is asked for each; the score is the mean over them, and a
    read-out without threshold counts as similar to nobody.

    Args:
        card: names its data in this order: thresholds and images of the vernier alone; of an
            arrangement of flankers, unless the threshold itself is compared; and images to fit on,
            which end in ``_fit``.
        label: column of the stimuli with the direction.
        level: columns with the offset in seconds of arc, of which the first that is there is used;
            its sign is taken off.
        visual_degrees: extent of the images, if the data do not say it.
        published_ceiling: a constant to use instead of the ceiling of the card.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    label: str = "image_label"
    level: tuple[str, ...] = ("vernier_offset_arcsec", "vernier_offset")
    visual_degrees: float = 2.986667
    published_ceiling: Published | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if not self._fits or len(self._measured) not in (1, 2):
            raise OptionError(
                f"{self.card.identifier}: its data are {', '.join(self.card.data)}; needed are one "
                "or two with thresholds, and some to fit on, whose names end in _fit."
            )

    def requests(self) -> tuple[Request, ...]:
        """Probabilities after seeing labelled images, for each set of them."""
        return self._requests

    def ceiling(self) -> Estimate:
        """How similar people are."""
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if it has no threshold.
        """
        stimuli = self.stimuli()
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **{**self._conditions, **self.metric_options}
        )
        scores, failures = {}, {}
        for fit, request in zip(self._fits, self._requests, strict=True):
            answers = perform(model, stimuli, request)
            answers = assemblies.in_order(answers, stimuli.stimulus_ids)
            try:
                scores[fit] = metric(answers.assign_coords(self._columns), self._people)
            except UndefinedScore as reason:
                failures[fit] = str(reason)
        if not scores:
            raise UndefinedScore(next(iter(failures.values())))
        score = normalize(_mean(scores, len(self._fits)), self.ceiling())
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._people)}
        for fit, request in zip(self._fits, self._requests, strict=True):
            digests[f"fitting_stimuli.{fit.rpartition('/')[2]}"] = request.fit.digest()
        provenance = Provenance(digests=digests, seed=self.seed)
        failed = tuple(f"no threshold after {fit}: {reason}" for fit, reason in failures.items())
        notes = (*score.notes, *self.notes, *failed)
        return replace(score, notes=notes, provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """What is shown: all verniers, called ``<condition>:<id>``, with their columns."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Answers that are right as often as those of a subject with the mean of thresholds."""
        del seed  # nothing is drawn
        level, condition, truth = (
            self._columns[name][1] for name in ("level", "condition", "truth")
        )
        right = np.zeros(len(level), bool)
        for name, threshold in self._mean_thresholds().items():
            for value in np.unique(level[condition == name]):
                here = np.flatnonzero((condition == name) & (level == value))
                reached = ndtr(3 * (value - threshold) / threshold + ndtri(0.25 / 0.47))
                right[here[: round((0.5 + 0.47 * reached) * len(here))]] = True
        choices = np.unique(truth)
        chosen = np.where(right[:, None], truth[:, None] == choices, truth[:, None] != choices)
        return xr.DataArray(
            chosen / chosen.sum(axis=1, keepdims=True),
            dims=["presentation", "choice"],
            coords={
                "stimulus_id": ("presentation", self.stimuli().stimulus_ids),
                "choice": choices,
            },
        )

    @property
    def _measured(self) -> tuple[str, ...]:
        return tuple(name for name in self.card.data if not name.endswith(_FIT))

    @property
    def _fits(self) -> tuple[str, ...]:
        return tuple(name for name in self.card.data if name.endswith(_FIT))

    @property
    def _conditions(self) -> dict[str, str]:
        """Names of both conditions, for the metric that compares them."""
        if len(self._measured) == 1:
            return {}
        return dict(zip(("baseline", "test"), map(_condition, self._measured), strict=True))

    def _source(self, name: str) -> DataSource:
        return cast("DataSource", registry.data.create(name, **self.data_options))

    @cached_property
    def _requests(self) -> tuple[Probabilities, ...]:
        return tuple(Probabilities(self._labelled(name)) for name in self._fits)

    def _labelled(self, name: str) -> StimulusSet:
        stimuli = self._sized(self._source(name).stimuli())
        labels = _column(stimuli, (self.label,)).to_numpy(str)
        shown = stimuli.shown()
        return replace(shown, table=shown.table.assign(label=labels))

    def _sized(self, stimuli: StimulusSet) -> StimulusSet:
        return replace(stimuli, visual_degrees=stimuli.visual_degrees or self.visual_degrees)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return joined([self._of_condition(name) for name in self._measured])

    def _of_condition(self, name: str) -> StimulusSet:
        stimuli = self._sized(self._source(name).stimuli())
        levels = pd.to_numeric(_column(stimuli, self.level), errors="coerce").abs()
        if levels.isna().any():
            raise StimuliError(
                f"{name}: the offsets of {int(levels.isna().sum())} stimuli are no numbers."
            )
        condition = _condition(name)
        table = stimuli.shown().table.assign(
            truth=_column(stimuli, (self.label,)).astype(str), level=levels, condition=condition
        )
        table.index = pd.Index([f"{condition}:{i}" for i in table.index], name="stimulus_id")
        return replace(stimuli, table=table)

    @cached_property
    def _columns(self) -> dict[str, tuple[str, np.ndarray]]:
        """Coordinates of the answers, in the order of the stimuli."""
        table = self.stimuli().table
        return {
            "truth": ("presentation", table["truth"].to_numpy(str)),
            "condition": ("presentation", table["condition"].to_numpy(str)),
            "level": ("presentation", table["level"].to_numpy(np.float64)),
        }

    @cached_property
    def _people(self) -> xr.DataArray:
        """Thresholds of people, a row each; who has none is left out."""
        parts = [self._thresholds(name) for name in self._measured]
        named = [_condition(n) for n, p in zip(self._measured, parts, strict=True) for _ in p]
        people = [str(person) for part in parts for person in part.index]
        columns = {"stimulus_id": named, "condition": named, "subject": people}
        return xr.DataArray(
            np.concatenate([part.to_numpy(np.float64) for part in parts]),
            dims=["presentation"],
            coords={name: ("presentation", np.array(c)) for name, c in columns.items()},
        )

    def _thresholds(self, name: str) -> pd.Series:
        found = self._source(name).assembly()
        if found.dims != ("subject",):
            raise AssemblyError(
                f"{name}: thresholds are along subject; these are along "
                f"{', '.join(map(str, found.dims))}."
            )
        named = [c for n, c in found.coords.items() if c.dims == ("subject",)]
        if not named:
            raise AssemblyError(f"{name}: its thresholds do not say whose they are.")
        own = found.coords.get("subject", named[0])
        return pd.Series(found.values, index=own.values.astype(str)).dropna()

    def _mean_thresholds(self) -> Mapping[str, float]:
        """Thresholds by condition of a subject in the middle of people."""
        parts = [self._thresholds(name) for name in self._measured]
        base = float(parts[0].mean())
        means = {_condition(self._measured[0]): base}
        if len(parts) == 2:
            elevation = (parts[1] / parts[0]).dropna().median()
            means[_condition(self._measured[1])] = base * float(elevation)
        return means

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.published_ceiling is not None:
            return published(self.published_ceiling, "similarity")
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **{**self._conditions, **self.ceiling_options}
        )
        return estimator(self._people)


def _condition(name: str) -> str:
    """``short2`` of ``brainscore/Malania2007.short2``."""
    return name.rpartition(".")[2]


def _column(stimuli: StimulusSet, names: tuple[str, ...]) -> pd.Series:
    name = next((n for n in names if n in stimuli.table.columns), None)
    if name is None:
        known = ", ".join(map(str, stimuli.table.columns))
        raise StimuliError(
            f"{stimuli.identifier} has no column {' or '.join(names)}; it has {known}. Name it by "
            "the options `label` and `level`."
        )
    return stimuli.table[name]


def _mean(scores: Mapping[str, Score], count: int) -> Score:
    """Mean of `scores` and of zeros for what of `count` is missing; the interval is of all."""
    if count == 1:
        return next(iter(scores.values()))
    raws = [score.raw for score in scores.values() if score.raw is not None]
    value = sum(raw.value for raw in raws) / count
    replicates = tuple(
        replace(
            same[0],
            values=tuple(float(v) for v in np.sum([r.values for r in same], axis=0) / count),
        )
        for same in _alike(raws)
    )
    raw = replace(
        raws[0],
        value=value,
        error=float(np.std([*(r.value for r in raws), *([0.0] * (count - len(raws)))])),
        method=f"mean and sd over {count} fitted read-outs, each a {raws[0].method}",
        replicates=replicates,
    )
    samples = xr.DataArray(
        [r.value for r in raws],
        dims=["fit"],
        coords={"fit": [name.rpartition(".")[2] for name in scores]},
    )
    return Score(value=value, raw=raw, samples=samples)


def _alike(raws: list[Estimate]) -> Iterator[list[Any]]:
    """Replicates of one draw, of all estimates."""
    for number, first in enumerate(raws[0].replicates):
        same = [raw.replicates[number] for raw in raws]
        if all(other.draw == first.draw for other in same):
            yield same
