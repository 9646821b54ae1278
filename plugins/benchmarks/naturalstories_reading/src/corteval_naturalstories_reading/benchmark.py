"""Reading times of words: what a subject finds hard is compared with how long people read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import ReadingTime, Request
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stimuli import StimulusSet
from corteval_naturalstories_reading.frequency import count_marks, log_frequencies


@final
@dataclass(frozen=True, kw_only=True)
class MeanReadingTimes:
    """Compares a number a word with mean reading times, of which the sampling noise is known.

    All words are read, those without a reading time too; the metric compares the others. It is
    given its own options and those that it shares with the ceiling.

    Args:
        card: names data, metric and ceiling. Texts of further data sets that it names tell how
            frequent words are: the coordinate ``log_frequency`` of reading times. Another one,
            ``marks``, counts the marks around a word, at which readers stop.
        shared_options: for the factories of metric and ceiling alike.
        data_options: for the factory of the data, such as ``{"alignment_shift": 1}``.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    shared_options: Mapping[str, Any] = field(default_factory=dict)
    data_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        registry.check_parts(self.card)

    def requests(self) -> tuple[Request, ...]:
        """Reading times, or a stand-in such as surprisal."""
        return (ReadingTime(),)

    def ceiling(self) -> Estimate:
        """What the noise of the means allows, by the estimator the card names."""
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`: metric of its numbers against mean reading times, normalised.

        Raises:
            AssemblyError: if a number is missing beyond the first words of sentences.
            UndefinedScore: if its numbers do not vary.
        """
        stimuli = self.stimuli()
        answer = assemblies.in_order(perform(model, stimuli, ReadingTime()), stimuli.stimulus_ids)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.shared_options
        )
        measured = np.isin(stimuli.stimulus_ids, self._times["stimulus_id"].values)
        score = metric(answer.isel(presentation=np.flatnonzero(measured)), self._times)
        score = normalize(score, self.ceiling())
        provenance = Provenance(
            digests={"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._times)},
            seed=self.seed,
        )
        notes = (*score.notes, *self._notes_on(answer), *self.notes)
        return replace(score, notes=notes, provenance=provenance)

    def stimuli(self) -> StimulusSet:
        """All words."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Mean reading times with noise of the size of theirs, so that no fit of them is exact.

        Nobody knows the true means. This subject knows the noise of the measured ones too, and may
        exceed the ceiling. Words that nobody was measured on have NaN.
        """
        noise = self._times["sd_ms"].values / np.sqrt(self._times["n"].values)
        drawn = np.random.default_rng(seed).normal(self._times.values, noise)
        row = {i: n for n, i in enumerate(self.stimuli().stimulus_ids)}
        values = np.full(len(row), np.nan)
        values[[row[i] for i in self._times["stimulus_id"].values]] = drawn
        ids = ("presentation", self.stimuli().stimulus_ids)
        return xr.DataArray(values, dims=["presentation"], coords={"stimulus_id": ids})

    def _notes_on(self, answer: xr.DataArray) -> Iterator[str]:
        lacking = int(np.isnan(answer.values.astype(float)).sum())
        if lacking:
            yield f"the subject has no number for {lacking} of {answer.size} words"
        unmeasured = answer.size - self._times.size
        if unmeasured:
            yield f"{unmeasured} words are read, but have no reading time to compare with"

    @cached_property
    def _data(self) -> DataSource:
        created = registry.data.create(self.card.data[0], **self.data_options)
        return cast("DataSource", created)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._data.stimuli()

    @cached_property
    def _times(self) -> xr.DataArray:
        times = assemblies.check_behavioural(self._data.assembly())
        words = times["word"].values.astype(str).tolist()
        times = times.assign_coords(marks=("presentation", count_marks(words)))
        if len(self.card.data) < 2:
            return times
        corpora = [cast("DataSource", registry.data.create(name)) for name in self.card.data[1:]]
        texts = (str(text) for corpus in corpora for text in corpus.stimuli().table["text"])
        frequencies = log_frequencies(words, texts)
        return times.assign_coords(log_frequency=("presentation", frequencies))

    @cached_property
    def _ceiling(self) -> Estimate:
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **self.shared_options
        )
        return estimator(self._times)
