"""Card of the score table of Schrimpf et al. 2021."""

from __future__ import annotations

from corteval.cards import DataCard, Resource

_LICENCE = "MIT"

SCORES = Resource(
    url="https://raw.githubusercontent.com/mschrimpf/neural-nlp/"
    "6e1a989b24fff0ffd7cac67d880a94136c4b4fb5/precomputed-scores.csv",
    sha256="439eec1a2d57ce40020b162efbd5c3b5769d6868c41a6c1aa031c2b5b494514d",
    size=395_284,
    licence=_LICENCE,
)

PNAS2021 = DataCard(
    identifier="PNAS2021",
    factory="corteval_pnas2021.data:PNAS2021",
    summary="4,885 scores of 88 language models, layer by layer, on 13 benchmarks; no stimuli",
    licence=_LICENCE,
    bibtex="""@article{schrimpf2021neural,
  title = {The neural architecture of language: Integrative modeling converges on predictive
           processing},
  author = {Schrimpf, Martin and Blank, Idan Asher and Tuckute, Greta and Kauf, Carina and
            Hosseini, Eghbal A. and Kanwisher, Nancy and Tenenbaum, Joshua B. and
            Fedorenko, Evelina},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {118},
  number = {45},
  pages = {e2105646118},
  year = {2021},
  doi = {10.1073/pnas.2105646118}
}""",
    modality="text",
    notes=(
        "Scores are over their ceilings and not clipped: some are above 1.",
        "wikitext-2 is a loss (nats per token): lower is better.",
        "Scores of skip-thoughts and lm_1b without training on wikitext-2 equal those with it; "
        "albert without training exceeds 1 on Fedorenko2016; 8 scores are missing.",
    ),
    resources=(SCORES,),
)
