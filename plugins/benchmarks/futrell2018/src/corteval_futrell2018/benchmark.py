"""Surprisal against the reading times of single people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, perform
from corteval.requests import ReadingTime, Request
from corteval.score import Estimate, Provenance, Score, check_normalization, normalize
from corteval.stimuli import StimulusSet


@final
@dataclass(frozen=True, kw_only=True)
class ReadingTimesBenchmark:
    """Compares a number for each word, such as its surprisal, with reading times of people.

    Args:
        card: names the reading times (word by reader), a metric of reading times and its ceiling.
        normalization: by name; None derives it from the kinds of score and ceiling.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    normalization: str | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        check_normalization(self.normalization)
        registry.check_parts(self.card)

    def requests(self) -> tuple[Request, ...]:
        """Reading times."""
        return (ReadingTime(),)

    def stimuli(self) -> StimulusSet:
        """The words, each story a context."""
        return self._data.stimuli()

    def ceiling(self) -> Estimate:
        """Reliability of mean reading times, by the estimator the card names."""
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`: metric of its answers against the readers, normalised."""
        stimuli = self.stimuli()
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        source = assemblies.in_order(
            perform(model, stimuli, ReadingTime()), self._times["stimulus_id"].values
        )
        score = normalize(
            metric(source, self._times), self.ceiling(), normalization=self.normalization
        )
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._times)}
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Mean reading time of each word."""
        del seed  # they are not drawn
        return self._times.mean("subject", skipna=True)

    @cached_property
    def _data(self) -> DataSource:
        return cast("DataSource", registry.data.create(self.card.data[0], **self.data_options))

    @cached_property
    def _times(self) -> xr.DataArray:
        return times_of(self._data, self.card.data[0])

    @cached_property
    def _ceiling(self) -> Estimate:
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **self.ceiling_options
        )
        return estimator(self._times)


def times_of(data: DataSource, name: str) -> xr.DataArray:
    """Reading times (presentation, subject); NaN where a reader did not read a word.

    Raises:
        AssemblyError: if `data`, called `name`, are of another form.
    """
    assembly = data.assembly()
    needed = {"sentence_id", "word_within_sentence_id", "subject"}
    lacking = sorted(needed - set(map(str, assembly.coords)))
    if set(assembly.dims) != {"presentation", "subject"} or lacking:
        raise AssemblyError(
            f"{name}: reading times are along presentation and subject, with "
            f"{', '.join(sorted(needed))}; found dims {', '.join(map(str, assembly.dims))}"
            + (f", without {', '.join(lacking)}." if lacking else ".")
        )
    return assembly.transpose("presentation", "subject").astype(np.float64)
