"""Similarities between occluded objects in people, and in the strongly driven units of a model."""

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
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.metric import Ceiling, Metric
from corteval.model import ModelCommitment, record
from corteval.requests import Recording, Request, TimeBin, as_time_bins
from corteval.score import NORMALIZATIONS, Estimate, Provenance, Score, normalize
from corteval.stimuli import StimulusSet
from corteval_similarity import rdm_assembly

#: Units whose mean response is beyond so many standard deviations of all means (|z| of p < .001).
DRIVEN = 3.1

_DIMS = ("neuroid", "presentation", "presentation_2")


@final
@dataclass(frozen=True, kw_only=True)
class OccludedObjects:
    """Correlation of a model's similarities between stimuli with those of people.

        score = mean_s r(RSM_model, RSM_s) / c,    c = mean_s r(RSM_s, mean of the others)

    r is Pearson's correlation over pairs of stimuli. RSM_model correlates stimuli over strongly
    driven units, see `driven_similarities`; those of people are the data. Source: spec
    ``vision-benchmarks`` 3, ``metrics`` 2.4.

    Args:
        card: names data, metric, ceiling and target; similarities are compared as 1 - RSM, which
            changes no correlation but its sign on both sides.
        region: of the data; the card's target if empty.
        normalization: key of `corteval.score.NORMALIZATIONS`.
        driven: see `driven_similarities`.
        visual_degrees: extent of the stimuli, if the data do not say it.
        time_bins: asked of the subject.
        data_options, metric_options, ceiling_options: for the factories of the three.
        notes: what a reader must know to read the score rightly.
        seed: of the resampling behind intervals.
    """

    card: BenchmarkCard
    region: str = ""
    normalization: str = "r/c"
    driven: float = DRIVEN
    visual_degrees: float | None = None
    time_bins: tuple[TimeBin, ...] = ()
    data_options: Mapping[str, Any] = field(default_factory=dict)
    metric_options: Mapping[str, Any] = field(default_factory=dict)
    ceiling_options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "time_bins", as_time_bins(self.time_bins))
        if self.normalization not in NORMALIZATIONS:
            known = ", ".join(NORMALIZATIONS)
            raise OptionError(f"Normalisations are {known}, not {self.normalization!r}.")

    def requests(self) -> tuple[Request, ...]:
        """One recording of the target."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """Correlation of a person's similarities with the mean of the others'."""
        estimator: Ceiling = registry.metrics.create(
            str(self.card.ceiling), seed=self.seed, **self.ceiling_options
        )
        return estimator(self._dissimilarities)

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if none of its units is driven strongly.
        """
        source = assemblies.responses_matrix(record(model, self._stimuli, self._recording))
        similarities, count = driven_similarities(source.values, self.driven)
        shown = rdm_assembly(1 - similarities, source["stimulus_id"].values.tolist())
        metric: Metric = registry.metrics.create(
            self.card.metric, seed=self.seed, **self.metric_options
        )
        raw = metric(shown, self._dissimilarities)
        score = normalize(raw, self.ceiling(), normalization=self.normalization)
        digests = {
            "stimuli": self._stimuli.digest(),
            "assembly": assemblies.digest(self._dissimilarities),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        used = f"{count} of {source.sizes['neuroid']} units are driven strongly"
        return replace(score, notes=(*score.notes, used, *self.notes), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Responses of driven units with the mean of people's similarities, nearly."""
        del seed  # they are not drawn
        mean = 1 - self._dissimilarities.mean("subject")
        ids = mean["stimulus_id"].values.tolist()
        responses = responses_with_similarities(mean.values)
        names = [f"unit-{n}" for n in range(responses.shape[1])]
        return assemblies.neural(responses, ids, {"neuroid_id": names})

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
    def _dissimilarities(self) -> xr.DataArray:
        """(subject, presentation, presentation_2): 1 - similarities in the region."""
        assembly = self._data.assembly()
        if set(assembly.dims) != set(_DIMS):
            raise AssemblyError(
                f"Similarities are along {', '.join(_DIMS)} (a person and region each), not "
                f"{', '.join(map(str, assembly.dims))}."
            )
        for name in ("subject", "region"):
            if name not in assembly.coords:
                raise AssemblyError(f"Similarities have no coordinate {name!r}.")
        of_region = np.flatnonzero(assembly["region"].values == (self.region or self.card.target))
        if not len(of_region):
            known = ", ".join(np.unique(assembly["region"].values.astype(str)))
            raise AssemblyError(f"There are similarities in {known}, not in {self.card.target}.")
        own = assembly.transpose(*_DIMS).isel(neuroid=of_region)
        return rdm_assembly(
            1 - own.values, own["stimulus_id"].values.tolist(), own["subject"].values.tolist()
        )


def driven_similarities(responses: np.ndarray, driven: float = DRIVEN) -> tuple[np.ndarray, int]:
    """Correlations between stimuli over units that respond strongly, and how many those are.

        kept = { n : |mean_i x_in| > driven · sd_m(mean_i x_im) },    z_in = (x_in - mean_i) / sd_i

    Units that do not vary are left out first. sd are population ones.

    Args:
        responses: (stimulus, unit) x.
        driven: threshold in standard deviations.

    Returns:
        (stimulus, stimulus) correlations of z over the units kept, and the number of these.

    Raises:
        UndefinedScore: if fewer than two units are kept, or a stimulus has no correlation.
    """
    x = np.asarray(responses, np.float64)
    x = x[:, x.std(axis=0) > 0]
    means = x.mean(axis=0)
    kept = np.abs(means) > driven * means.std() if len(means) else np.zeros(0, bool)
    if kept.sum() < 2:
        raise UndefinedScore(
            f"{int(kept.sum())} of {responses.shape[1]} units have a mean response beyond "
            f"{driven:g} standard deviations of the units' means; similarities take two at least."
        )
    z = (x[:, kept] - means[kept]) / x[:, kept].std(axis=0)
    if not (z.std(axis=1) > 0).all():
        raise UndefinedScore("A stimulus drives all units alike: it has no correlation.")
    return np.corrcoef(z), int(kept.sum())


def responses_with_similarities(similarities: np.ndarray) -> np.ndarray:
    """Responses of units that are all driven alike, with the given similarities between stimuli.

    The similarities, centred on both sides, are decomposed; axes are mixed by a Hadamard matrix, so
    that every unit has the same variance and standardising changes nothing. Off-diagonal
    correlations are those of the centred similarities.

    Args:
        similarities: (stimulus, stimulus).

    Returns:
        (stimulus, unit).
    """
    from scipy.linalg import hadamard

    count = len(similarities)
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(centre @ similarities @ centre)
    kept = values > 1e-10 * values.max()
    axes = vectors[:, kept] * np.sqrt(values[kept])
    mixed = hadamard(1 << count.bit_length())[1 : 1 + axes.shape[1]]
    return np.asarray(axes @ mixed + 1.0)
