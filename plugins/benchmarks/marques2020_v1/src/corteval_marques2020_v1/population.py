"""Units of a subject that look at the gratings, and their responses in spikes per second.

All properties of a subject are those of one population, and several share a set of stimuli. So
the population of the latest subject is kept in memory, as long as the subject lives, and what has
been shown to it once is not shown again.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np

from corteval.assembly import responses_matrix
from corteval.errors import UndefinedScore
from corteval.model import ModelCommitment, record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval.stimuli import StimulusSet
from corteval_marques2020_v1 import rates, tuning
from corteval_marques2020_v1.properties import (
    AXES,
    Measured,
    TextureRates,
    Tuning,
    conditions,
)
from corteval_marques2020_v1.receptive_fields import (
    central_units,
    in_neuroid_order,
    mapping_request,
    rectified,
)

_MAPPING_TRIALS = 10
_TRIALS = 20

#: Gratings by which a subject is recognised.
_PROBE = {"stimulus_set": "orientation", "cycles": 2.0, "orientation": 0.0}


@final
@dataclass(frozen=True, kw_only=True)
class Population:
    """Units centred on the gratings.

    Args:
        units: their ids.
        mapped: number of units whose receptive field was mapped.
        spontaneous: (unit) rate to the blank screen, spikes per second.
        firing_rate: from activation to rate.
        measured: by digest of a set of stimuli, the responses to it.
    """

    units: tuple[str, ...]
    mapped: int
    spontaneous: np.ndarray
    firing_rate: rates.FiringRate
    measured: dict[str, Measured] = field(default_factory=dict, repr=False)

    def responses(
        self, model: ModelCommitment, stimuli: StimulusSet, request: Recording
    ) -> Measured:
        """Responses of the population to one set of gratings, or to the textures.

        Args:
            model: whose population this is.
            stimuli: of one set, with column ``stimulus_set``.
            request: recording of the target.
        """
        if stimuli.digest() not in self.measured:
            self.measure(stimuli, _activations(model, stimuli, self.units, request))
        return self.measured[stimuli.digest()]

    def measure(self, stimuli: StimulusSet, activations: np.ndarray) -> None:
        """Keep the responses that `activations` (presentation, unit) to `stimuli` show."""
        responses, values = _by_condition(self.firing_rate(activations), stimuli)
        if "phase" not in values:
            found: Measured = TextureRates(rates=responses, spontaneous=self.spontaneous)
        else:
            mean, first = tuning.modulation(responses, axis=-2)
            values.pop("phase")
            found = Tuning(
                mean=mean, first_harmonic=first, spontaneous=self.spontaneous, values=values
            )
        self.measured[stimuli.digest()] = found


def population_of(model: ModelCommitment, stimuli: StimulusSet, request: Recording) -> Population:
    """The population of `model`, measured unless it was the latest and still responds the same.

    Whether it does is asked with a few gratings, since whoever trains a network between two scores
    has another subject in the same object.

    Args:
        model: the subject.
        stimuli: the sets ``blank``, ``receptive_field`` and ``orientation``.
        request: recording of the target.

    Raises:
        UndefinedScore: if no unit is near the gratings, or none responds.
    """
    sets = [stimuli.where(stimulus_set=s) for s in ("blank", "receptive_field", "orientation")]
    key = (request, *(part.digest() for part in sets), _recognised_by(model, stimuli, request))
    outcome = _LATEST.get(model, key)
    if outcome is None:
        try:
            outcome = _measured(model, stimuli, request)
        except UndefinedScore as reason:
            outcome = str(reason)
        _LATEST.keep(model, key, outcome)
    if isinstance(outcome, str):
        raise UndefinedScore(outcome)
    return outcome


def _measured(model: ModelCommitment, stimuli: StimulusSet, request: Recording) -> Population:
    central, mapped = central_units(model, stimuli, replace(request, trials=_MAPPING_TRIALS))
    blank = _activations(model, stimuli.where(stimulus_set="blank"), central, request)[0]
    gratings = stimuli.where(stimulus_set="orientation")
    activations = _activations(model, gratings, central, request)
    firing_rate = rates.fit(_by_condition(activations, gratings)[0], blank)
    population = Population(
        units=tuple(central),
        mapped=mapped,
        spontaneous=firing_rate(blank),
        firing_rate=firing_rate,
    )
    population.measure(gratings, activations)
    return population


def _by_condition(
    responses: np.ndarray, gratings: StimulusSet
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    (name,) = gratings.table["stimulus_set"].unique()
    return conditions(responses, gratings.table, AXES[name])


def _activations(
    model: ModelCommitment, stimuli: StimulusSet, units: Sequence[str], request: Recording
) -> np.ndarray:
    """(presentation, unit) rectified responses of the named units."""
    wanted = UnitFilter((OneOf("neuroid_id", tuple(units)),))
    answer = record(model, stimuli, replace(request, trials=_TRIALS, units=wanted))
    return rectified(in_neuroid_order(responses_matrix(answer), units).values)


def _recognised_by(model: ModelCommitment, stimuli: StimulusSet, request: Recording) -> str:
    """Digest of the responses to a few gratings."""
    answer = record(model, stimuli.where(**_PROBE), mapping_request(model, request))
    return hashlib.sha256(np.ascontiguousarray(answer.values).data).hexdigest()


@final
class _Latest:
    """The population measured last, or why there is none, forgotten with its subject."""

    def __init__(self) -> None:
        self._held: tuple[weakref.ref[ModelCommitment], object, Population | str] | None = None

    def get(self, model: ModelCommitment, key: object) -> Population | str | None:
        """What is held of `model` under `key`."""
        held = self._held
        if held is None or held[0]() is not model or held[1] != key:
            return None
        return held[2]

    def keep(self, model: ModelCommitment, key: object, outcome: Population | str) -> None:
        """Hold this instead, if the subject can be referred to weakly."""
        try:
            self._held = (weakref.ref(model, self._forget), key, outcome)
        except TypeError:
            self._held = None

    def _forget(self, reference: weakref.ref[ModelCommitment]) -> None:
        held = self._held
        if held is not None and held[0] is reference:
            self._held = None


_LATEST = _Latest()
