"""Cards of the benchmarks, and of the metrics that compare answers to different images."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, MetricCard

_BIBTEX = """@article{maniquet2024recurrent,
  title = {Recurrent issues with deep neural network models of visual recognition},
  author = {Maniquet, Tim and Op de Beeck, Hans and Costantino, Andrea Ivan},
  journal = {bioRxiv},
  year = {2024},
  doi = {10.1101/2024.04.02.587669}
}"""
_PEOPLE = "brainscore/Maniquet2024"
_TEST = "brainscore/Maniquet2024-test"
_TRAIN = "brainscore/Maniquet2024-train"
_OTHER_IMAGES = (
    "the model saw other images than people did, of the same objects and manipulations: they are "
    "compared object by object or task by task, not image by image"
)


def _card(
    identifier: str,
    summary: str,
    metric: str,
    ceiling: str | None,
    *notes: str,
    **options: Any,
) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Maniquet2024-{identifier}",
        factory="corteval_maniquet2024.benchmark:AcrossImages",
        summary=summary,
        licence="none recorded in the archive's registry",
        bibtex=_BIBTEX,
        data=(_PEOPLE, _TEST, _TRAIN),
        metric=metric,
        ceiling=ceiling,
        target="probabilities",
        species="human",
        parent="behaviour",
        controls=("{model}-untrained",),
        options={"visual_degrees": 8.0, "notes": (_OTHER_IMAGES, *notes), **options},
    )


_CONFUSIONS = "218 people, 13,600 images: which objects are mistaken for which"
_TASKS = "218 people, 13,600 images: which manipulations make objects hard to recognise"

CONFUSION_SIMILARITY = _card(
    "confusion_similarity",
    _CONFUSIONS,
    "confusion_similarity-across_images",
    "human_confusion_similarity",
    answered=True,
)
CONFUSION_SIMILARITY_LEGACY = _card(
    "confusion_similarity-legacy",
    f"{_CONFUSIONS}, as published",
    "confusion_similarity-across_images-legacy",
    None,
    answered=True,
    published_ceiling=(0.53526, "correlation"),
)
TASKS_CONSISTENCY = _card(
    "tasks_consistency",
    _TASKS,
    "tasks_consistency-across_images",
    "human_tasks_consistency",
)
TASKS_CONSISTENCY_LEGACY = _card(
    "tasks_consistency-legacy",
    f"{_TASKS}, as published",
    "tasks_consistency-across_images",
    None,
    "the published ceiling is of halves of the trials that overlap and leave trials out",
    published_ceiling=(0.99810, "correlation"),
)


def _metric(identifier: str, factory: str, summary: str, **options: Any) -> MetricCard:
    return MetricCard(
        identifier=identifier,
        factory=f"corteval_maniquet2024.across_images:{factory}",
        summary=summary,
        licence="MIT",
        bibtex=_BIBTEX,
        options=options,
        takes="other",
        needs=("truth", "task") if "Tasks" in factory else ("truth",),
        ceilings=("human_tasks_consistency",)
        if "Tasks" in factory
        else ("human_confusion_similarity",),
        example="corteval_maniquet2024.examples:answers",
    )


CONFUSION_METRIC = _metric(
    "confusion_similarity-across_images",
    "ConfusionsAcrossImages",
    "Correlation of shares of wrong choices, of answers to different images",
)
CONFUSION_METRIC_LEGACY = _metric(
    "confusion_similarity-across_images-legacy",
    "ConfusionsAcrossImages",
    "Correlation of counts of wrong choices, as published",
    counts=True,
)
TASKS_METRIC = _metric(
    "tasks_consistency-across_images",
    "TasksAcrossImages",
    "Correlation over tasks of accuracies, of answers to different images",
)
