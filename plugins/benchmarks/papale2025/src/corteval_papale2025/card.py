"""Cards of the benchmarks on the THINGS ventral stream spiking dataset."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

PAPALE2025 = """@article{papale2025extensive,
  title = {An extensive dataset of spiking activity to reveal the syntax of the ventral stream},
  author = {Papale, Paolo and Wang, Feng and Self, Matthew W. and Roelfsema, Pieter R.},
  journal = {Neuron}, volume = {113},
  year = {2025},
  doi = {10.1016/j.neuron.2024.12.003}
}"""

_NOTES = (
    "multi-unit sites with reliability of at least .3, chosen on the trials that are tested on",
    "images of 18 degrees: a model with a smaller field of view sees their centre only",
)

#: By suffix of the identifier: in words, and options of the benchmark.
_FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("r^2 over reliability", {}),
    "-legacy": ("(r/c)^2 as published", {"share": "(r/c)^2"}),
}

#: By metric: in words, and options of the metric. Published fits are of each subject alone, so
#: each has a penalty of its own.
_FITS: dict[str, tuple[str, dict[str, Any]]] = {
    "ridge": ("ridge, alpha 1", {}),
    "ridgecv": ("ridge, alpha by leave-one-out", {"alpha_per": "subject"}),
}


def _card(region: str, metric: str, form: str = "") -> BenchmarkCard:
    words, options = _FORMS[form]
    fit, metric_options = _FITS[metric]
    return BenchmarkCard(
        identifier=f"Papale2025.{region}-{metric}{form}",
        factory="corteval_regression.per_subject:SubjectsBenchmark",
        summary=f"Macaque {region} sites, THINGS images, 2 animals: {fit}, {words}",
        licence="MIT",
        bibtex=PAPALE2025,
        data=("brainscore/Papale2025_train", "brainscore/Papale2025_test"),
        metric=f"{metric}-split",
        ceiling="internal_consistency",
        target=region,
        species="macaque",
        parent=None if form else region,
        controls=RECORDING_CONTROLS["image"],
        options={
            **options,
            "neuroids": {"region": region, "reliability": {"at_least": 0.3}},
            "visual_degrees": 18.0,
            "metric_options": metric_options,
            "notes": _NOTES,
        },
    )


V1_RIDGE = _card("V1", "ridge")
V4_RIDGE = _card("V4", "ridge")
IT_RIDGE = _card("IT", "ridge")
V1_RIDGECV = _card("V1", "ridgecv")
V4_RIDGECV = _card("V4", "ridgecv")
IT_RIDGECV = _card("IT", "ridgecv")
V1_RIDGE_LEGACY = _card("V1", "ridge", "-legacy")
V4_RIDGE_LEGACY = _card("V4", "ridge", "-legacy")
IT_RIDGE_LEGACY = _card("IT", "ridge", "-legacy")
V1_RIDGECV_LEGACY = _card("V1", "ridgecv", "-legacy")
V4_RIDGECV_LEGACY = _card("V4", "ridgecv", "-legacy")
IT_RIDGECV_LEGACY = _card("IT", "ridgecv", "-legacy")
