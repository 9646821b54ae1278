"""Is there an odd one among the objects of an image? A subject is told by examples what that is."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, StimuliError
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Probabilities, Request
from corteval.score import Estimate, Provenance, Published, Score, normalize, published
from corteval.stimuli import StimulusSet
from corteval_behaviour.bootstrap import ones
from corteval_ferguson2024.asymmetry import (
    accuracies_of_people,
    design,
    right_and_asked,
    search_asymmetry,
)

#: Labels of images with even and with odd numbers.
ODDBALL, SAME = "oddball", "same"


@final
@dataclass(frozen=True, kw_only=True)
class Oddball:
    """Compares a subject's search asymmetry with that of people.

    A read-out is fitted on labelled images, and tells of each image how probable it is that one of
    its objects is odd.

    Args:
        card: names trials and images to fit on, in this order, metric and ceiling.
        number: column of the stimuli whose even numbers have an odd object.
        block, distractors: coordinates of the trials that tell the block, and the number of
            distractors.
        right: coordinate of the trials that tells whether the answer was right, if their values do
            not.
        only: coordinates of trials, and the value of those to use; those that the trials lack do
            not count.
        visual_degrees: extent of the images, if the data do not say it.
        published_ceiling: a constant to use instead of the ceiling of the card.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    number: str = "image_number"
    block: str = "block"
    distractors: str = "distractor_nums"
    right: str = "correct"
    only: Mapping[str, str] = field(default_factory=lambda: {"trial_type": "normal"})
    visual_degrees: float = 8.0
    published_ceiling: Published | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """Probabilities after seeing labelled images."""
        return (self._request,)

    def ceiling(self) -> Estimate:
        """How similar halves of the trials are."""
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`."""
        stimuli = self.stimuli()
        source = perform(model, stimuli, self._request)
        source = assemblies.in_order(source, stimuli.stimulus_ids)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = normalize(metric(source, self._trials), self.ceiling())
        digests = {
            "stimuli": stimuli.digest(),
            "fitting_stimuli": self._request.fit.digest(),
            "assembly": assemblies.digest(self._trials),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """What is shown: the images that people saw."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Answers whose asymmetry is as near to that of people as so few images allow."""
        del seed  # nothing is drawn
        plan, (right, asked) = design(self._trials), right_and_asked(self._trials)
        lapses = self.metric_options.get("lapse_rate", 0.0)
        people = np.ones((1, right.shape[1]))
        theirs = accuracies_of_people(right, asked, plan.cell, ones(plan.stimulus_ids), people)[0]
        wanted = search_asymmetry(theirs, plan.distractors, lapses)
        images = np.bincount(plan.cell)
        near = np.rint(theirs.ravel() * images)
        steps = np.array(list(itertools.product((-1, 0, 1), repeat=len(near))))
        counts = (near + steps).clip(0, images)
        off = search_asymmetry(
            (counts / images).reshape(-1, *theirs.shape), plan.distractors, lapses
        )
        count = counts[np.argmin(np.abs(off - wanted) + 1e-6 * np.abs(steps).sum(axis=1))]
        share = right.sum(axis=1) / asked.sum(axis=1)
        answers = np.zeros(len(share), bool)
        for cell, number in enumerate(count.astype(int)):
            here = np.flatnonzero(plan.cell == cell)
            answers[here[np.argsort(-share[here], kind="stable")[:number]]] = True
        truth = self._trials["truth"].values[plan.first]
        odd = np.where(answers, truth == ODDBALL, truth != ODDBALL).astype(np.float64)
        return xr.DataArray(
            np.stack([odd, 1 - odd], axis=1),
            dims=["presentation", "choice"],
            coords={
                "stimulus_id": ("presentation", plan.stimulus_ids),
                "choice": [ODDBALL, SAME],
            },
        )

    @cached_property
    def _request(self) -> Probabilities:
        fit = cast("DataSource", registry.data.create(self.card.data[1], **self.data_options))
        stimuli = fit.stimuli()
        labels = self._labels(stimuli)
        shown = stimuli.shown()
        return Probabilities(
            replace(self._sized(shown), table=shown.table.assign(label=labels.to_numpy(str)))
        )

    @cached_property
    def _data(self) -> DataSource:
        return cast("DataSource", registry.data.create(self.card.data[0], **self.data_options))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        stimuli = self._sized(self._data.stimuli())
        answered = set(self._trials["stimulus_id"].values.tolist())
        return stimuli.select([i for i in stimuli.stimulus_ids if i in answered])

    def _sized(self, stimuli: StimulusSet) -> StimulusSet:
        return replace(stimuli, visual_degrees=stimuli.visual_degrees or self.visual_degrees)

    def _labels(self, stimuli: StimulusSet) -> pd.Series:
        """Of each stimulus, whether one of its objects is odd."""
        if self.number not in stimuli.table.columns:
            known = ", ".join(map(str, stimuli.table.columns))
            raise StimuliError(
                f"{stimuli.identifier} has no column {self.number!r}; it has {known}."
            )
        numbers = pd.to_numeric(stimuli.table[self.number], errors="coerce")
        odd = numbers.isna() | (numbers % 1 != 0)
        if odd.any():
            raise StimuliError(
                f"{stimuli.identifier}: {self.number} of {int(odd.sum())} stimuli are no whole "
                f"numbers, such as that of {stimuli.table.index[odd][0]}."
            )
        return (numbers % 2 == 0).map({True: ODDBALL, False: SAME})

    @cached_property
    def _trials(self) -> xr.DataArray:
        """Trials of people: 1 for right answers, with the coordinates that the metric asks for."""
        trials = assemblies.check_behavioural(self._data.assembly())
        for name, value in self.only.items():
            if name in trials.coords:
                trials = trials.isel(presentation=trials[name].values.astype(str) == value)
        if not trials.sizes["presentation"]:
            raise AssemblyError(f"{self.card.data[0]}: no trials are {dict(self.only)}.")
        missing = [n for n in (self.block, self.distractors, "subject") if n not in trials.coords]
        if missing:
            known = ", ".join(sorted(map(str, trials.coords)))
            raise AssemblyError(
                f"{self.card.data[0]}: the trials have no {missing[0]!r}; they have {known}. Name "
                "the coordinates by the options `block` and `distractors`."
            )
        values = trials[self.right].values if self.right in trials.coords else trials.values
        labels = self._labels(self._data.stimuli())
        ids = trials["stimulus_id"].values.astype(str)
        unknown = sorted(set(ids.tolist()) - set(labels.index))
        if unknown:
            raise AssemblyError(f"{self.card.data[0]}: no stimulus is called {unknown[0]!r}.")
        columns = {
            "stimulus_id": ids,
            "subject": trials["subject"].values.astype(str),
            "block": trials[self.block].values.astype(str),
            "distractors": trials[self.distractors].values.astype(np.float64),
            "truth": labels.loc[ids].to_numpy(str),
        }
        return xr.DataArray(
            values.astype(np.float64),
            dims=["presentation"],
            coords={name: ("presentation", column) for name, column in columns.items()},
        )

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.published_ceiling is not None:
            return published(self.published_ceiling, "similarity")
        estimator: Ceiling = registry.metrics.create(str(self.card.ceiling), **self.ceiling_options)
        return estimator(self._trials)
