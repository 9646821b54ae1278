"""Cards of the benchmarks on stories, and of their data."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, DataCard, Resource

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

#: Subjects without language, or with little of it, that share what the story has in time.
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


def _form(metric: str, splits: dict[str, Any], *, aggregate: str = "subjects") -> dict[str, Any]:
    """Options of a regression and of its ceiling, which has the same fit and the same splits."""
    fitted = {"alphas": _ALPHAS} if metric == "ridgecv" else {}
    common = {"cross_validation": splits, "aggregate": aggregate}
    return {
        # a subject that predicts a constant, such as one that knows the time only, has r = 0
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
        identifier=f"Blank2014-{form}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Human language regions (fMRI), 8 stories, 5 people: {summary}",
        licence="MIT",
        bibtex=f"{BLANK2014}\n\n{SCHRIMPF2021}",
        data=("Blank2014",),
        metric=metric,
        ceiling=ceiling,
        target="language_system",
        species="human",
        parent="Blank2014" if sound else None,
        controls=_CONTROLS,
        options={"notes": (_DELAY, *notes), **options},
    )


def _fitted(
    form: str, summary: str, metric: str, splits: dict[str, Any], **options: Any
) -> BenchmarkCard:
    notes = () if splits is _GROUPED else (_LEAKY,)
    if form == "linear-shuffle":
        notes = (*notes, _PUBLISHED)
    made = _form(metric, splits, **options)
    return _card(form, summary, metric, "subject_extrapolation", notes=notes, **made)


RIDGE = _fitted("ridge", "ridge, stories apart", "ridgecv", _GROUPED)
LINEAR = _fitted("linear", "least squares, stories apart", "linear", _GROUPED)
RIDGE_LEGACY = _fitted(
    "ridge-legacy",
    "ridge, median over all regions as published",
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
CKA = _card("cka", "debiased CKA with all regions", "cka", None)

PNAS2021 = BenchmarkCard(
    identifier="Blank2014-pnas2021",
    factory="corteval_regression.pnas2021:PNAS2021Benchmark",
    summary="Human language regions (fMRI), 8 stories: protocol of PNAS 2021",
    licence="MIT",
    bibtex=f"{BLANK2014}\n\n{SCHRIMPF2021}",
    data=("Blank2014",),
    metric="linear",
    ceiling="subject_extrapolation",
    target="language_system",
    species="human",
    controls=_CONTROLS,
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
