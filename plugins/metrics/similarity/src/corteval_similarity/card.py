"""Cards of the metrics that compare representations without fitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corteval.cards import MetricCard

_NILI = """@article{nili2014,
  title = {A toolbox for representational similarity analysis},
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and
            Marslen-Wilson, William and Kriegeskorte, Nikolaus},
  journal = {PLoS Computational Biology}, volume = {10}, number = {4}, year = {2014}}"""
_RSA = """@article{kriegeskorte2008,
  title = {Representational similarity analysis: connecting the branches of systems neuroscience},
  author = {Kriegeskorte, Nikolaus and Mur, Marieke and Bandettini, Peter},
  journal = {Frontiers in Systems Neuroscience}, volume = {2}, year = {2008}}"""
_WHITENED = """@article{diedrichsen2021,
  title = {Comparing representational geometries using whitened unbiased-distance-matrix
           similarity},
  author = {Diedrichsen, J{\\"o}rn and Berlot, Eva and Mur, Marieke and Sch{\\"u}tt, Heiko H. and
            Shahbazi, Mahdiyar and Kriegeskorte, Nikolaus},
  journal = {Neurons, Behavior, Data analysis, and Theory}, volume = {5}, number = {3},
  year = {2021}}"""
_CROSSNOBIS = """@article{walther2016,
  title = {Reliability of dissimilarity measures for multi-voxel pattern analysis},
  author = {Walther, Alexander and Nili, Hamed and Ejaz, Naveed and Alink, Arjen and
            Kriegeskorte, Nikolaus and Diedrichsen, J{\\"o}rn},
  journal = {NeuroImage}, volume = {137}, year = {2016}}"""
_CKA = """@inproceedings{kornblith2019,
  title = {Similarity of neural network representations revisited},
  author = {Kornblith, Simon and Norouzi, Mohammad and Lee, Honglak and Hinton, Geoffrey},
  booktitle = {International Conference on Machine Learning}, year = {2019}}"""
_HSIC = """@article{song2012,
  title = {Feature selection via dependence maximization},
  author = {Song, Le and Smola, Alex and Gretton, Arthur and Bedo, Justin and Borgwardt, Karsten},
  journal = {Journal of Machine Learning Research}, volume = {13}, year = {2012}}"""
_PROCRUSTES = """@inproceedings{williams2021,
  title = {Generalized shape metrics on neural representations},
  author = {Williams, Alex H. and Kunz, Erin and Kornblith, Simon and Linderman, Scott W.},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2021}}"""

#: Nothing is fitted, so nothing is trained on: each subset is the larger part of a random split,
#: and groups of stimuli may lie on both sides.
_SUBSETS = {"cross_validation": {"folds": "shuffle", "train_size": 0.1, "group_by": None}}


def _card(
    identifier: str,
    compared_by: str,
    summary: str,
    bibtex: str,
    *,
    symmetric: bool = True,
    options: Mapping[str, Any] | None = None,
    **fields: Any,
) -> MetricCard:
    return MetricCard(
        identifier=identifier,
        factory=f"corteval_similarity.metric:{compared_by}",
        summary=summary,
        licence="MIT",
        bibtex=bibtex,
        symmetric=symmetric,
        options=options or {},
        **fields,
    )


def _rdm(identifier: str, words: str, bibtex: str, **options: str) -> MetricCard:
    return _card(identifier, "rdm", f"RSA: {words}", bibtex, options=options)


RDM = _rdm("rdm", "Spearman correlation of correlation-distance RDMs", _RSA)
RDM_PEARSON = _rdm(
    "rdm-pearson", "Pearson correlation of correlation-distance RDMs", _RSA, comparison="pearson"
)
RDM_KENDALL = _rdm(
    "rdm-kendall", "Kendall's tau-a of correlation-distance RDMs", _NILI, comparison="kendall"
)
RDM_COSINE = _rdm("rdm-cosine", "cosine of correlation-distance RDMs", _RSA, comparison="cosine")
RDM_WHITENED_COSINE = _rdm(
    "rdm-whitened_cosine",
    "cosine of correlation-distance RDMs, whitened by the covariance of distances",
    _WHITENED,
    comparison="whitened cosine",
)
RDM_CV = _card(
    "rdm_cv",
    "rdm",
    "RSA as rdm, mean over ten random subsets of nine tenths of the stimuli",
    _RSA,
    options=_SUBSETS,
    cross_validated=True,
)
CROSSNOBIS = _card(
    "crossnobis",
    "rdm",
    "RSA: whitened cosine of unbiased Mahalanobis distances and the model's Euclidean ones",
    f"{_CROSSNOBIS}\n{_WHITENED}",
    symmetric=False,
    options={"distance": "crossnobis", "comparison": "whitened cosine"},
    takes="trials",
    example="corteval_similarity.example:trials",
)

CKA = _card("cka", "cka", "Linear centred kernel alignment, debiased", f"{_CKA}\n{_HSIC}")
CKA_BIASED = _card(
    "cka-biased",
    "cka",
    "Linear centred kernel alignment, biased: near 1 where units outnumber stimuli",
    _CKA,
    options={"debiased": False},
    bounds=(0.0, 1.0),
)
CKA_CV = _card(
    "cka_cv",
    "cka",
    "Debiased CKA, mean over ten random subsets of nine tenths of the stimuli",
    f"{_CKA}\n{_HSIC}",
    options=_SUBSETS,
    cross_validated=True,
)

PROCRUSTES = _card(
    "procrustes",
    "procrustes",
    "Cosine of the Procrustes angle: similarity after the best rotation",
    _PROCRUSTES,
    bounds=(0.0, 1.0),
)
