"""Benchmarks: show stimuli to a subject, compare its answers with data, normalise by a ceiling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol, cast, final, get_args, runtime_checkable

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import nuisances as beside
from corteval import over_time as over
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, NotInData, OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
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
from corteval.stimuli import StimulusSet, joined
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
        """Assembly over all stimuli the benchmark shows, neural or of answers.

        Raises:
            NotInData: if nobody knows them.
        """


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
    ``"corteval.benchmark:NeuralBenchmark"``. A card that names two data sets has models fitted on
    the first and tested on the second: presentations get the coordinate ``split`` (``"train"`` or
    ``"test"``), by which metrics such as ``ridge-split`` divide them, and the ceiling is that of
    the second.

    What is done with time bins of the data is said by `over_time`:

    - ``"single"``: they have one at most.
    - ``"averaged"``: the data are averaged over them.
    - ``"each"``: metric and ceiling are computed in each and averaged; the subject is asked for
      the bins of the data, unless `time_bins` says otherwise.
    - ``"whole"``: the metric takes responses over time, and what the data are, as they are; the
      ceiling is the mean over bins.

    Args:
        card: names data, metric, ceiling and target.
        neuroids: coordinates and the values that neuroids must have to be predicted, such as
            ``{"region": "IT", "reliability": {"at_least": 0.3}}``; all if empty.
        where: columns of stimuli and the values that those have which are shown, such as
            ``{"experiment": "384sentences"}``; all if empty.
        nuisances: identifiers of subjects, such as ``"sentence-features"``; the score tells in
            ``further`` and a note what variance a model explains beyond them.
        trials: use the first `trials` trials of every stimulus; None uses all.
        model_trials: times each stimulus is shown to the subject, whose responses are averaged.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject; empty leaves time to it. Cards may give (start, end) pairs.
        over_time: what is done with time bins, see above.
        published_ceiling: a number, or number and quantity, where the card names no ceiling since
            it cannot be computed from the data.
        normalization: by name; None derives it from the kinds of score and ceiling.
        data_options, metric_options, ceiling_options: for the factories of the three.
        lower_bound: estimator of what the noiseless responses reach at least, where the ceiling is
            what nothing exceeds; made with `ceiling_options`. Notes compare each score with it.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
        part: of the stimuli that score and ceiling are computed on; None is all of them.
        drawn_together: coordinate whose stimuli metric and ceiling draw together for intervals.
            None: what the metric is told to group folds by, else see
            `corteval.stats.splits.grouping_of`.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    nuisances: tuple[str, ...] = ()
    trials: int | None = None
    model_trials: int = 1
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    over_time: over.OverTime = "single"
    published_ceiling: Published | None = None
    normalization: str | None = None
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    lower_bound: str | None = None
    notes: tuple[str, ...] = ()
    seed: int = 0
    part: StimulusPart | None = None
    drawn_together: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.over_time not in get_args(over.OverTime):
            known = ", ".join(get_args(over.OverTime))
            raise OptionError(f"over_time is one of {known}, not {self.over_time!r}.")
        check_normalization(self.normalization)
        registry.check_parts(self.card)
        takes = registry.metrics.card(self.card.metric).takes if self.card.metric else "neural"
        if takes in ("answers", "choices", "times"):
            raise OptionError(
                f"{self.card.identifier}: {self.card.metric} compares {takes} of people, not "
                "responses of units; see corteval.behavioural_benchmark.BehaviouralBenchmark."
            )
        if not 1 <= len(self.card.data) <= 2:
            raise OptionError(
                f"{self.card.identifier} names {len(self.card.data)} data sets; a neural benchmark "
                "has one, or one to fit on and one to test on."
            )

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

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
        stimuli = self.stimuli()
        responses = record(model, stimuli, self._recording)
        raw = self._compared(responses)
        score = self._normalized(raw)
        further, beyond = self._beyond_nuisances(responses, model.identifier)
        parts = zip(("assembly", "fitted_assembly"), reversed(self._recorded), strict=False)
        digests = {name: assemblies.digest(part) for name, part in parts}
        provenance = Provenance(digests={"stimuli": stimuli.digest(), **digests}, seed=self.seed)
        notes = (
            *score.notes,
            *beyond,
            *self._notes_on_bounds(raw),
            *self.notes,
            *self._notes_on_data(),
            *self._notes_on_part(),
        )
        further = {**score.further, **further}
        return replace(score, notes=notes, provenance=provenance, further=further)

    def _beyond_nuisances(
        self, source: xr.DataArray, model: str
    ) -> tuple[dict[str, Estimate], tuple[str, ...]]:
        """Variance that responses explain beyond those of nuisance subjects, and words on it."""
        choosing = self.part is not None and self.part.which == "selection"
        if not self.nuisances or choosing or self.over_time in ("each", "whole"):
            return {}, ()
        stimuli, recording = self.stimuli(), self._recording
        others, lacking = beside.responses_of(self.nuisances, stimuli, recording, model)
        if not others:
            return {}, lacking
        told = registry.metrics.card(self.card.metric).options.get("cross_validation")
        found, words = beside.beyond(
            assemblies.align(assemblies.responses_matrix(source), self._target),
            self._target,
            {name: assemblies.responses_matrix(part) for name, part in others.items()},
            cross_validation=self.metric_options.get("cross_validation", told or {}),
            seed=self.seed,
        )
        return found, (*lacking, *words)

    def _compared(self, source: xr.DataArray) -> Score:
        """Raw score of the responses `source`."""
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        target = self._target
        if self.over_time == "whole":
            return metric(assemblies.align(over.responses(source), target), target)
        if self.over_time == "each":
            source = assemblies.align(over.responses(source), target)
            sources, targets = over.in_each_bin(source), over.in_each_bin(target)
            if len(sources) != len(targets):
                raise AssemblyError(
                    f"{self.card.identifier} compares time bin by time bin: the data have "
                    f"{len(targets)}, and the subject answered with {len(sources)}."
                )
            scores = [metric(s, t) for s, t in zip(sources, targets, strict=True)]
            return over.mean_score(scores, over.time_bins(target))
        return metric(assemblies.align(assemblies.responses_matrix(source), target), target)

    def _normalized(self, score: Score) -> Score:
        if self.card.ceiling is None and self.published_ceiling is None:
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
        """The recorded responses themselves, or some that have the mean of the recorded RDMs.

        Raises:
            NotInData: if the data are no responses, so that none are known to be ideal.
        """
        del seed  # they are not drawn
        if assemblies.is_rdm(self._recorded[-1]):
            return assemblies.responses_with_rdm(self._recorded[-1])
        if not assemblies.is_neural(self._recorded[-1]):
            raise NotInData(f"{self.card.identifier}: the data are no responses of units.")
        return self._means

    def recordings(self) -> tuple[xr.DataArray, ...]:
        """What metric and ceiling are computed on: one assembly a data set, trials kept apart."""
        return self._recorded

    @cached_property
    def _recording(self) -> Recording:
        bins = self.time_bins
        if not bins and self.over_time in ("each", "whole"):
            bins = over.time_bins(self._recorded[-1])
        return Recording(self.card.target, bins, trials=self.model_trials)

    @cached_property
    def _data(self) -> tuple[DataSource, ...]:
        named = self.card.data
        return tuple(
            cast("DataSource", registry.data.create(n, **self.data_options)) for n in named
        )

    @cached_property
    def _shown(self) -> StimulusSet:
        shown = joined([data.stimuli() for data in self._data])
        return shown.where(**self.where) if self.where else shown

    @property
    def _stated_degrees(self) -> float | None:
        """Extent of the stimuli, as the data have it."""
        return self._shown.visual_degrees

    @cached_property
    def _whole(self) -> StimulusSet:
        return self._shown.sized(self.visual_degrees)

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._whole if self.part is None else self._whole.select(self._kept)

    @cached_property
    def _kept(self) -> list[str]:
        """Ids of the stimuli of the part, in the set's order."""
        if self.part is None:
            return self._whole.stimulus_ids
        part = replace(self.part, together=(*self._grouped_by(), *self.part.together))
        rows = [
            a.isel({dim: 0 for dim in a.dims if dim != "presentation"}, drop=True)
            for a in self._prepared
        ]
        return part.of(self._whole, assemblies.presentations_of(rows))

    @cached_property
    def _prepared(self) -> tuple[xr.DataArray, ...]:
        """Assembly of each data set, all stimuli."""
        prepared = tuple(self._prepare(data.assembly()) for data in self._data)
        if not self.where:
            return prepared
        return tuple(_of_stimuli(part, self._shown.stimulus_ids) for part in prepared)

    def _prepare(self, assembly: xr.DataArray) -> xr.DataArray:
        if not assemblies.is_neural(assembly):
            return assembly
        assembly = assemblies.check_neural(assembly)
        assembly = assemblies.select_neuroids(assembly, self.neuroids)
        assembly = assemblies.first_trials(assembly, self.trials)
        return over.mean_of_bins(assembly) if self.over_time == "averaged" else assembly

    @cached_property
    def _recorded(self) -> tuple[xr.DataArray, ...]:
        """Assembly of each data set, as far as its stimuli lie in the part; trials kept apart."""
        if self.part is None:
            return self._prepared
        return tuple(_of_stimuli(assembly, self._kept) for assembly in self._prepared)

    @cached_property
    def _means(self) -> xr.DataArray:
        """Mean over trials of all data sets."""
        timed = self.over_time in ("each", "whole")
        averaged = over.responses if timed else assemblies.responses_matrix
        means = [averaged(assembly) for assembly in self._recorded]
        if len(means) == 1:
            return means[0]
        named = zip(means, ("train", "test"), strict=True)
        return assemblies.joined(
            [
                m.assign_coords(split=("presentation", [n] * m.sizes["presentation"]))
                for m, n in named
            ]
        )

    @property
    def _target(self) -> xr.DataArray:
        """What the metric compares responses with."""
        (*_, last) = self._recorded
        trials = registry.metrics.card(self.card.metric).takes == "trials"
        return self._drawn(self._means if assemblies.is_neural(last) and not trials else last)

    def _drawn(self, assembly: xr.DataArray) -> xr.DataArray:
        """`assembly`, told which stimuli are drawn together."""
        name = self.drawn_together or next(iter(self._grouped_by()), None)
        if name is None or name not in assembly.coords:
            return assembly
        return assembly.assign_coords({assemblies.DRAWN_TOGETHER: assembly[name].variable})

    def _grouped_by(self) -> tuple[str, ...]:
        """Coordinate by which the metric is told to keep stimuli together, if it is told one."""
        given = self.metric_options.get("cross_validation") or {}
        name = given.get("group_by") if isinstance(given, Mapping) else given.group_by
        return () if name in (None, "auto") else (str(name),)

    def _notes_on_data(self) -> Iterator[str]:
        """What was asked for although the data do not have it."""
        (*_, last) = self._recorded
        if self.visual_degrees is not None and self._stated_degrees is None:
            yield (
                f"the data do not say how large the stimuli are: {self.visual_degrees:g} degrees "
                "are what the benchmark says"
            )
        if not assemblies.is_neural(last):
            return
        if self.time_bins and "time_bin" not in last.dims and self.over_time != "averaged":
            asked = ", ".join(f"{b.start_ms:g}-{b.end_ms:g}" for b in self.time_bins)
            yield f"the subject was asked for {asked} ms; the data do not say their time"
        regions = set(last["region"].values.astype(str)) if "region" in last.coords else set()
        if regions and self.card.target not in regions:
            yield (
                f"the target is {self.card.target}; the neuroids are of "
                f"{', '.join(sorted(regions)[:5])}"
            )

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
        if self.published_ceiling is not None:
            return published(self.published_ceiling, "correlation")
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
        last = self._drawn(self._recorded[-1])
        if self.over_time in ("each", "whole") and assemblies.is_neural(last):
            return over.mean_estimate([estimator(part) for part in over.in_each_bin(last)])
        return estimator(last)


def _of_stimuli(assembly: xr.DataArray, stimulus_ids: list[str]) -> xr.DataArray:
    """Rows of `assembly`, and columns if it is of pairs, that are of the named stimuli."""
    rows = {
        dim: np.isin(assembly[name].values, stimulus_ids)
        for dim, name in (("presentation", "stimulus_id"), ("presentation_2", "stimulus_id_2"))
        if dim in assembly.dims
    }
    return assembly.isel(rows)


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
