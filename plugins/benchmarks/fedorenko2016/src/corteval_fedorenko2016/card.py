"""Cards of the benchmarks on sentences read word by word, and of their data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard, DataCard, Resource

_LICENCE = "none recorded in the registry"

FEDORENKO2016 = """@article{fedorenko2016neural,
  title = {Neural correlate of the construction of sentence meaning},
  author = {Fedorenko, Evelina and Scott, Terri L. and Brunner, Peter and Coon, William G. and
            Pritchett, Brianna and Schalk, Gerwin and Kanwisher, Nancy},
  journal = {Proceedings of the National Academy of Sciences}, volume = {113}, number = {41},
  pages = {E6256--E6262},
  year = {2016},
  doi = {10.1073/pnas.1612132113}
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

#: A sentence is trained or tested on as a whole, as published.
_GROUPED = {"folds": "kfold", "count": 10, "seed": 1234, "group_by": "group"}
_SHUFFLED = {"folds": "shuffle", "allow_leaky": True, "order": "rows", "group_by": "group"}
_LEAKY = (
    "legacy: words of a sentence are tested on between others that are trained on, so that a "
    "subject that only knows the sentence scores high; compare with the grouped benchmark"
)
_WORDS = "each word is asked for with the words before it in its sentence; sentences are 8 words"

#: What every benchmark on them says.
_SENTENCES = BenchmarkCard(
    identifier="Fedorenko2016",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="Human language electrodes (ECoG), 52 sentences, 5 people",
    licence="MIT",
    bibtex=f"{FEDORENKO2016}\n\n{SCHRIMPF2021}",
    data=("Fedorenko2016",),
    target="language_system",
    species="human",
    controls=RECORDING_CONTROLS["text"],
    options={"notes": (_WORDS,)},
)

#: Of regressions that nothing leaks into: the group they are averaged in, and what a model must
#: explain more than, see the score's note.
_SOUND: dict[str, Any] = {"parent": "Fedorenko2016", "nuisances": ("sentence-features",)}


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
    return _SENTENCES.form(
        name,
        words,
        metric=fit,
        ceiling="subject_extrapolation",
        parent=parent,
        options={
            # a subject that predicts a constant, as one that knows its sentence only, has r = 0
            "metric_options": {**shared, **_PENALTIES[fit], "constant": "zero"},
            "ceiling_options": {**shared, "fit": fit, "kept": True},
            **options,
        },
    )


RIDGE = _fitted("ridge", "ridge, sentences apart", "ridgecv", _GROUPED, **_SOUND)
LINEAR = _fitted("linear", "least squares, sentences apart", "linear", _GROUPED, **_SOUND)
RDM = _SENTENCES.form(
    "rdm",
    "RDM of each person",
    metric="rdm",
    ceiling="rsa_upper",
    parent="Fedorenko2016",
    options={"metric_options": {"subjects": "separate"}, "lower_bound": "rsa_lower"},
)
CKA = _SENTENCES.form(
    "cka", "debiased CKA with all electrodes", metric="cka", parent="Fedorenko2016"
)

RIDGE_LEGACY = _fitted(
    "ridge-legacy",
    "ridge, pooled median as published",
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
    notes=(_LEAKY,),
)

PNAS2021 = replace(
    _SENTENCES,
    identifier="Fedorenko2016-pnas2021",
    factory="corteval_regression.pnas2021:PNAS2021Benchmark",
    summary="Human language electrodes (ECoG), 52 sentences: protocol of PNAS 2021",
    metric="linear",
    ceiling="subject_extrapolation",
    options={
        "stratify_by": "group",
        "ceiling_of": "neuroid",
        "ceiling_options": {"kept": True},
        "notes": (_WORDS, _LEAKY),
    },
)

DATA = DataCard(
    identifier="Fedorenko2016",
    factory="corteval_fedorenko2016.data:Words",
    summary="Human ECoG responses of 97 electrodes to 52 sentences, word by word",
    licence=_LICENCE,
    bibtex=FEDORENKO2016,
    modality="text",
    access="on request",
    species="human",
    resources=(
        Resource(
            url="https://brainscore-storage.s3.amazonaws.com/brainscore-language/"
            "assy_Fedorenko2016_language.nc",
            sha1="2966b6d78e972a72068aa6907377483f427e8d9a",
            licence=_LICENCE,
        ),
    ),
    notes=("The file is that of brainscore/Fedorenko2016.language; who may have it is not known.",),
)
