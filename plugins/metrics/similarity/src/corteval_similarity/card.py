"""Cards of the metrics that compare representations without fitting."""

from __future__ import annotations

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

RDM = MetricCard(
    identifier="rdm",
    factory="corteval_similarity.metric:rdm",
    summary="RSA: Spearman correlation of correlation-distance RDMs",
    licence="MIT",
    bibtex=_RSA,
    symmetric=True,
)

RDM_PEARSON = MetricCard(
    identifier="rdm-pearson",
    factory="corteval_similarity.metric:rdm",
    summary="RSA: Pearson correlation of correlation-distance RDMs",
    licence="MIT",
    bibtex=_RSA,
    options={"comparison": "pearson"},
    symmetric=True,
)

RDM_KENDALL = MetricCard(
    identifier="rdm-kendall",
    factory="corteval_similarity.metric:rdm",
    summary="RSA: Kendall's tau-a of correlation-distance RDMs",
    licence="MIT",
    bibtex=_NILI,
    options={"comparison": "kendall"},
    symmetric=True,
)

RDM_COSINE = MetricCard(
    identifier="rdm-cosine",
    factory="corteval_similarity.metric:rdm",
    summary="RSA: cosine of correlation-distance RDMs",
    licence="MIT",
    bibtex=_RSA,
    options={"comparison": "cosine"},
    symmetric=True,
)

RDM_WHITENED_COSINE = MetricCard(
    identifier="rdm-whitened_cosine",
    factory="corteval_similarity.metric:rdm",
    summary="RSA: cosine of correlation-distance RDMs, whitened by the covariance of distances",
    licence="MIT",
    bibtex=_WHITENED,
    options={"comparison": "whitened cosine"},
    symmetric=True,
)

RDM_CV = MetricCard(
    identifier="rdm_cv",
    factory="corteval_similarity.metric:rdm",
    summary="RSA as rdm, mean over ten random subsets of nine tenths of the stimuli",
    licence="MIT",
    bibtex=_RSA,
    options=_SUBSETS,
    cross_validated=True,
    symmetric=True,
)

CROSSNOBIS = MetricCard(
    identifier="crossnobis",
    factory="corteval_similarity.metric:rdm",
    summary="RSA: whitened cosine of unbiased Mahalanobis distances and the model's Euclidean ones",
    licence="MIT",
    bibtex=f"{_CROSSNOBIS}\n{_WHITENED}",
    options={"distance": "crossnobis", "comparison": "whitened cosine"},
    takes="trials",
    example="corteval_similarity.example:trials",
)

CKA = MetricCard(
    identifier="cka",
    factory="corteval_similarity.metric:cka",
    summary="Linear centred kernel alignment, debiased",
    licence="MIT",
    bibtex=f"{_CKA}\n{_HSIC}",
    symmetric=True,
)

CKA_BIASED = MetricCard(
    identifier="cka-biased",
    factory="corteval_similarity.metric:cka",
    summary="Linear centred kernel alignment, biased: near 1 where units outnumber stimuli",
    licence="MIT",
    bibtex=_CKA,
    options={"debiased": False},
    bounds=(0.0, 1.0),
    symmetric=True,
)

CKA_CV = MetricCard(
    identifier="cka_cv",
    factory="corteval_similarity.metric:cka",
    summary="Debiased CKA, mean over ten random subsets of nine tenths of the stimuli",
    licence="MIT",
    bibtex=f"{_CKA}\n{_HSIC}",
    options=_SUBSETS,
    cross_validated=True,
    symmetric=True,
)

PROCRUSTES = MetricCard(
    identifier="procrustes",
    factory="corteval_similarity.metric:procrustes",
    summary="Cosine of the Procrustes angle: similarity after the best rotation",
    licence="MIT",
    bibtex=_PROCRUSTES,
    bounds=(0.0, 1.0),
    symmetric=True,
)
