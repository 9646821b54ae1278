"""Cards of the benchmarks on the Natural Scenes Dataset."""

from __future__ import annotations

from typing import NamedTuple

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard

ALLEN2022 = """@article{allen2022massive,
  title = {A massive {7T} {fMRI} dataset to bridge cognitive neuroscience and artificial
           intelligence},
  author = {Allen, Emily J. and St-Yves, Ghislain and Wu, Yihan and Breedlove, Jesse L. and
            Prince, Jacob S. and Dowdle, Logan T. and Nau, Matthias and Caron, Brad and
            Pestilli, Franco and Charest, Ian and Hutchinson, J. Benjamin and
            Naselaris, Thomas and Kay, Kendrick},
  journal = {Nature Neuroscience}, volume = {25}, pages = {116--126},
  year = {2022},
  doi = {10.1038/s41593-021-00962-x}
}"""

_NOTES = ("voxels with a noise ceiling of at least 30 %, chosen on the trials that are tested on",)


class _Study(NamedTuple):
    """A set of subjects in one space.

    Args:
        name: prefix of identifiers and of members of the archive.
        where: what was recorded.
        people: how many.
    """

    name: str
    where: str
    people: int


_VOLUME = _Study("Allen2022_fmri", "7T fMRI, voxels", 8)
_VOLUME_4 = _Study("Allen2022_fmri_4subj", "7T fMRI, voxels", 4)
_SURFACE = _Study("Allen2022_fmri_surface", "7T fMRI, surface", 8)
_SURFACE_4 = _Study("Allen2022_fmri_surface_4subj", "7T fMRI, surface", 4)


def _card(study: _Study, region: str, metric: str, words: str, form: str = "") -> BenchmarkCard:
    regression = metric == "ridge"
    options = {
        "neuroids": {"region": region, "nc_testset": {"at_least": 30.0}},
        "visual_degrees": 8.4,
        "notes": _NOTES,
    }
    if form:
        options["share"] = "(r/c)^2"
    return BenchmarkCard(
        identifier=f"{study.name}.{region}-{metric}{form}",
        factory="corteval_regression.per_subject:SubjectsBenchmark"
        if regression
        else "corteval_allen2022.rdm:AllImages",
        summary=f"Human {region} ({study.where}), natural scenes, {study.people} people: {words}",
        licence="MIT",
        bibtex=ALLEN2022,
        data=(f"brainscore/{study.name}_train", f"brainscore/{study.name}_test"),
        metric="ridge-split" if regression else "rdm",
        ceiling="internal_consistency" if regression else "rsa_upper",
        target=region,
        species="human",
        parent=None if form else region,
        controls=RECORDING_CONTROLS["image"],
        options=options,
    )


def _ridge(study: _Study, region: str) -> BenchmarkCard:
    words = "ridge, alpha 1, r^2 over reliability"
    return _card(study, region, "ridge", words)


def _ridge_legacy(study: _Study, region: str) -> BenchmarkCard:
    words = "ridge, alpha 1, (r/c)^2 as published"
    return _card(study, region, "ridge", words, "-legacy")


def _rdm(study: _Study, region: str) -> BenchmarkCard:
    return _card(study, region, "rdm", "Spearman's correlation of RDMs")


FMRI_V1_RIDGE = _ridge(_VOLUME, "V1")
FMRI_V2_RIDGE = _ridge(_VOLUME, "V2")
FMRI_V4_RIDGE = _ridge(_VOLUME, "V4")
FMRI_IT_RIDGE = _ridge(_VOLUME, "IT")
FMRI_V1_RDM = _rdm(_VOLUME, "V1")
FMRI_V2_RDM = _rdm(_VOLUME, "V2")
FMRI_V4_RDM = _rdm(_VOLUME, "V4")
FMRI_IT_RDM = _rdm(_VOLUME, "IT")
FMRI_V1_RIDGE_LEGACY = _ridge_legacy(_VOLUME, "V1")
FMRI_V2_RIDGE_LEGACY = _ridge_legacy(_VOLUME, "V2")
FMRI_V4_RIDGE_LEGACY = _ridge_legacy(_VOLUME, "V4")
FMRI_IT_RIDGE_LEGACY = _ridge_legacy(_VOLUME, "IT")
FMRI_4SUBJ_V1_RIDGE = _ridge(_VOLUME_4, "V1")
FMRI_4SUBJ_V2_RIDGE = _ridge(_VOLUME_4, "V2")
FMRI_4SUBJ_V4_RIDGE = _ridge(_VOLUME_4, "V4")
FMRI_4SUBJ_IT_RIDGE = _ridge(_VOLUME_4, "IT")
FMRI_4SUBJ_V1_RDM = _rdm(_VOLUME_4, "V1")
FMRI_4SUBJ_V2_RDM = _rdm(_VOLUME_4, "V2")
FMRI_4SUBJ_V4_RDM = _rdm(_VOLUME_4, "V4")
FMRI_4SUBJ_IT_RDM = _rdm(_VOLUME_4, "IT")
FMRI_4SUBJ_V1_RIDGE_LEGACY = _ridge_legacy(_VOLUME_4, "V1")
FMRI_4SUBJ_V2_RIDGE_LEGACY = _ridge_legacy(_VOLUME_4, "V2")
FMRI_4SUBJ_V4_RIDGE_LEGACY = _ridge_legacy(_VOLUME_4, "V4")
FMRI_4SUBJ_IT_RIDGE_LEGACY = _ridge_legacy(_VOLUME_4, "IT")
FMRI_SURFACE_V1_RIDGE = _ridge(_SURFACE, "V1")
FMRI_SURFACE_V2_RIDGE = _ridge(_SURFACE, "V2")
FMRI_SURFACE_V4_RIDGE = _ridge(_SURFACE, "V4")
FMRI_SURFACE_IT_RIDGE = _ridge(_SURFACE, "IT")
FMRI_SURFACE_V1_RDM = _rdm(_SURFACE, "V1")
FMRI_SURFACE_V2_RDM = _rdm(_SURFACE, "V2")
FMRI_SURFACE_V4_RDM = _rdm(_SURFACE, "V4")
FMRI_SURFACE_IT_RDM = _rdm(_SURFACE, "IT")
FMRI_SURFACE_V1_RIDGE_LEGACY = _ridge_legacy(_SURFACE, "V1")
FMRI_SURFACE_V2_RIDGE_LEGACY = _ridge_legacy(_SURFACE, "V2")
FMRI_SURFACE_V4_RIDGE_LEGACY = _ridge_legacy(_SURFACE, "V4")
FMRI_SURFACE_IT_RIDGE_LEGACY = _ridge_legacy(_SURFACE, "IT")
FMRI_SURFACE_4SUBJ_V1_RIDGE = _ridge(_SURFACE_4, "V1")
FMRI_SURFACE_4SUBJ_V2_RIDGE = _ridge(_SURFACE_4, "V2")
FMRI_SURFACE_4SUBJ_V4_RIDGE = _ridge(_SURFACE_4, "V4")
FMRI_SURFACE_4SUBJ_IT_RIDGE = _ridge(_SURFACE_4, "IT")
FMRI_SURFACE_4SUBJ_V1_RDM = _rdm(_SURFACE_4, "V1")
FMRI_SURFACE_4SUBJ_V2_RDM = _rdm(_SURFACE_4, "V2")
FMRI_SURFACE_4SUBJ_V4_RDM = _rdm(_SURFACE_4, "V4")
FMRI_SURFACE_4SUBJ_IT_RDM = _rdm(_SURFACE_4, "IT")
FMRI_SURFACE_4SUBJ_V1_RIDGE_LEGACY = _ridge_legacy(_SURFACE_4, "V1")
FMRI_SURFACE_4SUBJ_V2_RIDGE_LEGACY = _ridge_legacy(_SURFACE_4, "V2")
FMRI_SURFACE_4SUBJ_V4_RIDGE_LEGACY = _ridge_legacy(_SURFACE_4, "V4")
FMRI_SURFACE_4SUBJ_IT_RIDGE_LEGACY = _ridge_legacy(_SURFACE_4, "IT")
