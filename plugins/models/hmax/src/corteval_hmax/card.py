"""Cards of HMAX."""

from __future__ import annotations

from corteval.cards import ModelCard

_BIBTEX = """@article{riesenhuber1999hierarchical,
  title = {Hierarchical models of object recognition in cortex},
  author = {Riesenhuber, Maximilian and Poggio, Tomaso},
  journal = {Nature Neuroscience},
  volume = {2},
  number = {11},
  pages = {1019--1025},
  year = {1999}
}

@article{serre2007robust,
  title = {Robust Object Recognition with Cortex-Like Mechanisms},
  author = {Serre, Thomas and Wolf, Lior and Bileschi, Stanley and Riesenhuber, Maximilian and
            Poggio, Tomaso},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume = {29},
  number = {3},
  pages = {411--426},
  year = {2007}
}"""

#: Values of 400 patches of each size, with four orientations.
_PARAMETERS = 4 * 400 * sum(size**2 for size in range(2, 17, 2))

HMAX = ModelCard(
    identifier="hmax",
    factory="corteval_hmax.model:build",
    options={"identifier": "hmax"},
    summary="HMAX: simple and complex cells, 8 x 400 patches; patches or images to be given",
    licence="MIT",
    bibtex=_BIBTEX,
    parameters=_PARAMETERS,
)

HMAX_RANDOM_PATCHES = ModelCard(
    identifier="hmax-random-patches",
    factory="corteval_hmax.model:build_random",
    options={"identifier": "hmax-random-patches"},
    summary="Control: HMAX with random patches; tests the arithmetic, is not HMAX as published",
    licence="MIT",
    bibtex=_BIBTEX,
    parameters=_PARAMETERS,
)
