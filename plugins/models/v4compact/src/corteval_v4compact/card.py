"""Cards of the compact V4 networks whose published files are pinned."""

from __future__ import annotations

from collections.abc import Mapping

from corteval.cards import ModelCard, Resource

_ROOT = (
    "https://raw.githubusercontent.com/cowleygroup/V4_compact_models/"
    "f4552ad9d34a466ebc66658f72a08a8e5038f1cf/data_shared_compact_models"
)
_LICENCE = "GPL-3.0-only"
_BUILD = "corteval_v4compact.model:build"
_PARAMETERS = 225_084
_BIBTEX = """@article{cowley2023compact,
  title = {Compact deep neural network models of visual cortex},
  author = {Cowley, Benjamin R. and Stan, Patricia L. and Pillow, Jonathan W. and
            Smith, Matthew A.},
  journal = {bioRxiv},
  year = {2023},
  doi = {10.1101/2023.11.22.568315}
}"""

#: Recording sessions whose neurons the outputs stand for; the first half of their images was used
#: to map each teacher to the neurons.
_MAPPED = frozenset(f"Cowley2023.{name}" for name in ("190923", "201025", "210225", "211022"))


def _weights(teacher: str, sha256: str, size: int = 974_921) -> Resource:
    return Resource(
        url=f"{_ROOT}/{teacher}/shared_compact_model_50filters.keras",
        sha256=sha256,
        size=size,
        licence=_LICENCE,
    )


#: Published files by the name of what they were distilled from; only bytes we have seen.
WEIGHTS: Mapping[str, Resource] = {
    "ensemble": _weights(
        "from_ensemble_model",
        "ba7b80f2eefa4249a2a43a7f39f0308ffccdb318d5f59a08969f89c1c72ec4c2",
    ),
    "cornets": _weights(
        "from_cornets",
        "2bfb6a8a03d66b31fae1034c6904dd062738aa6ae1c27286bca115d210cf164a",
    ),
    "resnet50": _weights(
        "from_resnet50",
        "c1bd603ef9b28ce6395e7bac11629697d0bb79e789694cf89b643b017d1772f4",
    ),
    "linear": _weights(
        "linear_from_ensemble_model",
        "a337fd95a014e20857f46717f4e982e6b9f2801b429c1dc8f68df6d5d8a26d41",
        963_369,
    ),
}


def _card(name: str, words: str) -> ModelCard:
    return ModelCard(
        identifier=f"v4compact-{name}",
        factory=_BUILD,
        options={"teacher": name},
        summary=f"Compact V4 network, 50 filters, {words}",
        licence=_LICENCE,
        bibtex=_BIBTEX,
        resources=(WEIGHTS[name],),
        parameters=_PARAMETERS,
        training_data=_MAPPED,
    )


ENSEMBLE = _card("ensemble", "distilled from an ensemble fitted to V4")
CORNETS = _card("cornets", "distilled from a middle layer of CORnet-S")
RESNET50 = _card("resnet50", "distilled from a middle layer of ResNet-50")
LINEAR = _card("linear", "distilled from the V4 ensemble, without rectification")

UNTRAINED = ModelCard(
    identifier="v4compact-untrained",
    factory="corteval_v4compact.model:build_untrained",
    summary="Compact V4 network, 50 filters, random weights",
    licence="MIT",
    bibtex=_BIBTEX,
    parameters=_PARAMETERS,
)
