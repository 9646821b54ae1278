"""Cards of the benchmarks and of the two experiments of Pereira et al. 2018."""

from __future__ import annotations

from typing import Any

from corteval.cards import BenchmarkCard, DataCard, Resource

_LICENCE = "none recorded in the registry"

PEREIRA2018 = """@article{pereira2018toward,
  title = {Toward a universal decoder of linguistic meaning from brain activation},
  author = {Pereira, Francisco and Lou, Bin and Pritchett, Brianna and Ritter, Samuel and
            Gershman, Samuel J. and Kanwisher, Nancy and Botvinick, Matthew and
            Fedorenko, Evelina},
  journal = {Nature Communications}, volume = {9}, number = {1}, pages = {963},
  year = {2018},
  doi = {10.1038/s41467-018-03068-4}
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

#: Subjects without language, or with little of it, that share what the sentences have in time.
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

#: Sentences of a topic are trained or tested on together, as published.
_GROUPED = {"folds": "kfold", "count": 10, "seed": 1234, "group_by": "story"}
_SHUFFLED = {"folds": "shuffle", "allow_leaky": True, "order": "rows", "group_by": "story"}
_LEAKY = (
    "legacy: sentences of one passage are trained and tested on, so that a subject that only knows "
    "where a sentence stands scores high; compare with the grouped benchmark"
)
_TEXT = (
    "two wordings of the 384 sentences circulate; the digest of the stimuli tells which was shown"
)

_OF_VOXELS = {
    "sampling": "sampled",  # ten people have too many subsets
    "kept": True,
}


def _form(metric: str, splits: dict[str, Any], *, aggregate: str = "subjects") -> dict[str, Any]:
    """Options of a regression and of its ceiling, which has the same fit and the same splits."""
    fitted = {"alphas": _ALPHAS} if metric == "ridgecv" else {}
    common = {"cross_validation": splits, "aggregate": aggregate}
    return {
        # a subject that predicts a constant, such as one that knows the place only, has r = 0
        "metric_options": {**common, **fitted, "constant": "zero"},
        "ceiling_options": {**common, **_OF_VOXELS, "fit": metric},
    }


def _card(
    sentences: str, form: str, summary: str, metric: str, ceiling: str | None, **options: Any
) -> BenchmarkCard:
    notes = (_TEXT, *options.pop("notes", ()))
    legacy = form not in ("ridge", "linear", "rdm", "cka")
    if form in ("ridge", "linear"):
        options["nuisances"] = _NUISANCES
    return BenchmarkCard(
        identifier=f"Pereira2018.{sentences}sentences-{form}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Human language areas (fMRI), {sentences} sentences: {summary}",
        licence="MIT",
        bibtex=f"{PEREIRA2018}\n\n{SCHRIMPF2021}",
        data=(f"Pereira2018.{sentences}sentences",),
        metric=metric,
        ceiling=ceiling,
        target="language_system",
        species="human",
        parent=None if legacy else "Pereira2018",
        controls=_CONTROLS,
        options={"neuroids": {"atlas": "language"}, "notes": notes, **options},
    )


def _ridge(sentences: str) -> BenchmarkCard:
    form = _form("ridgecv", _GROUPED)
    return _card(
        sentences, "ridge", "ridge, topics apart", "ridgecv", "subject_extrapolation", **form
    )


def _linear(sentences: str) -> BenchmarkCard:
    form = _form("linear", _GROUPED)
    return _card(
        sentences,
        "linear",
        "least squares, topics apart",
        "linear",
        "subject_extrapolation",
        **form,
    )


def _ridge_legacy(sentences: str) -> BenchmarkCard:
    form = _form("ridgecv", _GROUPED, aggregate="neuroids")
    words = "ridge, median over all voxels as published"
    return _card(sentences, "ridge-legacy", words, "ridgecv", "subject_extrapolation", **form)


def _ridge_shuffle(sentences: str) -> BenchmarkCard:
    form = _form("ridgecv", _SHUFFLED)
    words = "ridge, random splits"
    return _card(
        sentences,
        "ridge-shuffle",
        words,
        "ridgecv",
        "subject_extrapolation",
        notes=(_LEAKY,),
        **form,
    )


def _linear_shuffle(sentences: str, ceiling: float) -> BenchmarkCard:
    return _card(
        sentences,
        "linear-shuffle",
        "as published, random splits",
        "linear-legacy",
        None,
        published_ceiling=(ceiling, "correlation"),
        notes=(_LEAKY,),
    )


def _rdm(sentences: str) -> BenchmarkCard:
    return _card(
        sentences,
        "rdm",
        "RDM of each person",
        "rdm",
        "rsa_upper",
        metric_options={"subjects": "separate"},
        lower_bound="rsa_lower",
    )


def _cka(sentences: str) -> BenchmarkCard:
    return _card(sentences, "cka", "debiased CKA with all voxels", "cka", None)


def _data(sentences: str, people: str) -> DataCard:
    return DataCard(
        identifier=f"Pereira2018.{sentences}sentences",
        factory="corteval_pereira2018.data:Sentences",
        summary=f"Human fMRI responses to {people}",
        licence=_LICENCE,
        bibtex=PEREIRA2018,
        options={"experiment": f"{sentences}sentences"},
        modality="text",
        access="on request",
        species="human",
        resources=(
            Resource(
                url="https://brainscore-storage.s3.amazonaws.com/brainscore-language/"
                "assy_Pereira2018_language.nc",
                sha1="f8434b4022f5b2c862f0ff2854d5b3f5f2a7fb96",
                licence=_LICENCE,
            ),
        ),
        notes=(
            "The file is that of brainscore/Pereira2018.language; who may have it is not known.",
            "Two wordings of the 384 sentences circulate, as presented and with pronouns replaced.",
        ),
    )


DATA_243 = _data("243", "243 sentences of 72 passages")
DATA_384 = _data("384", "384 sentences of 96 passages")

RIDGE_243 = _ridge("243")
RIDGE_384 = _ridge("384")
LINEAR_243 = _linear("243")
LINEAR_384 = _linear("384")
RDM_243 = _rdm("243")
RDM_384 = _rdm("384")
CKA_243 = _cka("243")
CKA_384 = _cka("384")
RIDGE_LEGACY_243 = _ridge_legacy("243")
RIDGE_LEGACY_384 = _ridge_legacy("384")
RIDGE_SHUFFLE_243 = _ridge_shuffle("243")
RIDGE_SHUFFLE_384 = _ridge_shuffle("384")
#: Ceilings as the archive has them.
LINEAR_SHUFFLE_243 = _linear_shuffle("243", 0.35378928)
LINEAR_SHUFFLE_384 = _linear_shuffle("384", 0.36343748)

PNAS2021 = BenchmarkCard(
    identifier="Pereira2018-pnas2021",
    factory="corteval_regression.pnas2021:PNAS2021Benchmark",
    summary="Human language areas (fMRI), 627 sentences: protocol of PNAS 2021",
    licence="MIT",
    bibtex=f"{PEREIRA2018}\n\n{SCHRIMPF2021}",
    data=("Pereira2018.384sentences", "Pereira2018.243sentences"),
    metric="linear",
    ceiling="subject_extrapolation",
    target="language_system",
    species="human",
    controls=_CONTROLS,
    options={
        "neuroids": {"atlas": "language"},
        "ceiling_of": "score",
        "ceiling_options": _OF_VOXELS,
        "notes": (_TEXT, _LEAKY),
    },
)
