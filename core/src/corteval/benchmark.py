"""Benchmarks: show stimuli to a subject, compare its answers with data, normalise by a ceiling."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol, cast, final, runtime_checkable

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin
from corteval.score import Estimate, Provenance, Score, normalize, unnormalized
from corteval.stimuli import StimulusSet

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


@final
@dataclass(frozen=True, kw_only=True)
class StimulusPart:
    """One of two disjoint parts of a benchmark's stimuli: one to choose on, one to report.

    Stimuli that belong together stay together: those of one content, of one context, and of one
    value of the first coordinate in `together` that they have and that tells any of them apart.
    Such groups are put in order by the SHA-256 of seed and content; the ``"selection"`` part is the
    beginning of that order, as near to `share` of all stimuli as whole groups allow, and the
    ``"report"`` part the rest. So neither the order of rows nor the ids matter.

    Args:
        share: of the stimuli that are in the ``"selection"`` part.
        seed: of the division.
        which: of the two parts.
        together: presentation coordinates, or columns of stimuli, whose values are not divided.
    """

    share: float = 0.5
    seed: int = 0
    which: Literal["selection", "report"] = "selection"
    together: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise OptionError(
                f"A part is a share between 0 and 1 of the stimuli, not {self.share}."
            )
        if self.which not in ("selection", "report"):
            raise OptionError(f"Parts are 'selection' and 'report', not {self.which!r}.")

    def of(self, stimuli: StimulusSet, assembly: xr.DataArray) -> list[str]:
        """Ids of the part's stimuli, in the order of `stimuli`.

        Args:
            stimuli: all of the benchmark.
            assembly: tells by its presentation coordinates what belongs together.

        Raises:
            OptionError: if all stimuli belong together.
            AssemblyError: if stimuli and assembly are not of the same stimuli.
        """
        assembly = assemblies.in_order(assembly, stimuli.stimulus_ids)
        ids, contents = np.array(stimuli.stimulus_ids), np.array(stimuli.contents())
        bonds = self._bonds(stimuli, assembly, contents)
        group = _connected([*bonds.values()])
        members = [np.flatnonzero(group == number) for number in range(group.max() + 1)]
        if len(members) < 2:
            raise OptionError(
                f"{stimuli.identifier} cannot be divided: its {len(ids)} stimuli belong together "
                f"by {', '.join(bonds)}. Choose on another data set."
            )
        members.sort(key=lambda rows: (self._place(contents[rows]), min(ids[rows])))
        filled = np.cumsum([len(rows) for rows in members])[:-1]
        first = int(np.argmin(np.abs(filled - self.share * len(ids)))) + 1
        kept = members[:first] if self.which == "selection" else members[first:]
        return [str(i) for i in ids[np.sort(np.concatenate(kept))]]

    def _bonds(
        self, stimuli: StimulusSet, assembly: xr.DataArray, contents: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Labels over stimuli; those of one label belong together."""
        table = stimuli.table
        if "context_id" in table.columns:  # one word occurs in many contexts
            bonds = {"context_id": table["context_id"].to_numpy(str)}
        else:
            bonds = {"content": contents}
        for name in self.together:
            if name in assembly.coords and assembly[name].dims == ("presentation",):
                label = assembly[name].values.astype(str)
            elif name in table.columns:
                label = table[name].to_numpy(str)
            else:
                continue
            if (label != label[0]).any():
                return {**bonds, name: label}
        return bonds

    def _place(self, contents: np.ndarray) -> str:
        """Where a group stands in the order: a number drawn by its contents and the seed."""
        text = "|".join([str(self.seed), *sorted(contents.tolist())])
        return hashlib.sha256(text.encode()).hexdigest()


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
    """Predicts recorded units from a subject's responses: most neural benchmarks are one of these.

    Its parts are named by the card and found in the registry, so a published benchmark is a card
    whose factory is ``"corteval.benchmark:NeuralBenchmark"``.

    Args:
        card: names data, metric, ceiling and target.
        neuroids: coordinates and the values that neuroids must have to be predicted, such as
            ``{"region": "IT"}``; all if empty.
        trials: use the first `trials` trials of every stimulus; None uses all.
        time_bins: asked of the subject; empty leaves time to it. Cards may give (start, end) pairs.
        normalization: by name; None derives it from the kinds of score and ceiling.
        metric_options, ceiling_options: for the factories of both.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
        part: of the stimuli that score and ceiling are computed on; None is all of them.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    trials: int | None = None
    time_bins: tuple[TimeBin, ...] = ()
    normalization: str | None = None
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0
    part: StimulusPart | None = None

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
        stimuli = self.stimuli()
        source = record(model, stimuli, self.card.target, time_bins=self.time_bins)
        source = assemblies.align(assemblies.responses_matrix(source), target)
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        score = self._normalized(metric(source, target))
        digests = {"stimuli": stimuli.digest(), "assembly": assemblies.digest(self._trials)}
        provenance = Provenance(digests=digests, seed=self.seed)
        notes = (*score.notes, *self.notes, *self._notes_on_part())
        return replace(score, notes=notes, provenance=provenance)

    def _normalized(self, score: Score) -> Score:
        if self.card.ceiling is None:
            return unnormalized(score, NO_CEILING)
        return normalize(score, self.ceiling(), normalization=self.normalization)

    def on(self, part: StimulusPart | None) -> NeuralBenchmark:
        """This benchmark on a part of its stimuli."""
        return replace(self, part=part)

    def stimuli(self) -> StimulusSet:
        """What is shown: the stimuli of the part."""
        return self._stimuli

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """The recorded responses themselves: no model can be closer to them."""
        del seed  # they are not drawn
        return assemblies.responses_matrix(self._trials)

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier))

    @cached_property
    def _whole(self) -> StimulusSet:
        return self._data.stimuli()

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
        assembly = assemblies.check_neural(self._data.assembly())
        assembly = assemblies.select_neuroids(assembly, self.neuroids)
        assembly = assemblies.first_trials(assembly, self.trials)
        if self.part is None:
            return assembly
        part = replace(self.part, together=(*self._grouped_by(), *self.part.together))
        kept = part.of(self._whole, assembly)
        return assembly.isel(presentation=np.isin(assembly["stimulus_id"].values, kept))

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
        estimator: Ceiling = registry.metrics.create(
            self.card.ceiling, seed=self.seed, **self.ceiling_options
        )
        return estimator(self._trials)


def _connected(labels: list[np.ndarray]) -> np.ndarray:
    """Number of the group each row is in: rows of one label, in any of `labels`, share a group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.arange(len(labels[0]))
    firsts = []
    for label in labels:
        _, first, code = np.unique(label, return_index=True, return_inverse=True)
        firsts.append(first[code])
    ends = (np.tile(rows, len(labels)), np.concatenate(firsts))
    graph = coo_array((np.ones(len(ends[0]), bool), ends), shape=(len(rows), len(rows)))
    return np.asarray(connected_components(graph, directed=False)[1])
