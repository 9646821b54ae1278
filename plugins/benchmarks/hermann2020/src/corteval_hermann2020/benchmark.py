"""What a subject answers where shape and texture are of different categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.behavioural_benchmark import NotAtHand
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import NotInData, StimuliError, UndefinedScore
from corteval.metric import Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Label, Request
from corteval.score import Estimate, Provenance, Score, unnormalized
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class CueConflict:
    """Choices of a subject on images whose shape and texture are of different categories.

    Images of which both are of one category are not scored, and not shown. The score is a property
    of the subject alone, so there is no ceiling; of the data, only the categories of the images are
    used, never what people answered.

    Where only a user may provide the images, their ids are shown, which suffices for a recorded
    subject.

    Args:
        card: names data and metric.
        choices: offered to the subject.
        shape, texture: columns of the stimuli, or coordinates of the trials, with the categories;
            of several the first that is there.
        visual_degrees: extent of the images, if the data do not say it; None: they fill the screen.
        data_options, metric_options: for the factories of the two.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind the interval.
    """

    card: BenchmarkCard
    choices: tuple[str, ...]
    shape: tuple[str, ...] = ("original_image_category", "truth")
    texture: tuple[str, ...] = ("conflict_image_category", "texture")
    visual_degrees: float | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """A label of each image."""
        return (Label(tuple(self.choices)),)

    def ceiling(self) -> Estimate:
        """There is none.

        Raises:
            UndefinedScore: always.
        """
        raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`, not normalised."""
        stimuli = self.stimuli()
        source = perform(model, stimuli, Label(tuple(self.choices)))
        source = assemblies.in_order(source, stimuli.stimulus_ids)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = unnormalized(metric(source, self._target), NO_CEILING)
        digests = {"assembly": assemblies.digest(self._target)}
        notes = (*score.notes, *self.notes)
        if isinstance(stimuli.images, NotAtHand):
            notes += ("the images were not at hand: the subject knew the stimuli by their ids",)
        else:
            digests["stimuli"] = stimuli.digest()
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=notes, provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """What is shown: images in which shape and texture are in conflict."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The category of the shape of each image."""
        del seed  # nothing is drawn
        return self._target.drop_vars(["truth", "texture"])

    @cached_property
    def _stimuli(self) -> StimulusSet:
        data = cast("DataSource", registry.data.create(self.card.data[0], **self.data_options))
        try:
            stimuli = data.stimuli()
        except NotInData as reason:
            stimuli = self._named_in(data.assembly(), reason)
        table = stimuli.table
        shape, texture = (
            self._column(table, names).to_numpy(str) for names in (self.shape, self.texture)
        )
        table = table.assign(truth=shape, texture=texture)[shape != texture]
        if not len(table):
            raise StimuliError(f"{stimuli.identifier}: no image has another texture than shape.")
        degrees = stimuli.visual_degrees or self.visual_degrees
        return replace(stimuli, table=table, visual_degrees=degrees)

    def _named_in(self, trials: xr.DataArray, reason: NotInData) -> StimulusSet:
        """The stimuli of `trials`, known by id."""
        first = np.unique(trials["stimulus_id"].values, return_index=True)[1]
        trials = trials.isel(presentation=first)
        columns = {
            str(name): column.values
            for name, column in trials.coords.items()
            if column.dims == ("presentation",) and name in (*self.shape, *self.texture)
        }
        ids = pd.Index(trials["stimulus_id"].values.astype(str).astype(object), name="stimulus_id")
        return StimulusSet(
            identifier=self.card.data[0],
            modality="image",
            table=pd.DataFrame(columns, index=ids),
            images=NotAtHand(reason=str(reason)),
        )

    def _column(self, table: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
        name = next((n for n in names if n in table.columns), None)
        if name is None:
            known = ", ".join(map(str, table.columns))
            raise StimuliError(
                f"{self.card.data[0]}: the stimuli have no column {' or '.join(names)}; they have "
                f"{known}. Name the columns by the options `shape` and `texture`."
            )
        return table[name]

    @cached_property
    def _target(self) -> xr.DataArray:
        table = self.stimuli().table
        coords = {
            name: ("presentation", table[name].to_numpy(str)) for name in ("truth", "texture")
        }
        return xr.DataArray(
            table["truth"].to_numpy(str),
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", self.stimuli().stimulus_ids), **coords},
        )
