"""Distribution of a V1 property over a subject's units against that over recorded units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast, final

import numpy as np
import xarray as xr

from corteval import assembly as assemblies
from corteval import registry
from corteval.cards import BenchmarkCard
from corteval.data import DataSource
from corteval.metric import Metric
from corteval.model import ModelCommitment, record
from corteval.requests import OneOf, Recording, Request, TimeBin, UnitFilter
from corteval.score import Estimate, Provenance, Score, normalize
from corteval.stimuli import StimulusSet
from corteval_marques2020_v1 import rates
from corteval_marques2020_v1.ideal import ideal_responses
from corteval_marques2020_v1.properties import PROPERTIES, conditions
from corteval_marques2020_v1.receptive_fields import central_units, in_neuroid_order, rectified

_MAPPING_TRIALS = 10
_TRIALS = 20
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
    """

    card: BenchmarkCard
    seed: int = 0

    def requests(self) -> tuple[Request, ...]:
        """A recording of V1; subjects that know where units look are asked for fewer of them."""
        return (self._recording,)

    def ceiling(self) -> Estimate:
        """Similarity of the histogram to draws from itself."""
        return self._ceiling

    def __call__(self, model: ModelCommitment) -> Score:
        """Score of `model`.

        Raises:
            UndefinedScore: if no unit is near the gratings, or none responds.
        """
        mapping = replace(self._recording, trials=_MAPPING_TRIALS)
        central, mapped = central_units(model, self._stimuli, mapping)
        values = self._measure(model, central)
        metric: Metric = registry.metrics.create(self.card.metric, seed=self.seed)
        score = normalize(metric(values, self._histogram), self.ceiling())
        defined = int(np.isfinite(values).sum())
        note = (
            f"{mapped} units mapped, {len(central)} centred on the gratings, "
            f"property defined in {defined}"
        )
        digests = {
            "stimuli": self._stimuli.digest(),
            "assembly": assemblies.digest(self._histogram),
        }
        provenance = Provenance(digests=digests, seed=self.seed)
        return replace(score, notes=(*score.notes, note), provenance=provenance)

    def ideal_responses(self, seed: int) -> xr.DataArray:
        """Responses of a population with the published distribution of the property."""
        del seed  # it is built, not drawn
        return ideal_responses(self._property, self._stimuli, self._histogram)

    def _measure(self, model: ModelCommitment, central: list[str]) -> xr.DataArray:
        """Property of each central unit, NaN where it is undefined."""
        prop = PROPERTIES[self._property]
        tables, responses = {}, {}
        for name in dict.fromkeys(("blank", "orientation", prop.stimulus_set)):
            stimuli = self._stimuli.where(stimulus_set=name)
            tables[name] = stimuli.table
            responses[name] = rectified(self._record(model, stimuli, central).values)
        blank = responses["blank"][0]
        orientation, _ = conditions(
            responses["orientation"],
            tables["orientation"],
            PROPERTIES["preferred_orientation"].axes,
        )
        firing_rate = rates.fit(orientation, blank)
        by_condition, axes = conditions(
            firing_rate(responses[prop.stimulus_set]), tables[prop.stimulus_set], prop.axes
        )
        values = prop.measure(by_condition, firing_rate(blank), axes)
        return xr.DataArray(
            values, dims=["neuroid"], coords={"neuroid_id": ("neuroid", np.array(central))}
        )

    def _record(
        self, model: ModelCommitment, stimuli: StimulusSet, units: list[str]
    ) -> xr.DataArray:
        wanted = UnitFilter((OneOf("neuroid_id", tuple(units)),))
        request = replace(self._recording, trials=_TRIALS, units=wanted)
        responses = assemblies.responses_matrix(record(model, stimuli, request))
        return in_neuroid_order(responses, units)

    @property
    def _recording(self) -> Recording:
        return Recording(self.card.target, (_TIME_BIN,))

    @cached_property
    def _property(self) -> str:
        return self.card.identifier.rpartition("-")[2]

    @cached_property
    def _data(self) -> DataSource:
        (identifier,) = self.card.data
        return cast("DataSource", registry.data.create(identifier))

    @cached_property
    def _stimuli(self) -> StimulusSet:
        return self._data.stimuli()

    @cached_property
    def _histogram(self) -> xr.DataArray:
        return self._data.assembly()

    @cached_property
    def _ceiling(self) -> Estimate:
        metric: Metric = registry.metrics.create(self.card.metric, seed=self.seed)
        return cast("Estimate", metric(self._histogram, self._histogram).raw)
