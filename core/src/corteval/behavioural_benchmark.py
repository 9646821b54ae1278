"""Benchmarks of behaviour: subjects do what people did, and their answers are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Label, ReadingTime, Request
from corteval.score import Estimate, Provenance, Score, normalize, unnormalized
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class BehaviouralBenchmark:
    """Compares a subject's answers with those of people or animals.

    Like `corteval.benchmark.NeuralBenchmark`, it is made of parts that the card names, so a
    published benchmark is a card whose factory is
    ``"corteval.behavioural_benchmark:BehaviouralBenchmark"``.

    Args:
        card: names data, metric and ceiling.
        task: ``"label"``: choose one of `choices`; ``"reading_time"``: a number a word.
        choices: offered to the subject; None: the right answers that occur in the data.
        normalization: by name; None derives it from the kinds of score and ceiling.
        visual_degrees: extent of the stimuli, if the data do not say it.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    task: Literal["label", "reading_time"] = "label"
    choices: tuple[str, ...] | None = None
    visual_degrees: float | None = None
    normalization: str | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.task not in ("label", "reading_time"):
            raise OptionError(f"Tasks are label and reading_time, not {self.task!r}.")

    def requests(self) -> tuple[Request, ...]:
        """The task."""
        return (self._request,)

    def ceiling(self) -> Estimate:
        """How well people predict each other, by the estimator the card names.

        Raises:
            UndefinedScore: if the card names none.
        """
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`: metric of its answers against the trials, normalised."""
        stimuli = self.stimuli()
        source = perform(model, stimuli, self._request)
        source = assemblies.in_order(source, stimuli.stimulus_ids)  # one answer to each
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = metric(source, self._trials)
        if self.card.ceiling is None:
            score = unnormalized(score, NO_CEILING)
        else:
            chance = 1 / len(self._choices) if self._guessable(score) else 0.0
            score = normalize(
                score, self.ceiling(), normalization=self.normalization, chance=chance
            )
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._trials)}
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """What is shown."""
        return self._stimuli

    def _guessable(self, score: Score) -> bool:
        """Whether guessing has an accuracy of its own, which the normalisation takes off."""
        return score.raw is not None and score.raw.quantity == "accuracy" and self.task == "label"

    @cached_property
    def _request(self) -> Label | ReadingTime:
        return ReadingTime() if self.task == "reading_time" else Label(self._choices)

    @cached_property
    def _choices(self) -> tuple[str, ...]:
        if self.choices is not None:
            return tuple(self.choices)
        for holder in (self._trials.coords, self._stimuli.table):
            if "truth" in holder:
                return tuple(np.unique(np.asarray(holder["truth"]).astype(str)).tolist())
        if self._trials.dtype.kind in "OUT":
            return tuple(np.unique(self._trials.values.astype(str)).tolist())
        raise AssemblyError(
            f"{self.card.identifier}: the trials do not say which answers are right. Give them a "
            "column 'truth', or the benchmark its choices."
        )

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        stimuli = self._data.stimuli()
        if self.visual_degrees is None or stimuli.visual_degrees is not None:
            return stimuli
        return replace(stimuli, visual_degrees=self.visual_degrees)

    @cached_property
    def _trials(self) -> xr.DataArray:
        return assemblies.check_behavioural(self._data.assembly())

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.card.ceiling is None:
            raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")
        estimator: Ceiling = registry.metrics.create(
            self.card.ceiling, seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)
