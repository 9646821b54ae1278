"""Benchmarks of behaviour: subjects do what people did, and their answers are compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, cast, final, get_args

import numpy as np
import pandas as pd
import xarray as xr

from corteval import answers, registry
from corteval import assembly as assemblies
from corteval.benchmark import NO_CEILING
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, NotInData, OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import Label, OddOneOut, Probabilities, ReadingTime, Request
from corteval.score import (
    Estimate,
    Provenance,
    Published,
    Score,
    check_normalization,
    normalize,
    published,
    unnormalized,
)
from corteval.stimuli import StimulusSet

Behaviour = Literal["label", "probabilities", "odd_one_out", "reading_time"]


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

    What the subject does is said by `task`:

    - ``"label"``: choose one of `choices`.
    - ``"probabilities"``: tell how probable each label is, by a read-out that is fitted on the
      labelled stimuli of the data set `fit`.
    - ``"odd_one_out"``: of three stimuli choose the one that fits least; a trial is a triplet.
    - ``"reading_time"``: a number a word.

    Data without any trials, of which stimuli have labels, are their own right answers: then it is
    an engineering benchmark, whose accuracy has no ceiling but 1.

    Where the data have no images, since only a user may provide them, the ids of the stimuli are
    shown. That suffices for a subject that looks at none, such as a record of a person's choices;
    any other is told what is missing as soon as it looks (`NotInData`).

    Args:
        card: names data, metric and ceiling.
        task: see above.
        choices: offered to the subject; None: the right answers that occur in the data.
        fit: data set whose stimuli are shown with their labels, for ``"probabilities"``; the card
            names it among its data, after that of the trials.
        fit_label: column of its stimuli with the labels.
        fit_only: columns of its stimuli, and the values of those to fit on; all if empty.
        truth: coordinate of trials, or column of stimuli, that holds the right answers.
        triplets: coordinates of trials with the ids of the three stimuli shown.
        only: coordinates of trials, and the values of those to keep, such as
            ``{"condition": ("phosphenes-12",)}``; all if empty.
        published_ceiling: a number, or number and quantity, where the card names no ceiling since
            it cannot be computed from the data.
        normalization: by name; None derives it from the kinds of score and ceiling.
        visual_degrees: extent of the stimuli, if the data do not say it.
        data_options, metric_options, ceiling_options: for the factories of the three.
        fit_options: for the factory of `fit`; None takes `data_options`.
        notes: what a reader must know to read the score rightly.
        leave_out: a person whose trials neither metric nor ceiling use, so that this person can be
            scored against the others as any other subject.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    task: Behaviour = "label"
    choices: tuple[str, ...] | None = None
    fit: str | None = None
    fit_label: str = "label"
    fit_only: Mapping[str, Any] = field(default_factory=dict)
    truth: str = "truth"
    triplets: tuple[str, str, str] = answers.TRIPLET
    only: Mapping[str, Any] = field(default_factory=dict)
    published_ceiling: Published | None = None
    visual_degrees: float | None = None
    normalization: str | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    fit_options: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    leave_out: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.task not in get_args(Behaviour):
            raise OptionError(f"Tasks are {', '.join(get_args(Behaviour))}, not {self.task!r}.")
        check_normalization(self.normalization)
        registry.check_parts(self.card)
        if (self.task == "probabilities") != (self.fit is not None):
            raise OptionError(
                f"{self.card.identifier}: the task probabilities, and no other, needs `fit`, a "
                "data set of labelled stimuli."
            )
        if self.fit is not None and self.fit not in self.card.data:
            raise OptionError(
                f"{self.card.identifier}: name {self.fit} among the card's data too, so that users "
                "are asked before it is downloaded."
            )

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
        source = self._answered_by(model)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = metric(source, self._trials)
        if self.card.ceiling is None and self.published_ceiling is None:
            score = unnormalized(score, NO_CEILING)
        else:
            chance = self._chance if self._guessable(score) else 0.0
            score = normalize(
                score, self.ceiling(), normalization=self.normalization, chance=chance
            )
        digests = {"assembly": assemblies.digest(self._trials)}
        if not isinstance(self._stimuli.images, NotAtHand):
            digests["stimuli"] = self._stimuli.digest()
        if isinstance(self._request, Probabilities):
            digests["fitting_stimuli"] = self._request.fit.digest()
        provenance = Provenance(digests=digests, seed=self.seed)
        notes = (*score.notes, *self.notes, *self._notes_on(source))
        return replace(score, notes=notes, provenance=provenance)

    def _answered_by(self, model: ModelCommitment) -> xr.DataArray:
        """Answers of `model`: one row a stimulus, or a trial of a triplet."""
        source = perform(model, self._stimuli, self._request)
        if isinstance(self._request, OddOneOut):
            three = [source[n].values.astype(str) for n in answers.TRIPLET]
            named = answers.triplet_ids(*three)
            source = source.assign_coords(stimulus_id=("presentation", named))
            shown = [self._trials[n].values for n in answers.TRIPLET]
            source = assemblies.in_order(source, answers.triplet_ids(*shown))
            ids = self._trials["stimulus_id"].values
            return source.assign_coords(stimulus_id=("presentation", ids))
        return assemblies.in_order(source, self._stimuli.stimulus_ids)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Answers of a subject that is one of the people, stimulus by stimulus.

        Words are the answer of one trial each, drawn with `seed`, as are probabilities where it
        only counts whether they are right; else these are the shares of choices. Reading times are
        the mean, odd ones what people chose in the first trial. Without a ceiling of people, the
        right answers are ideal.
        """
        if isinstance(self._request, OddOneOut):
            shown = [self._trials[n].values for n in answers.TRIPLET]
            first = np.unique(answers.triplet_ids(*shown), return_index=True)[1]
            return self._trials.isel(presentation=np.sort(first))
        if isinstance(self._request, ReadingTime):
            return answers.mean_times(self._trials)
        only_right = registry.metrics.card(self.card.metric).takes == "answers"
        probable = isinstance(self._request, Probabilities) and not only_right
        if probable and self._trials.dtype.kind in "OUT":
            return answers.shares(self._trials, self._choices)
        bounded = self.card.ceiling is not None or self.published_ceiling is not None
        if not bounded and "truth" in self._trials.coords:
            return answers.right(self._trials)
        return answers.drawn(self._trials, self._choices, seed)

    def stimuli(self) -> StimulusSet:
        """What is shown; without images where the data have none."""
        return self._stimuli

    def _notes_on(self, source: xr.DataArray) -> Iterator[str]:
        """Of which people and by what the answers in `source` were compared."""
        if isinstance(self._request, Probabilities):
            known = set(self._request.fit.contents())
            shared = sum(content in known for content in self._stimuli.contents())
            if shared:
                yield (
                    f"{shared} of {len(self._stimuli)} stimuli are among those that the read-out "
                    "was fitted on, with their labels"
                )
        if isinstance(self._stimuli.images, NotAtHand):
            yield "the images were not at hand: the subject knew the stimuli by their ids"
        if self.leave_out is not None:
            yield f"compared with people other than {self.leave_out}"
        same = answers.of_the_same_answers(source, self._trials)
        if same:
            yield (
                f"all answers are those of {', '.join(same)}, with whom they are compared too; "
                f"leave_out={same[0]!r} compares with the others"
            )

    def _guessable(self, score: Score) -> bool:
        """Whether guessing has an accuracy of its own, which the normalisation takes off."""
        guessed = self.task != "reading_time"
        return score.raw is not None and score.raw.quantity == "accuracy" and guessed

    @property
    def _chance(self) -> float:
        return 1 / 3 if self.task == "odd_one_out" else 1 / len(self._choices)

    @cached_property
    def _request(self) -> Label | Probabilities | OddOneOut | ReadingTime:
        if self.task == "reading_time":
            return ReadingTime()
        if self.task == "odd_one_out":
            return OddOneOut(answers.triplets_of(self._trials))
        if self.task == "probabilities":
            return Probabilities(self._labelled)
        return Label(self._choices)

    @cached_property
    def _labelled(self) -> StimulusSet:
        """Stimuli to fit on, with their labels and nothing else of the experimenter."""
        options = self.data_options if self.fit_options is None else self.fit_options
        source = cast("DataSource", registry.data.create(str(self.fit), **options))
        stimuli = answers.shown_in(source.stimuli(), self.fit_only)
        if self.fit_label not in stimuli.table.columns:
            known = ", ".join(map(str, stimuli.table.columns))
            raise AssemblyError(
                f"{self.fit} has no column {self.fit_label!r} of labels; it has {known}."
            )
        labels = stimuli.table[self.fit_label].to_numpy(str)
        stimuli = replace(stimuli.shown(), table=stimuli.shown().table.assign(label=labels))
        return stimuli.sized(self.visual_degrees)

    @cached_property
    def _choices(self) -> tuple[str, ...]:
        if self.choices is not None:
            return tuple(self.choices)
        if self.task == "probabilities":
            return tuple(np.unique(self._labelled.table["label"].to_numpy(str)).tolist())
        truth: Any = self._everyone.coords.get("truth")
        if truth is None:
            truth = self._whole.table.get("truth")
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
        identifier = self.card.data[0]
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    @cached_property
    def _whole(self) -> StimulusSet:
        """All stimuli of the data, or their ids."""
        try:
            return self._data.stimuli()
        except NotInData as reason:
            return self._not_at_hand(reason)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        stimuli = self._whole
        if self.task == "odd_one_out":
            shown = {i for triplet in answers.triplets_of(self._trials) for i in triplet}
            stimuli = stimuli.select([i for i in stimuli.stimulus_ids if i in shown])
        elif self.leave_out is not None or self.only:  # some may be in no trial that is left
            stimuli = stimuli.select([i for i in stimuli.stimulus_ids if i in self._answered])
        return stimuli.sized(self.visual_degrees)

    def _not_at_hand(self, reason: NotInData) -> StimulusSet:
        """The stimuli of the trials, as far as they are known by id."""
        identifier = self.card.data[0]
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
        """All trials, with the right answers where they are known."""
        try:
            trials = self._data.assembly()
        except NotInData:
            stimuli = self._data.stimuli()
            if self.truth not in stimuli.table.columns:
                raise
            return answers.selected(answers.from_labels(stimuli, self.truth), self.only)
        trials = answers.selected(trials, self.only)
        if self.truth != "truth":
            in_trials = self.truth in trials.coords
            trials = answers.with_truth(
                trials, None if in_trials else self._data.stimuli(), self.truth
            )
        if self.task == "odd_one_out":
            trials = answers.with_triplets(trials, self.triplets)
        return assemblies.check_behavioural(trials)

    @cached_property
    def _trials(self) -> xr.DataArray:
        if self.leave_out is None:
            return self._everyone
        return answers.without(self._everyone, self.leave_out)

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.published_ceiling is not None:
            return published(self.published_ceiling, "similarity")
        if self.card.ceiling is None:
            raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")
        estimator: Ceiling = registry.metrics.create(
            self.card.ceiling, seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)
