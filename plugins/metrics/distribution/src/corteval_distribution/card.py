"""Cards of the distribution metrics."""

from __future__ import annotations

from corteval.cards import MetricCard

_MARQUES = """@article{marques2021multiscale,
  title = {Multi-scale hierarchical neural network models that bridge from single neurons in the
           primate primary visual cortex to object recognition behavior},
  author = {Marques, Tiago and Schrimpf, Martin and DiCarlo, James J.},
  journal = {bioRxiv},
  year = {2021},
  doi = {10.1101/2021.03.01.433495}
}"""

KS_SIMILARITY = MetricCard(
    identifier="ks_similarity",
    factory="corteval_distribution.ks:KSSimilarity",
    summary="Kolmogorov-Smirnov similarity of a unit property to measured units, over draws",
    licence="MIT",
    bibtex=_MARQUES,
    bounds=(0.0, 1.0),
    missing="omitted",
    takes="other",
    example="corteval_distribution.ks:example",
)

KS_SIMILARITY_EXACT = MetricCard(
    identifier="ks_similarity-exact",
    factory="corteval_distribution.ks:KSSimilarity",
    summary="Kolmogorov-Smirnov similarity of a unit property to measured units, all units at once",
    licence="MIT",
    bibtex=_MARQUES,
    options={"exact": True},
    bounds=(0.0, 1.0),
    missing="omitted",
    takes="other",
    example="corteval_distribution.ks:example",
)
