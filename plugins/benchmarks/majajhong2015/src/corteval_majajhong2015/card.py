"""Cards of the V4 and IT benchmarks, and of the recordings in 10-ms bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard, DataCard, Resource

MAJAJHONG2015 = """@article{majaj2015simple,
  title = {Simple Learned Weighted Sums of Inferior Temporal Neuronal Firing Rates Accurately
           Predict Human Core Object Recognition Performance},
  author = {Majaj, Najib J. and Hong, Ha and Solomon, Ethan A. and DiCarlo, James J.},
  journal = {Journal of Neuroscience},
  volume = {35},
  number = {39},
  pages = {13402--13418},
  year = {2015},
  doi = {10.1523/JNEUROSCI.5181-14.2015}
}"""

MUZELLEC2026 = """@article{muzellec2026reverse,
  title = {Reverse predictivity for bidirectional comparison of neural networks and biological
           brains},
  author = {Muzellec, Sabine and Kar, Kohitij},
  journal = {Nature Machine Intelligence},
  volume = {8},
  number = {3},
  pages = {474--488},
  year = {2026}
}"""

VISUAL_DEGREES, TRIALS = 8, 50

_PUBLIC, _PRIVATE = "MajajHong2015public", "MajajHong2015"
_ARCHIVE = {
    _PUBLIC: "brainscore/MajajHong2015.public",
    _PRIVATE: "brainscore/MajajHong2015.private",
}
_TEMPORAL = "MajajHong2015public.temporal"
_IMAGES = {_PUBLIC: 3200, _PRIVATE: 2560}
_WINDOW = ((70, 170),)
_BINS = tuple((start, start + 10) for start in range(70, 170, 10))

_SPLITS = {"cross_validation": {"stratify_by": "object_name"}}
_PUBLISHED_SPLITS = {"cross_validation": {"stratify_by": "object_name", "order": "rows"}}


def _card(
    name: str,
    region: str,
    metric: str,
    words: str,
    *,
    fit: str = "",
    ceiling: str | None = "internal_consistency",
    data: str = "",
    bibtex: str = MAJAJHONG2015,
    metric_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> BenchmarkCard:
    """Card of a region and metric; `fit` is the metric's identifier where the names differ."""
    asked = {
        "neuroids": {"region": region},
        "model_trials": TRIALS,
        "time_bins": _WINDOW,
        "data_options": {"visual_degrees": VISUAL_DEGREES},
        "metric_options": _SPLITS if metric_options is None else metric_options,
    }
    return BenchmarkCard(
        identifier=f"{name}.{region}-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque {region}, {_IMAGES[name]:,} rendered objects: {words}",
        licence="MIT",
        bibtex=bibtex,
        data=(data or _ARCHIVE[name],),
        metric=fit or metric,
        ceiling=ceiling,
        target=region,
        species="macaque",
        parent=region if ceiling else None,
        controls=RECORDING_CONTROLS["image"],
        options={**asked, **options},
    )


def _pls(name: str, region: str) -> BenchmarkCard:
    return _card(name, region, "pls", "PLS, explained variance over reliability")


def _pls_legacy(name: str, region: str) -> BenchmarkCard:
    return _card(
        name,
        region,
        "pls-legacy",
        "PLS, splits by the order of rows as published; r^2/c",
        fit="pls",
        metric_options=_PUBLISHED_SPLITS,
        notes=("legacy: splits follow the order of the data's rows",),
    )


def _pls_legacy_2025(name: str, region: str) -> BenchmarkCard:
    return _card(
        name,
        region,
        "pls-legacy2025",
        "PLS, splits by the order of rows, (r/c)^2: as until 2025-12",
        fit="pls",
        metric_options=_PUBLISHED_SPLITS,
        normalization="(r/c)^2",
        notes=(
            "legacy: splits follow the order of the data's rows; (r/c)^2, where the noiseless "
            "response scores 1/c and not 1",
        ),
    )


def _ridge(region: str) -> BenchmarkCard:
    return _card(_PUBLIC, region, "ridge", "ridge, alpha 1, explained variance over reliability")


def _ridgecv(region: str) -> BenchmarkCard:
    return _card(
        _PUBLIC,
        region,
        "ridgecv",
        "ridge, alpha by leave-one-out, explained variance",
    )


def _rdm(region: str) -> BenchmarkCard:
    return _card(
        _PUBLIC,
        region,
        "rdm",
        "Spearman's correlation of RDMs, without ceiling",
        ceiling=None,
        metric_options={},
        notes=(
            "two animals, too few for bounds over subjects, and the reliability of single neuroids "
            "does not bound this metric; noise keeps a perfect model below 1",
        ),
    )


def _temporal(region: str) -> BenchmarkCard:
    return _card(
        _PUBLIC,
        region,
        "temporal-pls",
        "one PLS fit for all 10-ms bins; r^2/c",
        fit="spantime_pls",
        data=_TEMPORAL,
        time_bins=_BINS,
        over_time="whole",
        data_options={"visual_degrees": VISUAL_DEGREES, "time_bins": _BINS},
    )


def _reverse(region: str) -> BenchmarkCard:
    return _card(
        _PUBLIC,
        region,
        "reverse_pls",
        "model units from neuroids by PLS; r^2/c",
        ceiling="predictor_consistency",
        bibtex=f"{MUZELLEC2026}\n\n{MAJAJHONG2015}",
        notes=(
            "the ceiling is the reliability of the neuroids, which predict here: it does not bound "
            "how well model units can be predicted, and scores may exceed 1",
        ),
    )


V4_PLS, IT_PLS = (_pls(_PRIVATE, region) for region in ("V4", "IT"))
V4_PLS_LEGACY, IT_PLS_LEGACY = (_pls_legacy(_PRIVATE, region) for region in ("V4", "IT"))
V4_PLS_LEGACY_2025, IT_PLS_LEGACY_2025 = (
    _pls_legacy_2025(_PRIVATE, region) for region in ("V4", "IT")
)
PUBLIC_V4_PLS, PUBLIC_IT_PLS = (_pls(_PUBLIC, region) for region in ("V4", "IT"))
PUBLIC_V4_PLS_LEGACY, PUBLIC_IT_PLS_LEGACY = (
    _pls_legacy(_PUBLIC, region) for region in ("V4", "IT")
)
PUBLIC_V4_PLS_LEGACY_2025, PUBLIC_IT_PLS_LEGACY_2025 = (
    _pls_legacy_2025(_PUBLIC, region) for region in ("V4", "IT")
)
PUBLIC_V4_RIDGE, PUBLIC_IT_RIDGE = (_ridge(region) for region in ("V4", "IT"))
PUBLIC_V4_RIDGECV, PUBLIC_IT_RIDGECV = (_ridgecv(region) for region in ("V4", "IT"))
PUBLIC_V4_RDM, PUBLIC_IT_RDM = (_rdm(region) for region in ("V4", "IT"))
PUBLIC_V4_TEMPORAL_PLS, PUBLIC_IT_TEMPORAL_PLS = (_temporal(region) for region in ("V4", "IT"))
PUBLIC_V4_REVERSE_PLS, PUBLIC_IT_REVERSE_PLS = (_reverse(region) for region in ("V4", "IT"))

_BUCKET = "https://brainscore-storage.s3.amazonaws.com/brainio-brainscore"
_LICENCE = "none recorded in the registry"


def _pinned(name: str, sha1: str) -> Resource:
    """A file of Brain-Score's archive, whose registry gives no size."""
    return Resource(url=f"{_BUCKET}/{name}", sha1=sha1, licence=_LICENCE)


TEMPORAL_DATA = DataCard(
    identifier=_TEMPORAL,
    factory="corteval_majajhong2015.data:InTimeBins",
    summary="Macaque V4 and IT over time, 3,200 rendered objects, in time bins of your choice",
    licence=_LICENCE,
    bibtex=MAJAJHONG2015,
    options={"data": "brainscore/MajajHong2015.temporal.public"},
    resources=(
        _pinned(
            "assy_dicarlo_MajajHong2015_temporal_public.nc",
            "093ac35b3e8464c676d24cf38238415d4d6a9448",
        ),
        _pinned("stimulus_hvm-public.csv", "5ca7a3da00d8e9c694a9cd725df5ba0ad6d735af"),
        _pinned("stimulus_hvm-public.zip", "8aa44e038d7b551efa8077467622f9d48d72e473"),
    ),
    species="macaque",
    notes=(
        "The files are those of brainscore/MajajHong2015.temporal.public. Brain-Score lists them "
        "as public; nobody tried the address here.",
        "All trials of all bins are read at once, which takes several GB of memory.",
    ),
)
