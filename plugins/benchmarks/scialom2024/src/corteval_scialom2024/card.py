"""Cards of the benchmarks: photographs, contours, and contours in ever more pieces."""

from __future__ import annotations

from typing import Any, NamedTuple

from corteval.cards import BenchmarkCard

#: Categories of the objects, which is what a subject may answer.
CHOICES = (
    "Banana",
    "Beanie",
    "Binoculars",
    "Boot",
    "Bowl",
    "Cup",
    "Glasses",
    "Lamp",
    "Pan",
    "Sewing machine",
    "Shovel",
    "Truck",
)

_BIBTEX = """@article{scialom2024minimizing,
  title = {Minimizing the number of phosphenes required for object recognition under prosthetic
           vision},
  author = {Scialom, Elsa and Ernst, Udo A. and Rotermund, David and Herzog, Michael H.},
  journal = {bioRxiv},
  year = {2024},
  doi = {10.1101/2024.09.26.614440}
}"""

_SHOWN = {"choices": CHOICES, "visual_degrees": 8.0}


class Questions(NamedTuple):
    """The benchmarks of one condition.

    Args:
        accuracy_distance: is the subject right as often as people are?
        accuracy: how often is it right, whatever people are?
    """

    accuracy_distance: BenchmarkCard
    accuracy: BenchmarkCard


class AllTogether(NamedTuple):
    """The benchmarks of all numbers of pieces, with contours and photographs.

    Args:
        accuracy_distance: is the subject right as often as people are, in each condition?
        error_consistency: does it err on the images on which people err?
    """

    accuracy_distance: BenchmarkCard
    error_consistency: BenchmarkCard


def _card(name: str, metric: str, spelled: str, summary: str, **fields: Any) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Scialom2024_{name}{spelled}",
        factory="corteval.behavioural_benchmark:BehaviouralBenchmark",
        summary=summary,
        licence="MIT",
        bibtex=_BIBTEX,
        data=(f"brainscore/Scialom2024_{name}",),
        metric=metric,
        target="label",
        controls=("{model}-untrained",),
        **{"options": _SHOWN, **fields},
    )


def _people(name: str) -> int:
    return 50 if name in ("rgb", "contours") else 25


def _images(name: str) -> str:
    kind, _, share = name.partition("-")
    if kind in ("rgb", "contours"):
        return {"rgb": "48 photographs of objects", "contours": "48 contours of objects"}[kind]
    return f"48 objects of {share} % {kind}"


def _one(name: str) -> Questions:
    """Cards of one condition, such as ``phosphenes-12``."""
    images = _images(name)
    return Questions(
        _card(
            name,
            "accuracy_distance",
            "BehavioralAccuracyDistance",
            f"{_people(name)} people, {images}: similarity of accuracy",
            ceiling="human_accuracy_distance",
            species="human",
            parent="Scialom2024-accuracy_distance",
        ),
        _card(
            name,
            "accuracy",
            "EngineeringAccuracy",
            f"{images}: share recognised among 12",
            parent="engineering",
            chance=1 / len(CHOICES),
        ),
    )


def _all(kind: str) -> AllTogether:
    """Cards of all nine numbers of pieces of one kind, with contours and photographs."""
    name = f"{kind}-all"
    about = f"25 people, 528 images of {kind}, contours and photographs"
    each = {"by_condition": True}
    return AllTogether(
        _card(
            name,
            "accuracy_distance",
            "BehavioralAccuracyDistance",
            f"{about}: similarity of accuracy",
            ceiling="human_accuracy_distance",
            species="human",
            parent="Scialom2024-accuracy_distance",
            options={**_SHOWN, "metric_options": each, "ceiling_options": each},
        ),
        _card(
            name,
            "error_consistency",
            "BehavioralErrorConsistency",
            f"{about}: consistency of errors",
            ceiling="human_error_consistency",
            species="human",
            parent="Scialom2024-error_consistency",
        ),
    )


RGB = _one("rgb")
CONTOURS = _one("contours")
PHOSPHENES_12 = _one("phosphenes-12")
PHOSPHENES_16 = _one("phosphenes-16")
PHOSPHENES_21 = _one("phosphenes-21")
PHOSPHENES_27 = _one("phosphenes-27")
PHOSPHENES_35 = _one("phosphenes-35")
PHOSPHENES_46 = _one("phosphenes-46")
PHOSPHENES_59 = _one("phosphenes-59")
PHOSPHENES_77 = _one("phosphenes-77")
PHOSPHENES_100 = _one("phosphenes-100")
SEGMENTS_12 = _one("segments-12")
SEGMENTS_16 = _one("segments-16")
SEGMENTS_21 = _one("segments-21")
SEGMENTS_27 = _one("segments-27")
SEGMENTS_35 = _one("segments-35")
SEGMENTS_46 = _one("segments-46")
SEGMENTS_59 = _one("segments-59")
SEGMENTS_77 = _one("segments-77")
SEGMENTS_100 = _one("segments-100")
PHOSPHENES_ALL = _all("phosphenes")
SEGMENTS_ALL = _all("segments")
