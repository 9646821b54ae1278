"""Cards of the benchmarks, and of their metric and ceiling."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, MetricCard

_BIBTEX = """@unpublished{coggan2024modeling,
  title = {Modeling human visual recognition of occluded objects},
  author = {Coggan, David D. and Tong, Frank},
  year = {2024},
  note = {in preparation, as cited by Brain-Score}
}"""
_FIT = "brainscore/Coggan2024_behavior_fitting"

#: Coordinates whose combinations are the 18 conditions: nine occluders in two colours.
CONDITIONS = ("occluder_type", "occluder_color")
_OCCLUDED = {"conditions": CONDITIONS, "below": ("visibility", 1.0)}


def _card(suffix: str, summary: str, **options: Any) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Coggan2024_behavior-ConditionWiseAccuracySimilarity{suffix}",
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary=summary,
        licence="none recorded in the archive's registry",
        bibtex=_BIBTEX,
        data=("brainscore/Coggan2024_behavior", _FIT),
        metric="condition_accuracy_similarity",
        ceiling="human_condition_accuracy_similarity",
        target="probabilities",
        species="human",
        parent="behaviour",
        controls=("{model}-untrained",),
        options={
            "task": "probabilities",
            "fit": _FIT,
            "fit_label": "image_label",
            "truth": "object_class",
            "visual_degrees": 10.0,
            "metric_options": _OCCLUDED,
            "ceiling_options": _OCCLUDED,
            **options,
        },
    )


SIMILARITY = _card("", "30 people, 18 occluders: correlation of accuracies over occluders")
SIMILARITY_LEGACY = _card(
    "-legacy",
    "30 people, 18 occluders: as published, squared, on the images of each person",
    metric_options={**_OCCLUDED, "images": "own"},
    normalization="(r/c)^2",
    notes=(
        "the square keeps the sign of r, so that a model whose accuracies are opposite to "
        "people's is not taken for one whose accuracies are alike; published scores lose it",
    ),
)

METRIC = MetricCard(
    identifier="condition_accuracy_similarity",
    factory="corteval_coggan2024_behavior.conditions:ConditionAccuracySimilarity",
    summary="Mean over people of the correlation over conditions of accuracies",
    licence="MIT",
    bibtex=_BIBTEX,
    takes="other",
    needs=("condition",),
    ceilings=("human_condition_accuracy_similarity",),
    example="corteval_coggan2024_behavior.examples:answers",
)
CEILING = MetricCard(
    identifier="human_condition_accuracy_similarity",
    factory="corteval_coggan2024_behavior.conditions:HumanConditionAccuracySimilarity",
    summary="Correlation over conditions of each person's accuracies with those of the others",
    licence="MIT",
    bibtex=_BIBTEX,
    role="ceiling",
    takes="other",
    needs=("subject", "truth", "condition"),
    example="corteval_coggan2024_behavior.examples:people",
)
