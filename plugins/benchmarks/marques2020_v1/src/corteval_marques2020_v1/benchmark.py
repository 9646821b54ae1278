"""Distribution of a V1 property over a subject's units against that over recorded units."""

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
from corteval.metric import Metric
from corteval.model import ModelCommitment
from corteval.requests import Recording, Request, TimeBin
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stimuli import StimulusSet
from corteval_distribution.ks import ks_similarity
from corteval_marques2020.recorded import RECORDED
from corteval_marques2020_v1.ideal import ideal_responses
from corteval_marques2020_v1.population import population_of
from corteval_marques2020_v1.properties import PROPERTIES

_TIME_BIN = TimeBin(70, 170)


@final
@dataclass(frozen=True, kw_only=True)
class PropertyBenchmark:
    """Marques, Schrimpf and DiCarlo (2021), spec ``marques2020``.

    Maps receptive fields, keeps units centred on the gratings, turns their activations into
    firing rates, measures the property in each, and compares its distribution with the published
    histogram. The ceiling is the similarity of as many draws from the histogram to itself.

    Args:
        card: names data and metric.
        seed: of the draws.
        data_options: options of the data set, such as ``folder`` of the recorded ones.
    """

    card: BenchmarkCard
    seed: int = 0
    data_options: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """A recording of V1; subjects that know where units look are asked for fewer of them."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """Similarity of the histogram to draws from itself."""
        return self._ceiling

    def chance(self) -> float:
        """Score, over the ceiling, of units spread evenly over the bins.

        Of a property that a unit has or has not, that of units that all have it, as units that
        respond at random do.
        """
        bins = self._histogram.sizes["bin"]
        spread = np.array([0, 1]) if bins == 2 else np.ones(bins)
        return float(ks_similarity(spread, self._histogram.values)) / self.ceiling().value

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if no unit is near the gratings, or too few respond or have the
                property.
        """
        prop = PROPERTIES[self._property]
        ceiling = self.ceiling()  # first, so that nothing is computed if the data cannot be had
        population = population_of(model, self._stimuli, self._recording)
        shown = self._stimuli.where(stimulus_set=prop.stimulus_set)
        values, responsive = prop(population.responses(model, shown, self._recording))
        measured = xr.DataArray(
            values[responsive],
            dims=["neuroid"],
            coords={"neuroid_id": ("neuroid", np.array(population.units)[responsive])},
        )
        metric: Metric = registry.metrics.create(self.card.metric, seed=self.seed)
        score = normalize(metric(measured, self._histogram), ceiling)
        note = (
            f"{population.mapped} units mapped, {len(population.units)} centred on the gratings, "
            f"{int(responsive.sum())} responsive, "
            f"property defined in {int(np.isfinite(measured.values).sum())}"
        )
        digests = {
            "stimuli": self._stimuli.digest(),
            "assembly": assemblies.digest(self._histogram),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        notes = (*score.notes, *self._remarks, note)
        return replace(score, notes=notes, provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Responses of a population with the published distribution of the property."""
        del seed  # it is built, not drawn
        return ideal_responses(self._property, self._stimuli, self._histogram)

    @property
    def _recording(self) -> Recording:
        return Recording(self.card.target, (_TIME_BIN,))

    @cached_property
    def _property(self) -> str:
        return self.card.identifier.rpartition("-")[2]

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier, **self.data_options))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._data.stimuli()

    @cached_property
    def _histogram(self) -> xr.DataArray:
        return self._data.assembly()

    @property
    def _remarks(self) -> tuple[str, ...]:
        """What is known of recorded data only once they are there."""
        if self._property not in RECORDED:
            return ()
        return (*self._histogram.attrs["notes"], f"Chance on these data is {self.chance():.3f}.")

    @cached_property
    def _ceiling(self) -> Estimate:
        metric: Metric = registry.metrics.create(self.card.metric, seed=self.seed)
        return cast("Estimate", metric(self._histogram, self._histogram).raw)
