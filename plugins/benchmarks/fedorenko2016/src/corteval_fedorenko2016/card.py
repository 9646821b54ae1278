"""Cards of the benchmarks on sentences read word by word, and of their data."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, DataCard, Resource

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

#: Subjects without language, or with little of it, that share what a sentence has in time.
_CONTROLS = (
    "sentence-length",
    "word-position",
    "word-rate",
    "word-frequency",
    "sentence-features",
    "oasm",
    "randomembedding-100",
    "{model}-untrained",
)

#: What a model must explain more than, see the score's note.
_NUISANCES = ("sentence-features",)

#: Penalties of the published ridge regression (spec ``metrics``, Language 2.2).
_ALPHAS = tuple(10.0**power for power in range(-3, 4))

#: A sentence is trained or tested on as a whole, as published.
_GROUPED = {"folds": "kfold", "count": 10, "seed": 1234, "group_by": "group"}
_SHUFFLED = {"folds": "shuffle", "allow_leaky": True, "order": "rows", "group_by": "group"}
_LEAKY = (
    "legacy: words of a sentence are tested on between others that are trained on, so that a "
    "subject that only knows the sentence scores high; compare with the grouped benchmark"
)
_WORDS = "each word is asked for with the words before it in its sentence; sentences are 8 words"


def _form(metric: str, splits: dict[str, Any], *, aggregate: str = "subjects") -> dict[str, Any]:
    """Options of a regression and of its ceiling, which has the same fit and the same splits."""
    fitted = {"alphas": _ALPHAS} if metric == "ridgecv" else {}
    common = {"cross_validation": splits, "aggregate": aggregate}
    return {
        # a subject that predicts a constant, such as one that knows the sentence only, has r = 0
        "metric_options": {**common, **fitted, "constant": "zero"},
        "ceiling_options": {**common, "fit": metric, "kept": True},
    }


def _card(
    form: str,
    summary: str,
    metric: str,
    ceiling: str | None,
    *,
    notes: tuple[str, ...] = (),
    **options: Any,
) -> BenchmarkCard:
    sound = form in ("ridge", "linear", "rdm", "cka")
    if form in ("ridge", "linear"):
        options["nuisances"] = _NUISANCES
    return BenchmarkCard(
        identifier=f"Fedorenko2016-{form}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Human language electrodes (ECoG), 52 sentences, 5 people: {summary}",
        licence="MIT",
        bibtex=f"{FEDORENKO2016}\n\n{SCHRIMPF2021}",
        data=("Fedorenko2016",),
        metric=metric,
        ceiling=ceiling,
        target="language_system",
        species="human",
        parent="Fedorenko2016" if sound else None,
        controls=_CONTROLS,
        options={"notes": (_WORDS, *notes), **options},
    )


def _fitted(
    form: str, summary: str, metric: str, splits: dict[str, Any], **options: Any
) -> BenchmarkCard:
    notes = () if splits is _GROUPED else (_LEAKY,)
    made = _form(metric, splits, **options)
    return _card(form, summary, metric, "subject_extrapolation", notes=notes, **made)


RIDGE = _fitted("ridge", "ridge, sentences apart", "ridgecv", _GROUPED)
LINEAR = _fitted("linear", "least squares, sentences apart", "linear", _GROUPED)
RIDGE_LEGACY = _fitted(
    "ridge-legacy",
    "ridge, pooled median as published",
    "ridgecv",
    _GROUPED,
    aggregate="neuroids",
)
RIDGE_SHUFFLE = _fitted("ridge-shuffle", "ridge, random splits", "ridgecv", _SHUFFLED)
LINEAR_SHUFFLE = _fitted(
    "linear-shuffle", "as published, random splits", "linear", _SHUFFLED, aggregate="neuroids"
)
RDM = _card(
    "rdm",
    "RDM of each person",
    "rdm",
    "rsa_upper",
    metric_options={"subjects": "separate"},
    lower_bound="rsa_lower",
)
CKA = _card("cka", "debiased CKA with all electrodes", "cka", None)

PNAS2021 = BenchmarkCard(
    identifier="Fedorenko2016-pnas2021",
    factory="corteval_regression.pnas2021:PNAS2021Benchmark",
    summary="Human language electrodes (ECoG), 52 sentences: protocol of PNAS 2021",
    licence="MIT",
    bibtex=f"{FEDORENKO2016}\n\n{SCHRIMPF2021}",
    data=("Fedorenko2016",),
    metric="linear",
    ceiling="subject_extrapolation",
    target="language_system",
    species="human",
    controls=_CONTROLS,
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
