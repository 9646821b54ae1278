"""Cards of the ceilings."""

from __future__ import annotations

from typing import Any

from corteval.cards import MetricCard

_SPEARMAN_BROWN = """@article{spearman1910correlation,
  title = {Correlation calculated from faulty data},
  author = {Spearman, Charles},
  journal = {British Journal of Psychology},
  volume = {3},
  number = {3},
  pages = {271--295},
  year = {1910}
}

@article{brown1910experimental,
  title = {Some experimental results in the correlation of mental abilities},
  author = {Brown, William},
  journal = {British Journal of Psychology},
  volume = {3},
  number = {3},
  pages = {296--322},
  year = {1910}
}"""

_NILI = """@article{nili2014toolbox,
  title = {A toolbox for representational similarity analysis},
  author = {Nili, Hamed and Wingfield, Cai and Walther, Alexander and Su, Li and
            Marslen-Wilson, William and Kriegeskorte, Nikolaus},
  journal = {PLoS Computational Biology},
  volume = {10},
  number = {4},
  pages = {e1003553},
  year = {2014}
}"""

_ALLEN = """@article{allen2022massive,
  title = {A massive 7T fMRI dataset to bridge cognitive neuroscience and artificial intelligence},
  author = {Allen, Emily J. and St-Yves, Ghislain and Wu, Yihan and others},
  journal = {Nature Neuroscience},
  volume = {25},
  pages = {116--126},
  year = {2022}
}"""

_SCHRIMPF = """@article{schrimpf2021neural,
  title = {The neural architecture of language: Integrative modeling converges on predictive
           processing},
  author = {Schrimpf, Martin and Blank, Idan Asher and Tuckute, Greta and Kauf, Carina and
            Hosseini, Eghbal A. and Kanwisher, Nancy and Tenenbaum, Joshua B. and
            Fedorenko, Evelina},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {118},
  number = {45},
  pages = {e2105646118},
  year = {2021}
}"""

_SUBJECTS = "corteval_ceilings.examples:subjects"


def _card(
    identifier: str,
    factory: str,
    summary: str,
    *,
    bibtex: str = "",
    by: str | None = None,
    **options: Any,
) -> MetricCard:
    return MetricCard(
        identifier=identifier,
        factory=f"corteval_ceilings.{factory}",
        summary=summary,
        licence="MIT",
        role="ceiling",
        bibtex=bibtex,
        takes="neural" if by else "trials",
        needs=("subject",) if by else (),
        example=by,
        options=options,
    )


INTERNAL_CONSISTENCY = _card(
    "internal_consistency",
    "internal_consistency:InternalConsistency",
    "Split-half reliability over trials with Spearman-Brown correction",
    bibtex=_SPEARMAN_BROWN,
)

PREDICTOR_CONSISTENCY = _card(
    "predictor_consistency",
    "predictor_consistency:PredictorConsistency",
    "Split-half reliability with halves drawn for each stimulus, for unequal numbers of trials",
    bibtex=_SPEARMAN_BROWN,
)

NCSNR = _card(
    "ncsnr",
    "ncsnr:NoiseCeilingSNR",
    "Noise ceiling from the signal-to-noise ratio of single trials",
    bibtex=_ALLEN,
)

NCSNR_SQRT = _card(
    "ncsnr-sqrt",
    "ncsnr:NoiseCeilingSNR",
    "Square root of the noise ceiling: the correlation that the noiseless response has",
    bibtex=_ALLEN,
    root=True,
)

RSA_UPPER = _card(
    "rsa_upper",
    "rsa:RSANoiseCeiling",
    "Similarity of subjects' RDMs to the mean RDM of all subjects",
    bibtex=_NILI,
    by=_SUBJECTS,
    bound="upper",
)

RSA_LOWER = _card(
    "rsa_lower",
    "rsa:RSANoiseCeiling",
    "Similarity of subjects' RDMs to the mean RDM of the other subjects",
    bibtex=_NILI,
    by=_SUBJECTS,
    bound="lower",
)

HUMAN_HUMAN = _card(
    "human_human",
    "human_human:HumanHuman",
    "Correlation of each subject with the mean of the others",
    by=_SUBJECTS,
    scheme="one-out",
)

HUMAN_HUMAN_PAIRS = _card(
    "human_human-pairs",
    "human_human:HumanHuman",
    "Correlation between each two subjects",
    by=_SUBJECTS,
    scheme="pairs",
)

SUBJECT_EXTRAPOLATION = _card(
    "subject_extrapolation",
    "subject_extrapolation:SubjectExtrapolation",
    "Score of infinitely many subjects as predictors of another, by extrapolation",
    bibtex=_SCHRIMPF,
    by=_SUBJECTS,
)

SUBJECT_HALVES = _card(
    "subject_halves",
    "across_subjects:halves",
    "Split-half reliability of the mean over subjects, with Spearman-Brown correction",
    bibtex=_SPEARMAN_BROWN,
    by=_SUBJECTS,
)

SUBJECT_NCSNR = _card(
    "subject_ncsnr",
    "across_subjects:signal_to_noise",
    "Noise ceiling of the mean over subjects, from the variance between them",
    bibtex=_ALLEN,
    by=_SUBJECTS,
)
