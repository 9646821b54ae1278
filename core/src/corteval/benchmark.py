"""Benchmarks: show stimuli to a subject, compare its answers with data, normalise by a ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, cast, final, runtime_checkable

import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin
from corteval.score import Estimate, Provenance, Score, normalize


@runtime_checkable
class Benchmark(Protocol):
    """A question to subjects, with data to compare the answers with."""

    @property
    def card(self) -> BenchmarkCard:
        """What it is."""

    def requests(self) -> tuple[Request, ...]:
        """What a subject must support; compared with `supports` before any compute."""

    def ceiling(self) -> Estimate:
        """What the data allow."""

    def __call__(self, model: ModelCommitment) -> Score:
        """Score `model`.

        Raises:
            UndefinedScore: if the comparison has no value, with the reason.
        """


@runtime_checkable
class SelfTesting(Protocol):
    """A benchmark that can say what a perfect subject would answer.

    The conformance kit plays these responses back and expects a score at the ceiling.
    """

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Neural assembly over all stimuli the benchmark shows."""


@final
@dataclass(frozen=True, kw_only=True)
class NeuralBenchmark:
    """Predicts recorded units from a subject's responses: most neural benchmarks are one of these.

    Its parts are named by the card and found in the registry, so a published benchmark is a card
    whose factory is ``"corteval.benchmark:NeuralBenchmark"``.

    Args:
        card: names data, metric, ceiling and target.
        trials: use the first `trials` trials of every stimulus; None uses all.
        time_bins: asked of the subject; empty leaves time to it. Cards may give (start, end) pairs.
        normalization: by name; None derives it from the kinds of score and ceiling.
        metric_options, ceiling_options: for the factories of both.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    trials: int | None = None
    time_bins: tuple[TimeBin, ...] = ()
    normalization: str | None = None
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        given: tuple[Any, ...] = self.time_bins
        bins = tuple(b if isinstance(b, TimeBin) else TimeBin(*b) for b in given)
        object.__setattr__(self, "time_bins", bins)

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (Recording(self.card.target, self.time_bins),)

    def ceiling(self) -> Estimate:
        """Reliability of the recorded units, by the estimator the card names."""
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`: metric of its responses against the mean over trials, normalised."""
        target = assemblies.responses_matrix(self._trials)
        stimuli = self._data.stimuli()
        source = record(model, stimuli, self.card.target, time_bins=self.time_bins)
        source = assemblies.align(assemblies.responses_matrix(source), target)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = normalize(
            metric(source, target),
            self.ceiling(),
            normalization=self.normalization,
        )
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._trials)}
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The recorded responses themselves: no model can be closer to them."""
        del seed  # they are not drawn
        return assemblies.responses_matrix(self._trials)

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier))

    @cached_property
    def _trials(self) -> xr.DataArray:
        assembly = assemblies.check_neural(self._data.assembly())
        return assemblies.first_trials(assembly, self.trials)

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.card.ceiling is None:
            raise OptionError(f"{self.card.identifier}: its card names no ceiling.")
        estimator: Ceiling = registry.metrics.create(
            self.card.ceiling, seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)
