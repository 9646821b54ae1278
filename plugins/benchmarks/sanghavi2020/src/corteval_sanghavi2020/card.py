"""Cards of the V4 and IT benchmarks. Parts and parameters are all there is: core does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard


@final
@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one of the three recordings is.

    Args:
        images: how many, and of what.
        visual_degrees: extent of the images.
        trials: repetitions, which models are shown as well.
        stratify_by: coordinate whose values training and test sets share alike.
        bibtex: entry to cite.
    """

    images: str
    visual_degrees: float
    trials: int
    stratify_by: str | None
    bibtex: str


RECORDINGS: Mapping[str, Recording] = {
    "Sanghavi2020": Recording(
        images="5,760 rendered objects",
        visual_degrees=8,
        trials=28,
        stratify_by="object_name",
        bibtex="""@misc{sanghavi2020,
  title = {Sanghavi2020},
  author = {Sanghavi, Sachi and DiCarlo, James J.},
  publisher = {OSF},
  year = {2020},
  doi = {10.17605/OSF.IO/CHWDK}
}""",
    ),
    "SanghaviJozwik2020": Recording(
        images="4,916 photographs",
        visual_degrees=8,
        trials=37,
        stratify_by=None,
        bibtex="""@misc{sanghavijozwik2020,
  title = {SanghaviJozwik2020},
  author = {Sanghavi, Sachi and Jozwik, K. M. and DiCarlo, James J.},
  publisher = {OSF},
  year = {2020},
  doi = {10.17605/OSF.IO/FHY36}
}""",
    ),
    "SanghaviMurty2020": Recording(
        images="300 photographs",
        visual_degrees=5,
        trials=50,
        stratify_by=None,
        bibtex="""@misc{sanghavimurty2020,
  title = {SanghaviMurty2020},
  author = {Sanghavi, Sachi and Murty, N. A. R. and DiCarlo, James J.},
  publisher = {OSF},
  year = {2020},
  doi = {10.17605/OSF.IO/FCHME}
}""",
    ),
}
_WINDOW = ((70, 170),)


def _card(
    name: str, region: str, metric: str, words: str, *, order: str = "ids", **options: Any
) -> BenchmarkCard:
    recording = RECORDINGS[name]
    splits = {"stratify_by": recording.stratify_by, "order": order}
    return BenchmarkCard(
        identifier=f"{name}.{region}-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque {region}, {recording.images}: {words}",
        licence="MIT",
        bibtex=recording.bibtex,
        data=(f"brainscore/{name}",),
        metric="pls",
        ceiling="internal_consistency",
        target=region,
        species="macaque",
        parent=region,
        controls=RECORDING_CONTROLS["image"],
        options={
            "neuroids": {"region": region},
            "model_trials": recording.trials,
            "time_bins": _WINDOW,
            # the first of several bins in the files
            "data_options": {"visual_degrees": recording.visual_degrees, "time_bins": _WINDOW},
            "metric_options": {"cross_validation": splits},
            **options,
        },
    )


def _pls(name: str, region: str) -> BenchmarkCard:
    words = "PLS, explained variance over reliability"
    return _card(name, region, "pls", words)


def _pls_legacy(name: str, region: str) -> BenchmarkCard:
    return _card(
        name,
        region,
        "pls-legacy",
        "PLS, splits by the order of rows as published; r^2/c",
        order="rows",
        notes=("legacy: splits follow the order of the data's rows",),
    )


_REGIONS = ("V4", "IT")
SANGHAVI_V4_PLS, SANGHAVI_IT_PLS = (_pls("Sanghavi2020", region) for region in _REGIONS)
JOZWIK_V4_PLS, JOZWIK_IT_PLS = (_pls("SanghaviJozwik2020", region) for region in _REGIONS)
MURTY_V4_PLS, MURTY_IT_PLS = (_pls("SanghaviMurty2020", region) for region in _REGIONS)
SANGHAVI_V4_PLS_LEGACY, SANGHAVI_IT_PLS_LEGACY = (
    _pls_legacy("Sanghavi2020", region) for region in _REGIONS
)
JOZWIK_V4_PLS_LEGACY, JOZWIK_IT_PLS_LEGACY = (
    _pls_legacy("SanghaviJozwik2020", region) for region in _REGIONS
)
MURTY_V4_PLS_LEGACY, MURTY_IT_PLS_LEGACY = (
    _pls_legacy("SanghaviMurty2020", region) for region in _REGIONS
)
