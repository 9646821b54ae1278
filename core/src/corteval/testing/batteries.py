"""The battery of every kind of plugin: which checks, in which order."""

from __future__ import annotations

from typing import Protocol

from corteval.cards import BenchmarkCard, Card, DataCard, MetricCard, ModelCard
from corteval.testing.checks import benchmark, card, ceiling, data, metric, model
from corteval.testing.specimen import Specimen


class Check(Protocol):
    """A function ``check_<name>``."""

    __name__: str

    def __call__(self, specimen: Specimen) -> None:
        """Raise unless the specimen keeps its contract."""


CARD: tuple[Check, ...] = (
    card.check_card,
    card.check_light_import,
    card.check_factory,
)
MODEL: tuple[Check, ...] = (
    model.check_identity,
    model.check_answers,
    model.check_stimulus_order,
    model.check_batch_size,
    model.check_determinism,
    model.check_global_random_state,
    model.check_statelessness,
    model.check_stimuli_untouched,
    model.check_perturbed,
    model.check_honest_supports,
)
SIMILARITY: tuple[Check, ...] = (
    metric.check_identity,
    metric.check_noise,
    metric.check_quantity,
    metric.check_unit_order,
    metric.check_presentation_order,
    metric.check_symmetry,
    metric.check_determinism,
    metric.check_missing_values,
    metric.check_constant_source,
    metric.check_json_round_trip,
)
CEILING: tuple[Check, ...] = (
    ceiling.check_estimate,
    ceiling.check_quantity,
    ceiling.check_reliability,
    ceiling.check_determinism,
    ceiling.check_unit_order,
    ceiling.check_single_trial,
)
DATA: tuple[Check, ...] = (
    data.check_stimuli_digest,
    data.check_assembly_digest,
    data.check_schema,
    data.check_modality,
    data.check_stimuli_match,
    data.check_stimuli_load,
    data.check_portable_ids,
    data.check_hidden_columns,
)
BENCHMARK: tuple[Check, ...] = (
    benchmark.check_requests,
    benchmark.check_asks_as_declared,
    benchmark.check_ceiling,
    benchmark.check_perfect_subject,
    benchmark.check_shuffled_subject,
    benchmark.check_row_order,
    benchmark.check_unit_order,
    benchmark.check_determinism,
    benchmark.check_seed,
    benchmark.check_score_complete,
    benchmark.check_provenance,
    benchmark.check_json_round_trip,
)


def checks_for(plugin: Card) -> tuple[Check, ...]:
    """The battery for a card: those of all cards, then those of its kind.

    A family of models has no checks of its own kind; they are for its members.
    """
    match plugin:
        case ModelCard():
            return CARD + MODEL
        case MetricCard():
            return CARD + (CEILING if plugin.role == "ceiling" else SIMILARITY)
        case DataCard():
            return CARD + DATA
        case BenchmarkCard():
            return CARD + BENCHMARK
    return CARD
