"""Cards of the benchmarks on fMRI responses to THINGS images."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

HEBART2023 = """@article{hebart2023things,
  title = {THINGS-data, a multimodal collection of large-scale datasets for investigating object
           representations in human brain and behavior},
  author = {Hebart, M. N. and Contier, O. and Teichmann, L. and Rockter, A. H. and Zheng, C. Y. and
            Kidder, A. and Corriveau, A. and Vaziri-Pashkam, M. and Baker, C. I.},
  journal = {eLife}, volume = {12},
  year = {2023},
  doi = {10.7554/eLife.82580}
}"""

_NOTES = (
    "voxels with a noise ceiling of at least 30 %, chosen on the trials that are tested on",
    "three people: the interval does not speak for others",
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
        identifier=f"Hebart2023_fmri.{region}-{metric}{form}",
        factory="corteval_regression.per_subject:SubjectsBenchmark",
        summary=f"Human {region} (fMRI), THINGS images, 3 people: {fit}, {words}",
        licence="MIT",
        bibtex=HEBART2023,
        data=("brainscore/Hebart2023_fmri_train", "brainscore/Hebart2023_fmri_test"),
        metric=f"{metric}-split",
        ceiling="internal_consistency",
        target=region,
        species="human",
        parent=None if form else region,
        controls=RECORDING_CONTROLS["image"],
        options={
            **options,
            "neuroids": {"region": region, "nc_testset": {"at_least": 30.0}},
            "visual_degrees": 10.0,
            "metric_options": metric_options,
            "notes": _NOTES,
        },
    )


V1_RIDGE = _card("V1", "ridge")
V2_RIDGE = _card("V2", "ridge")
V4_RIDGE = _card("V4", "ridge")
IT_RIDGE = _card("IT", "ridge")
V1_RIDGECV = _card("V1", "ridgecv")
V2_RIDGECV = _card("V2", "ridgecv")
V4_RIDGECV = _card("V4", "ridgecv")
IT_RIDGECV = _card("IT", "ridgecv")
V1_RIDGE_LEGACY = _card("V1", "ridge", "-legacy")
V2_RIDGE_LEGACY = _card("V2", "ridge", "-legacy")
V4_RIDGE_LEGACY = _card("V4", "ridge", "-legacy")
IT_RIDGE_LEGACY = _card("IT", "ridge", "-legacy")
V1_RIDGECV_LEGACY = _card("V1", "ridgecv", "-legacy")
V2_RIDGECV_LEGACY = _card("V2", "ridgecv", "-legacy")
V4_RIDGECV_LEGACY = _card("V4", "ridgecv", "-legacy")
IT_RIDGECV_LEGACY = _card("IT", "ridgecv", "-legacy")
