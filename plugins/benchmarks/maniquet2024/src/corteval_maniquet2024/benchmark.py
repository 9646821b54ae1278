"""A benchmark whose model sees other images than people did, of the same objects and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Probabilities, Request
from corteval.score import Estimate, Provenance, Published, Score, normalize, published
from corteval.stimuli import StimulusSet
from corteval_maniquet2024.tasks import images_of

#: What the metric of across_images calls the task of the model's that a trial is compared with.
_IMAGES = "images"


@final
@dataclass(frozen=True, kw_only=True)
class AcrossImages:
    """Answers of a model to labelled images, compared with those of people to others.

    The card names three data sets: the trials of people, the images shown to the model, and those
    that its read-out is fitted on.

    Args:
        card: names data, metric and ceiling.
        label: column of both sets of images, and coordinate of trials, with the right answer.
        manipulation, details: columns of the images shown that tell their task.
        answer: coordinate of trials with what people said; their values are right and wrong.
        task: coordinate of trials with the task.
        images: manipulation and details of the images of tasks whose names do not tell; see
            `corteval_maniquet2024.tasks.images_of`.
        answered: only trials whose answer is one of the objects count.
        published_ceiling: a number, or number and quantity, where the card names no ceiling.
        normalization: by name; None derives it from the kinds of score and ceiling.
        visual_degrees: extent of the images, if the data do not say it.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    label: str = "image_label"
    manipulation: str = "manipulation"
    details: str = "manipulation_details"
    answer: str = "prediction"
    task: str = "task"
    images: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    answered: bool = False
    published_ceiling: Published | None = None
    normalization: str | None = None
    visual_degrees: float | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """Probabilities of the objects, after a fit on labelled images."""
        return (self._request,)

    def ceiling(self) -> Estimate:
        """How well people predict each other, or what was published of it.

        Raises:
            UndefinedScore: if the card names neither.
        """
        return self._ceiling

    def stimuli(self) -> StimulusSet:
        """The images shown to the model."""
        return self._stimuli

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`: metric of its answers against the trials, normalised."""
        stimuli = self.stimuli()
        source = perform(model, stimuli, self._request)
        source = self._told(assemblies.in_order(source, stimuli.stimulus_ids))
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = normalize(
            metric(source, self._trials), self.ceiling(), normalization=self.normalization
        )
        digests = {
            "assembly": assemblies.digest(self._trials),
            "stimuli": stimuli.digest(),
            "fitting_stimuli": self._request.fit.digest(),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Answers drawn from those of people to the same object in the same task.

        One choice has probability 1, since people choose. An image of an object and task that
        people have not seen is answered rightly.
        """
        generator = np.random.default_rng(seed)
        objects = np.unique(self._request.fit.table["label"].to_numpy(str))
        trials = self._trials
        said: dict[tuple[str, str], np.ndarray] = {}
        keys = np.char.add(np.char.add(trials[_IMAGES].values, "|"), trials["truth"].values)
        answers = np.where(np.isin(trials.values, objects), trials.values, "")
        for key in np.unique(keys).tolist():
            task, _, truth = key.rpartition("|")
            words = answers[keys == key]
            said[task, truth] = np.where(words == "", generator.choice(objects, len(words)), words)
        own = self._labels
        choice = [
            str(generator.choice(said.get(pair, np.array([pair[1]]))))
            for pair in zip(own["task"], own["truth"], strict=True)
        ]
        return xr.DataArray(
            (np.array(choice)[:, None] == objects).astype(float),
            dims=["presentation", "choice"],
            coords={
                "stimulus_id": ("presentation", self._stimuli.stimulus_ids),
                "choice": objects.tolist(),
            },
        )

    def _told(self, source: xr.DataArray) -> xr.DataArray:
        """`source` with the right answers and tasks of the images."""
        return source.assign_coords({n: ("presentation", v) for n, v in self._labels.items()})

    def _data(self, place: int) -> DataSource:
        identifier = self.card.data[place]
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    def _shown(self, place: int, *columns: str) -> StimulusSet:
        """Images of a data set, of the benchmark's size, with the columns it needs.

        Raises:
            AssemblyError: if one is missing.
        """
        stimuli = self._data(place).stimuli()
        lacking = [name for name in columns if name not in stimuli.table.columns]
        if lacking:
            known = ", ".join(map(str, stimuli.table.columns))
            raise AssemblyError(
                f"{self.card.data[place]} has no column {', '.join(lacking)}; it has {known}. Name "
                "them by the options label, manipulation and details."
            )
        return stimuli.sized(self.visual_degrees)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._shown(1, self.label, self.manipulation, self.details)

    @cached_property
    def _labels(self) -> dict[str, np.ndarray]:
        table = self._stimuli.table
        kinds = zip(table[self.manipulation], table[self.details], strict=True)
        return {
            "truth": table[self.label].to_numpy(str),
            "task": np.array([_joined(*kind) for kind in kinds]),
        }

    @cached_property
    def _request(self) -> Probabilities:
        stimuli = self._shown(2, self.label)
        labels = stimuli.table[self.label].to_numpy(str)
        shown = stimuli.shown()
        return Probabilities(replace(shown, table=shown.table.assign(label=labels)))

    @cached_property
    def _trials(self) -> xr.DataArray:
        """Trials of people as words, with ``truth``, ``task`` and the images of the task."""
        stored = assemblies.check_behavioural(self._data(0).assembly())
        for name in (self.answer, self.label, self.task):
            if name not in stored.coords:
                known = ", ".join(sorted(map(str, stored.coords)))
                raise AssemblyError(
                    f"{self.card.data[0]} has no coordinate {name!r}; it has {known}. Name it by "
                    "the options answer, label and task."
                )
        task = stored[self.task].values.astype(str)
        images = {name: _joined(*images_of(name, self.images)) for name in np.unique(task).tolist()}
        missing = stored[self.answer].isnull().values
        words = np.where(missing, "", stored[self.answer].values.astype(str))
        words = np.where(words == "", "no answer", words)
        trials = stored.copy(data=words).assign_coords(
            truth=("presentation", stored[self.label].values.astype(str)),
            task=("presentation", task),
            images=("presentation", np.array([images[name] for name in task])),
        )
        if not self.answered:
            return trials
        kept = np.isin(words, np.unique(trials["truth"].values))
        return trials.isel(presentation=kept)

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.published_ceiling is not None:
            return published(self.published_ceiling, "correlation")
        if self.card.ceiling is None:
            raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")
        estimator: Ceiling = registry.metrics.create(
            self.card.ceiling, seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)


def _joined(manipulation: object, details: object) -> str:
    return f"{manipulation}/{details}"
