"""Benchmarks: show stimuli to a subject, compare its answers with data, normalise by a ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, cast, final, runtime_checkable

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin
from corteval.score import Estimate, Provenance, Score, normalize, unnormalized
from corteval.stimuli import StimulusSet
from corteval.stimulus_part import StimulusPart

#: Why benchmarks whose card names no ceiling have none.
NO_CEILING = "no ceiling of this metric follows from these data"


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


@runtime_checkable
class Divisible(Protocol):
    """A benchmark that can be computed on a part of its stimuli.

    What is chosen on one part can then be reported for another, which the choice has not seen.
    """

    @property
    def part(self) -> StimulusPart | None:
        """What it is computed on; None is the whole."""

    def on(self, part: StimulusPart | None) -> Benchmark:
        """This benchmark on `part`, its ceiling included."""

    def stimuli(self) -> StimulusSet:
        """What it shows, as far as it lies in its part."""


@final
@dataclass(frozen=True, kw_only=True)
class NeuralBenchmark:
    """Compares a subject's responses with recordings: most neural benchmarks are one of these.

    The data are responses of units, or the dissimilarities (RDMs) of those. The parts are named
    by the card and found in the registry, so a published benchmark is a card whose factory is
    ``"corteval.benchmark:NeuralBenchmark"``.

    Args:
        card: names data, metric, ceiling and target.
        neuroids: coordinates and the values that neuroids must have to be predicted, such as
            ``{"region": "IT"}``; all if empty.
        trials: use the first `trials` trials of every stimulus; None uses all.
        model_trials: times each stimulus is shown to the subject, whose responses are averaged.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject; empty leaves time to it. Cards may give (start, end) pairs.
        normalization: by name; None derives it from the kinds of score and ceiling.
        data_options, metric_options, ceiling_options: for the factories of the three.
        lower_bound: estimator of what the noiseless responses reach at least, where the ceiling is
            what nothing exceeds; made with `ceiling_options`. Notes compare each score with it.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
        part: of the stimuli that score and ceiling are computed on; None is all of them.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    trials: int | None = None
    model_trials: int = 1
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    normalization: str | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    lower_bound: str | None = None
    notes: tuple[str, ...] = ()
    seed: int = 0
    part: StimulusPart | None = None

    def __post_init__(self) -> None:
        given: tuple[Any, ...] = self.time_bins
        bins = tuple(b if isinstance(b, TimeBin) else TimeBin(*b) for b in given)
        object.__setattr__(self, "time_bins", bins)

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (Recording(self.card.target, self.time_bins, trials=self.model_trials),)

    def ceiling(self) -> Estimate:
        """Reliability of the recorded units, by the estimator the card names."""
        return self._ceiling

    def noise_bounds(self) -> tuple[Estimate, Estimate]:
        """What the noiseless responses reach at least, and the ceiling.

        Raises:
            UndefinedScore: if the benchmark names no estimator of either.
        """
        return self._lower, self.ceiling()

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`: metric of its responses against the mean over trials, normalised."""
        target = self._trials
        if not assemblies.is_rdm(target):
            target = assemblies.responses_matrix(target)
        stimuli = self.stimuli()
        source = record(
            model,
            stimuli,
            self.card.target,
            time_bins=self.time_bins,
            trials=self.model_trials,
        )
        source = assemblies.align(assemblies.responses_matrix(source), target)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        raw = metric(source, target)
        score = self._normalized(raw)
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._trials)}
        provenance = Provenance(digests=digests, seed=self.seed)
        notes = (*score.notes, *self._notes_on_bounds(raw), *self.notes, *self._notes_on_part())
        return replace(score, notes=notes, provenance=provenance)

    def _normalized(self, score: Score) -> Score:
        if self.card.ceiling is None:
            return unnormalized(score, NO_CEILING)
        return normalize(score, self.ceiling(), normalization=self.normalization)

    def _notes_on_bounds(self, score: Score) -> Iterator[str]:
        """Where the noise ceiling lies, and whether an unnormalised score reaches it."""
        if self.lower_bound is None:
            return
        lower, upper = self.noise_bounds()
        yield (
            f"noise ceiling of raw scores: {lower.value:.4f} ({self.lower_bound}) to "
            f"{upper.value:.4f} ({self.card.ceiling})"
        )
        if lower.value > 0:
            share = normalize(score, lower, normalization="r/c")
            yield f"{_reached(share)}: {share.value:.3f} of its lower bound{_within(share)}"

    def on(self, part: StimulusPart | None) -> NeuralBenchmark:
        """This benchmark on a part of its stimuli."""
        return replace(self, part=part)

    def stimuli(self) -> StimulusSet:
        """What is shown: the stimuli of the part."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The recorded responses themselves, or some that have the mean of the recorded RDMs."""
        del seed  # they are not drawn
        if assemblies.is_rdm(self._trials):
            return assemblies.responses_with_rdm(self._trials)
        return assemblies.responses_matrix(self._trials)

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    @cached_property
    def _whole(self) -> StimulusSet:
        stimuli = self._data.stimuli()
        if self.visual_degrees is None or stimuli.visual_degrees is not None:
            return stimuli
        return replace(stimuli, visual_degrees=self.visual_degrees)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._whole if self.part is None else self._whole.select(self._kept)

    @cached_property
    def _kept(self) -> list[str]:
        """Ids of the stimuli of the part, as the assembly holds them, in the set's order."""
        recorded = set(self._trials["stimulus_id"].values.tolist())
        return [i for i in self._whole.stimulus_ids if i in recorded]

    @cached_property
    def _trials(self) -> xr.DataArray:
        assembly = self._data.assembly()
        if not assemblies.is_rdm(assembly):
            assembly = assemblies.check_neural(assembly)
            assembly = assemblies.select_neuroids(assembly, self.neuroids)
            assembly = assemblies.first_trials(assembly, self.trials)
        if self.part is None:
            return assembly
        part = replace(self.part, together=(*self._grouped_by(), *self.part.together))
        kept = part.of(self._whole, assembly)
        rows = {
            dim: np.isin(assembly[name].values, kept)
            for dim, name in (("presentation", "stimulus_id"), ("presentation_2", "stimulus_id_2"))
            if dim in assembly.dims
        }
        return assembly.isel(rows)

    def _grouped_by(self) -> tuple[str, ...]:
        """Coordinate by which the metric is told to keep stimuli together, if it is told one."""
        given = self.metric_options.get("cross_validation") or {}
        name = given.get("group_by") if isinstance(given, Mapping) else given.group_by
        return () if name in (None, "auto") else (str(name),)

    def _notes_on_part(self) -> tuple[str, ...]:
        if self.part is None:
            return ()
        purpose = {"selection": "used for choosing", "report": "kept from choosing"}
        return (
            f"on {len(self._stimuli)} of {len(self._whole)} stimuli: the part "
            f"{purpose[self.part.which]} (seed {self.part.seed})",
        )

    @cached_property
    def _ceiling(self) -> Estimate:
        if self.card.ceiling is None:
            raise UndefinedScore(f"{self.card.identifier}: {NO_CEILING}.")
        return self._estimated(self.card.ceiling)

    @cached_property
    def _lower(self) -> Estimate:
        if self.lower_bound is None:
            raise UndefinedScore(f"{self.card.identifier} names no lower bound of its ceiling.")
        return self._estimated(self.lower_bound)

    def _estimated(self, by: str) -> Estimate:
        estimator: Ceiling = registry.metrics.create(by, seed=self.seed, **self.ceiling_options)
        return estimator(self._trials)


def _reached(share: Score) -> str:
    """Whether a share of the lower noise bound is 1 at least, as far as its interval tells."""
    low, high = (share.interval.low, share.interval.high) if share.interval else (share.value,) * 2
    if high < 1:
        return "below the noise ceiling"
    return "reaches the noise ceiling" if low >= 1 else "may reach the noise ceiling"


def _within(share: Score) -> str:
    interval = share.interval
    if interval is None:
        return ""
    return f" ({100 * interval.level:g} % interval {interval.low:.3f} to {interval.high:.3f})"
