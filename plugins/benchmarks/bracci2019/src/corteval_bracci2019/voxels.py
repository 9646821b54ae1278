"""RDMs of centred voxels, of each person or of voxels averaged over people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, cast, final, get_args

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.errors import AssemblyError, OptionError
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stats.resampling import subjects_of
from corteval.stimuli import StimulusSet
from corteval_similarity import correlation_distances, rdm_assembly

#: How people's voxels make RDMs.
People = Literal["separate", "averaged"]


@final
@dataclass(frozen=True, kw_only=True)
class VoxelsRDM:
    """Similarity of the model's RDM to those of people, over what a person's agrees with others.

        score = mean_s rho(RDM_model, RDM_s) / c,    c = mean_s rho(RDM_s, mean of the others)

    Each voxel's mean over stimuli is taken off before correlation distances are made. Source:
    spec ``vision-benchmarks`` 3, ``metrics`` 2.5.

    Args:
        card: names data, metric, ceiling and target.
        neuroids: which make the RDMs, see `corteval.assembly.select_neuroids`.
        people: ``"separate"``: the model is compared with each person. ``"averaged"``: with one RDM
            of voxels averaged over people by the coordinate `voxel`, as was published, although
            voxels of one number in two people do not correspond.
        voxel: coordinate with the number of a voxel within a person.
        relabel: take labels to be person by person, and values to be voxel by voxel with people
            innermost, as the public script that made the archive's file leaves them: who and where
            a voxel is then follows from its position. See `relabelled`.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    neuroids: Mapping[str, Any] = field(default_factory=dict)
    people: People = "separate"
    voxel: str = "voxels"
    relabel: bool = False
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.people not in get_args(People):
            known = " or ".join(get_args(People))
            raise OptionError(f"people are {known}, not {self.people!r}.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """Similarity of a person's RDM to the mean of the others'."""
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **self.ceiling_options
        )
        return estimator(self._patterns)

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`."""
        target = self._target
        source = record(model, self._stimuli, self._recording)
        source = assemblies.align(assemblies.responses_matrix(source), target)
        separate = {"subjects": "separate"} if self.people == "separate" else {}
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **{**separate, **self.metric_options}
        )
        score = normalize(metric(source, target), self.ceiling())
        digests = {
            "stimuli": self._stimuli.digest(),
            "assembly": assemblies.digest(self._patterns),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Responses that have the mean of people's RDMs, or the patterns of averaged voxels."""
        del seed  # they are not drawn
        if self.people == "averaged":
            return self._target
        patterns, people = self._patterns, subjects_of(self._patterns)
        names = np.unique(cast("np.ndarray", people))
        rdms = np.stack([correlation_distances(patterns.values[:, people == n]) for n in names])
        ids = patterns["stimulus_id"].values.tolist()
        return assemblies.responses_with_rdm(rdm_assembly(rdms, ids, names.tolist()))

    @cached_property
    def _recording(self) -> Recording:
        return Recording(self.card.target, self.time_bins)

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        stimuli = self._data.stimuli()
        return stimuli.sized(self.visual_degrees)

    @cached_property
    def _patterns(self) -> xr.DataArray:
        """(presentation, neuroid) without each voxel's mean."""
        assembly = assemblies.check_neural(self._data.assembly())
        if self.relabel:
            assembly = relabelled(assembly, self.voxel)
        assembly = assemblies.select_neuroids(assembly, self.neuroids)
        patterns = assemblies.responses_matrix(assembly)
        if subjects_of(patterns) is None:
            raise AssemblyError("Voxels have no coordinate 'subject' that says whose they are.")
        return patterns - patterns.mean("presentation")

    @cached_property
    def _target(self) -> xr.DataArray:
        if self.people == "separate":
            return self._patterns
        if self.voxel not in self._patterns.coords:
            raise AssemblyError(f"Voxels have no coordinate {self.voxel!r} to average people by.")
        number = self._patterns[self.voxel].values
        found = np.unique(number)
        means = [self._patterns.values[:, number == n].mean(axis=1) for n in found]
        ids = self._patterns["stimulus_id"].values.tolist()
        named = {"neuroid_id": [f"voxel-{n}" for n in found]}
        return assemblies.neural(np.stack(means, axis=1), ids, named)


def relabelled(assembly: xr.DataArray, voxel: str = "voxels") -> xr.DataArray:
    """`assembly` with subject, roi and number of each voxel as its position tells.

    Values of shape (stimulus, voxel, person), flattened, have people innermost, while labels of
    the public script run over the voxels of one person after the other.

    Args:
        assembly: with coordinates subject, roi and `voxel` of neuroids, as stored.
        voxel: coordinate with the number of a voxel within a person.

    Raises:
        AssemblyError: if labels are not person by person, the same for each.
    """
    names = ("subject", "roi", voxel)
    lacking = [name for name in names if name not in assembly.coords]
    if lacking:
        raise AssemblyError(f"Voxels have no {', '.join(lacking)} to be labelled anew by.")
    subject, roi, number = (np.asarray(assembly[name].values) for name in names)
    people, counts = np.unique(subject, return_counts=True)
    each = int(counts[0])
    blocks = roi.reshape(-1, each) if len(set(counts.tolist())) == 1 else np.empty((0, 0))
    if not len(blocks) or (blocks != blocks[0]).any() or (subject != np.repeat(people, each)).any():
        raise AssemblyError(
            "Voxels are not labelled person by person, each with the same regions; relabel=True "
            "does not fit these data."
        )
    places = np.arange(len(subject))
    whose, where = people[places % len(people)], places // len(people)
    return assembly.assign_coords(
        {
            "subject": ("neuroid", whose),
            "roi": ("neuroid", blocks[0][where]),
            voxel: ("neuroid", number[:each][where]),
        }
    )
