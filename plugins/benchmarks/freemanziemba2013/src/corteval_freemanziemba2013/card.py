"""Cards of the V1 and V2 benchmarks. Parts and parameters are all there is: core does the rest."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

FREEMANZIEMBA2013 = """@article{freeman2013functional,
  title = {A functional and perceptual signature of the second visual area in primates},
  author = {Freeman, Jeremy and Ziemba, Corey M. and Heeger, David J. and Simoncelli, Eero P. and
            Movshon, J. Anthony},
  journal = {Nature Neuroscience},
  volume = {16},
  number = {7},
  pages = {974--981},
  year = {2013},
  doi = {10.1038/nn.3402}
}"""

VISUAL_DEGREES, TRIALS = 4, 20

_PUBLIC, _PRIVATE = "FreemanZiemba2013public", "FreemanZiemba2013"
_ARCHIVE = {
    _PUBLIC: "brainscore/FreemanZiemba2013.public",
    _PRIVATE: "brainscore/FreemanZiemba2013.private",
}
_IMAGES = {_PUBLIC: 135, _PRIVATE: 315}
_MILLISECONDS = tuple((start, start + 1) for start in range(50, 200))


def _card(name: str, region: str, metric: str, words: str, **options: Any) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"{name}.{region}-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque {region}, {_IMAGES[name]} textures and noise: {words}",
        licence="MIT",
        bibtex=FREEMANZIEMBA2013,
        data=(_ARCHIVE[name],),
        metric="pls",
        ceiling="internal_consistency",
        target=region,
        species="macaque",
        parent=region,
        controls=RECORDING_CONTROLS["image"],
        options={
            "neuroids": {"region": region},
            "model_trials": TRIALS,
            "time_bins": ((50, 200),),
            "over_time": "averaged",
            "data_options": {"visual_degrees": VISUAL_DEGREES, "time_bins": _MILLISECONDS},
            **options,
        },
    )


def _pls(name: str, region: str) -> BenchmarkCard:
    return _card(
        name,
        region,
        "pls",
        "PLS, explained variance over reliability",
        metric_options={"cross_validation": {"stratify_by": "texture_type"}},
    )


def _pls_legacy(name: str, region: str) -> BenchmarkCard:
    return _card(
        name,
        region,
        "pls-legacy",
        "PLS, splits by the order of rows as published; r^2/c",
        metric_options={"cross_validation": {"stratify_by": "texture_type", "order": "rows"}},
        notes=("legacy: splits follow the order of the data's rows",),
    )


V1_PLS, V2_PLS = (_pls(_PRIVATE, region) for region in ("V1", "V2"))
V1_PLS_LEGACY, V2_PLS_LEGACY = (_pls_legacy(_PRIVATE, region) for region in ("V1", "V2"))
PUBLIC_V1_PLS, PUBLIC_V2_PLS = (_pls(_PUBLIC, region) for region in ("V1", "V2"))
PUBLIC_V1_PLS_LEGACY, PUBLIC_V2_PLS_LEGACY = (
    _pls_legacy(_PUBLIC, region) for region in ("V1", "V2")
)
