"""Cards of the benchmarks and of the two experiments of Pereira et al. 2018."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard, DataCard, Resource

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

#: Penalties of the published ridge regression (spec ``metrics``, Language 2.2).
_PENALTIES = {"ridgecv": {"alphas": tuple(10.0**power for power in range(-3, 4))}, "linear": {}}

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

_OF_VOXELS = {"sampling": "sampled", "kept": True}  # ten people have too many subsets

#: What every benchmark on the sentences of both experiments says.
_SENTENCES = BenchmarkCard(
    identifier="Pereira2018",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="Human language areas (fMRI)",
    licence="MIT",
    bibtex=f"{PEREIRA2018}\n\n{SCHRIMPF2021}",
    target="language_system",
    species="human",
    controls=RECORDING_CONTROLS["text"],
    options={"neuroids": {"atlas": "language"}, "notes": (_TEXT,)},
)

#: Of regressions that nothing leaks into: the group they are averaged in, and what a model must
#: explain more than, see the score's note.
_SOUND: dict[str, Any] = {"parent": "Pereira2018", "nuisances": ("sentence-features",)}


def _experiment(sentences: str) -> BenchmarkCard:
    return replace(
        _SENTENCES,
        identifier=f"Pereira2018.{sentences}sentences",
        summary=f"{_SENTENCES.summary}, {sentences} sentences",
        data=(f"Pereira2018.{sentences}sentences",),
    )


def _fitted(
    experiment: BenchmarkCard,
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
    return experiment.form(
        name,
        words,
        metric=fit,
        ceiling="subject_extrapolation",
        parent=parent,
        options={
            # a subject that predicts a constant, such as one that knows the place only, has r = 0
            "metric_options": {**shared, **_PENALTIES[fit], "constant": "zero"},
            "ceiling_options": {**shared, **_OF_VOXELS, "fit": fit},
            **options,
        },
    )


def _ridge(experiment: BenchmarkCard) -> BenchmarkCard:
    return _fitted(experiment, "ridge", "ridge, topics apart", "ridgecv", _GROUPED, **_SOUND)


def _linear(experiment: BenchmarkCard) -> BenchmarkCard:
    words = "least squares, topics apart"
    return _fitted(experiment, "linear", words, "linear", _GROUPED, **_SOUND)


def _rdm(experiment: BenchmarkCard) -> BenchmarkCard:
    return experiment.form(
        "rdm",
        "RDM of each person",
        metric="rdm",
        ceiling="rsa_upper",
        parent="Pereira2018",
        options={"metric_options": {"subjects": "separate"}, "lower_bound": "rsa_lower"},
    )


def _cka(experiment: BenchmarkCard) -> BenchmarkCard:
    return experiment.form(
        "cka", "debiased CKA with all voxels", metric="cka", parent="Pereira2018"
    )


def _ridge_legacy(experiment: BenchmarkCard) -> BenchmarkCard:
    words = "ridge, median over all voxels as published"
    return _fitted(experiment, "ridge-legacy", words, "ridgecv", _GROUPED, aggregate="neuroids")


def _ridge_shuffle(experiment: BenchmarkCard) -> BenchmarkCard:
    words = "ridge, random splits"
    return _fitted(experiment, "ridge-shuffle", words, "ridgecv", _SHUFFLED, notes=(_LEAKY,))


def _linear_shuffle(experiment: BenchmarkCard, ceiling: float) -> BenchmarkCard:
    return experiment.form(
        "linear-shuffle",
        "as published, random splits",
        metric="linear-legacy",
        options={"published_ceiling": (ceiling, "correlation"), "notes": (_LEAKY,)},
    )


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

_243, _384 = _experiment("243"), _experiment("384")

RIDGE_243, RIDGE_384 = _ridge(_243), _ridge(_384)
LINEAR_243, LINEAR_384 = _linear(_243), _linear(_384)
RDM_243, RDM_384 = _rdm(_243), _rdm(_384)
CKA_243, CKA_384 = _cka(_243), _cka(_384)
RIDGE_LEGACY_243, RIDGE_LEGACY_384 = _ridge_legacy(_243), _ridge_legacy(_384)
RIDGE_SHUFFLE_243, RIDGE_SHUFFLE_384 = _ridge_shuffle(_243), _ridge_shuffle(_384)
#: Ceilings as the archive has them.
LINEAR_SHUFFLE_243 = _linear_shuffle(_243, 0.35378928)
LINEAR_SHUFFLE_384 = _linear_shuffle(_384, 0.36343748)

PNAS2021 = replace(
    _SENTENCES,
    identifier="Pereira2018-pnas2021",
    factory="corteval_regression.pnas2021:PNAS2021Benchmark",
    summary="Human language areas (fMRI), 627 sentences: protocol of PNAS 2021",
    data=("Pereira2018.384sentences", "Pereira2018.243sentences"),
    metric="linear",
    ceiling="subject_extrapolation",
    options={
        "neuroids": _SENTENCES.options["neuroids"],
        "ceiling_of": "score",
        "ceiling_options": _OF_VOXELS,
        "notes": (_TEXT, _LEAKY),
    },
)
