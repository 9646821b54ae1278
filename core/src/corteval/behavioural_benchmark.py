"""Benchmarks of behaviour: subjects do what people did, and their answers are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, cast, final

import numpy as np
import pandas as pd
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, NotInData, OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Label, ReadingTime, Request
from corteval.score import Estimate, Provenance, Score, normalize, unnormalized
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class NotAtHand:
    """Images of stimuli of which only the ids are known: who looks at one is told why.

    Args:
        reason: what is missing, and what to do.
    """

    reason: str

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """Never an image.

        Raises:
            NotInData: with the reason.
        """
        raise NotInData(self.reason)


@final
@dataclass(frozen=True, kw_only=True)
class BehaviouralBenchmark:
    """Compares a subject's answers with those of people or animals.

    Like `corteval.benchmark.NeuralBenchmark`, it is made of parts that the card names, so a
    published benchmark is a card whose factory is
    ``"corteval.behavioural_benchmark:BehaviouralBenchmark"``.

    Where the data have no images, since only a user may provide them, the ids of the stimuli are
    shown. That suffices for a subject that looks at none, such as a record of a person's choices;
    any other is told what is missing as soon as it looks (`NotInData`).

    Args:
        card: names data, metric and ceiling.
        task: ``"label"``: choose one of `choices`; ``"reading_time"``: a number a word.
        choices: offered to the subject; None: the right answers that occur in the data.
        normalization: by name; None derives it from the kinds of score and ceiling.
        visual_degrees: extent of the stimuli, if the data do not say it.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        leave_out: a person whose trials neither metric nor ceiling use, so that this person can be
            scored against the others as any other subject.
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
    leave_out: str | None = None
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
        digests = {"assembly": assemblies.digest(self._trials)}
        if not isinstance(stimuli.images, NotAtHand):
            digests["stimuli"] = stimuli.digest()
        provenance = Provenance(digests=digests, seed=self.seed)
        notes = (*score.notes, *self.notes, *self._notes_on(source))
        return replace(score, notes=notes, provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """What is shown; without images where the data have none."""
        return self._stimuli

    def _notes_on(self, source: xr.DataArray) -> Iterator[str]:
        """Of which people and by what the answers in `source` were compared."""
        if isinstance(self._stimuli.images, NotAtHand):
            yield "the images were not at hand: the subject knew the stimuli by their ids"
        if self.leave_out is not None:
            yield f"compared with people other than {self.leave_out}"
        same = _of_the_same_answers(source, self._trials)
        if same:
            yield (
                f"all answers are those of {', '.join(same)}, with whom they are compared too; "
                f"leave_out={same[0]!r} compares with the others"
            )

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
        truth: Any = self._everyone.coords.get("truth")
        if truth is None:
            truth = self._stimuli.table.get("truth")
        if truth is not None:
            return tuple(np.unique(np.asarray(truth).astype(str)).tolist())
        if self._everyone.dtype.kind in "OUT":
            return tuple(np.unique(self._everyone.values.astype(str)).tolist())
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
        try:
            stimuli = self._data.stimuli()
        except NotInData as reason:
            stimuli = self._not_at_hand(reason)
        if self.leave_out is not None:  # some may have been shown to this person only
            stimuli = stimuli.select([i for i in stimuli.stimulus_ids if i in self._answered])
        if self.visual_degrees is None or stimuli.visual_degrees is not None:
            return stimuli
        return replace(stimuli, visual_degrees=self.visual_degrees)

    def _not_at_hand(self, reason: NotInData) -> StimulusSet:
        """The stimuli of the trials, as far as they are known by id."""
        (identifier,) = self.card.data
        modality = registry.data_card(identifier).modality
        if modality == "text":  # it is read where it stands: nobody could be told at the reading
            raise reason
        return StimulusSet(
            identifier=identifier,
            modality=modality,
            table=pd.DataFrame(index=pd.Index(sorted(self._answered), name="stimulus_id")),
            images=NotAtHand(reason=str(reason)),
        )

    @cached_property
    def _answered(self) -> frozenset[str]:
        """Ids of the stimuli of the trials."""
        return frozenset(self._trials["stimulus_id"].values.astype(str).tolist())

    @cached_property
    def _everyone(self) -> xr.DataArray:
        return assemblies.check_behavioural(self._data.assembly())

    @cached_property
    def _trials(self) -> xr.DataArray:
        if self.leave_out is None:
            return self._everyone
        return _without(self._everyone, self.leave_out)

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.card.ceiling is None:
            raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")
        estimator: Ceiling = registry.metrics.create(
            self.card.ceiling, seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)


def _without(trials: xr.DataArray, person: str) -> xr.DataArray:
    """`trials` of all people but one."""
    if "subject" not in trials.coords or trials["subject"].dims != ("presentation",):
        raise AssemblyError(
            f"leave_out={person!r} names nobody: the trials have no coordinate 'subject' along "
            "presentation."
        )
    people = trials["subject"].values.astype(str)
    others = people != person
    if others.all() or not others.any():
        known = np.unique(people).tolist()
        raise OptionError(
            f"leave_out={person!r} leaves out {'nobody' if others.all() else 'everybody'}; trials "
            f"are of {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
        )
    return trials.isel(presentation=others)


def _of_the_same_answers(source: xr.DataArray, trials: xr.DataArray) -> list[str]:
    """People each of whose answers is that in `source`."""
    if "subject" not in trials.coords or not source.dims == trials.dims == ("presentation",):
        return []
    given = dict(zip(source["stimulus_id"].values, source.values, strict=True))
    asked = zip(trials["stimulus_id"].values, trials.values, strict=True)
    same = np.array([i in given and given[i] == answer for i, answer in asked])
    people = trials["subject"].values.astype(str)
    return sorted(set(people.tolist()) - set(people[~same].tolist()))
