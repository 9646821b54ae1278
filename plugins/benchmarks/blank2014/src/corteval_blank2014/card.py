"""Cards of the benchmarks on stories, and of their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard, DataCard, Resource

_LICENCE = "none recorded in the registry"

BLANK2014 = """@article{blank2014functional,
  title = {A functional dissociation between language and multiple-demand systems revealed in
           patterns of {BOLD} signal fluctuations},
  author = {Blank, Idan and Kanwisher, Nancy and Fedorenko, Evelina},
  journal = {Journal of Neurophysiology}, volume = {112}, number = {5}, pages = {1105--1118},
  year = {2014},
  doi = {10.1152/jn.00884.2013}
}"""

SCHRIMPF2021 = """@article{schrimpf2021neural,
  title = {The neural architecture of language: integrative modeling converges on predictive
           processing},
  author = {Schrimpf, Martin and Blank, Idan Asher and Tuckute, Greta and Kauf, Carina and
            Hosseini, Eghbal A. and Kanwisher, Nancy and Tenenbaum, Joshua B. and
            Fedorenko, Evelina},
  journal = {Proceedings of the National Academy of Sciences}, volume = {118}, number = {45},
  year = {2021},
  doi = {10.1073/pnas.2105646118}
}"""

#: Penalties of the published ridge regression (spec ``metrics``, Language 2.2).
_PENALTIES = {"ridgecv": {"alphas": tuple(10.0**power for power in range(-3, 4))}, "linear": {}}

#: A story is trained or tested on as a whole, as published.
_GROUPED = {"folds": "kfold", "count": 8, "seed": 1234, "group_by": "story"}
_SHUFFLED = {"folds": "shuffle", "allow_leaky": True, "order": "rows", "group_by": "story"}
_LEAKY = (
    "legacy: two seconds of a story are tested on between others that are trained on, so that a "
    "subject that only knows when scores high; compare with the grouped benchmark"
)
_DELAY = (
    "the delay of the blood response was taken off the data, as 4 s for every region; it is not "
    "fitted"
)
_PUBLISHED = "the ceiling is computed as published, where it is .21026591 on the archive's file"

#: What every benchmark on them says.
_STORIES = BenchmarkCard(
    identifier="Blank2014",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="Human language regions (fMRI), 8 stories, 5 people",
    licence="MIT",
    bibtex=f"{BLANK2014}\n\n{SCHRIMPF2021}",
    data=("Blank2014",),
    target="language_system",
    species="human",
    controls=RECORDING_CONTROLS["text"],
    options={"notes": (_DELAY,)},
)

#: Of regressions that nothing leaks into: the group they are averaged in, and what a model must
#: explain more than, see the score's note.
_SOUND: dict[str, Any] = {"parent": "Blank2014", "nuisances": ("sentence-features",)}


def _fitted(
    name: str,
    words: str,
    fit: str,
    splits: Mapping[str, Any],
    *,
    aggregate: str = "subjects",
    parent: str | None = None,
    **options: Any,
) -> BenchmarkCard:
    """A regression, with the same fit and the same splits as its ceiling."""
    shared = {"cross_validation": splits, "aggregate": aggregate}
    return _STORIES.form(
        name,
        words,
        metric=fit,
        ceiling="subject_extrapolation",
        parent=parent,
        options={
            # a subject that predicts a constant, such as one that knows the time only, has r = 0
            "metric_options": {**shared, **_PENALTIES[fit], "constant": "zero"},
            "ceiling_options": {**shared, "fit": fit, "kept": True},
            **options,
        },
    )


RIDGE = _fitted("ridge", "ridge, stories apart", "ridgecv", _GROUPED, **_SOUND)
LINEAR = _fitted("linear", "least squares, stories apart", "linear", _GROUPED, **_SOUND)
RDM = _STORIES.form(
    "rdm",
    "RDM of each person",
    metric="rdm",
    ceiling="rsa_upper",
    parent="Blank2014",
    options={"metric_options": {"subjects": "separate"}, "lower_bound": "rsa_lower"},
)
CKA = _STORIES.form("cka", "debiased CKA with all regions", metric="cka", parent="Blank2014")

RIDGE_LEGACY = _fitted(
    "ridge-legacy",
    "ridge, median over all regions as published",
    "ridgecv",
    _GROUPED,
    aggregate="neuroids",
)
RIDGE_SHUFFLE = _fitted(
    "ridge-shuffle", "ridge, random splits", "ridgecv", _SHUFFLED, notes=(_LEAKY,)
)
LINEAR_SHUFFLE = _fitted(
    "linear-shuffle",
    "as published, random splits",
    "linear",
    _SHUFFLED,
    aggregate="neuroids",
    notes=(
        _LEAKY,
        _PUBLISHED,
    ),
)

PNAS2021 = replace(
    _STORIES,
    identifier="Blank2014-pnas2021",
    factory="corteval_regression.pnas2021:PNAS2021Benchmark",
    summary="Human language regions (fMRI), 8 stories: protocol of PNAS 2021",
    metric="linear",
    ceiling="subject_extrapolation",
    options={
        "stratify_by": "story",
        "ceiling_of": "neuroid",
        "ceiling_options": {"kept": True},
        "notes": (_DELAY, _LEAKY),
    },
)

DATA = DataCard(
    identifier="Blank2014",
    factory="corteval_blank2014.data:Stories",
    summary="Human fMRI responses to eight stories in 12 regions of five people",
    licence=_LICENCE,
    bibtex=BLANK2014,
    modality="text",
    access="on request",
    species="human",
    resources=(
        Resource(
            url="https://brainscore-storage.s3.amazonaws.com/brainscore-language/"
            "assy_Blank2014_fROI.nc",
            sha1="af1e868821b897cb1684e4c8dcd33977121ef552",
            licence=_LICENCE,
        ),
    ),
    notes=("The file is that of brainscore/Blank2014.fROI; who may have it is not known.",),
)
