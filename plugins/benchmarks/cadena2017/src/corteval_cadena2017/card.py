"""Cards of the V1 benchmark, and of the images that all its neurons were shown."""

from __future__ import annotations

from typing import Any

from corteval.cards import RECORDING_CONTROLS, BenchmarkCard, DataCard, Resource

CADENA2019 = """@article{cadena2019deep,
  title = {Deep convolutional models improve predictions of macaque V1 responses to natural images},
  author = {Cadena, Santiago A. and Denfield, George H. and Walker, Edgar Y. and Gatys, Leon A. and
            Tolias, Andreas S. and Bethge, Matthias and Ecker, Alexander S.},
  journal = {PLOS Computational Biology},
  volume = {15},
  number = {4},
  pages = {e1006897},
  year = {2019},
  doi = {10.1371/journal.pcbi.1006897}
}"""

VISUAL_DEGREES, TRIALS = 2, 2

_CEILING = (
    "the ceiling is computed from the variance between and within images, since too few trials "
    "were recorded from all neurons together for the halves that were published with"
)


def _card(
    metric: str, words: str, *notes: str, order: str = "ids", **options: Any
) -> BenchmarkCard:
    return BenchmarkCard(
        identifier=f"Cadena2017-{metric}",
        factory="corteval.benchmark:NeuralBenchmark",
        summary=f"Macaque V1, 6,249 photographs and textures: {words}",
        licence="MIT",
        bibtex=CADENA2019,
        data=("Cadena2017",),
        metric="pls",
        ceiling="ncsnr",
        target="V1",
        species="macaque",
        parent="V1",
        controls=RECORDING_CONTROLS["image"],
        options={
            "model_trials": TRIALS,
            "data_options": {"visual_degrees": VISUAL_DEGREES},
            "metric_options": {"cross_validation": {"order": order}},
            "notes": (*notes, _CEILING),
            **options,
        },
    )


PLS = _card("pls", "PLS, explained variance over reliability")
PLS_LEGACY = _card(
    "pls-legacy",
    "PLS, splits by the order of rows as published; r^2/c",
    "legacy: splits follow the order of the data's rows",
    order="rows",
)

_BUCKET = "https://brainscore-storage.s3.amazonaws.com/brainio-brainscore"
_LICENCE = "none recorded in the registry"


def _pinned(name: str, sha1: str) -> Resource:
    """A file of Brain-Score's archive, whose registry gives no size."""
    return Resource(url=f"{_BUCKET}/{name}", sha1=sha1, licence=_LICENCE)


DATA = DataCard(
    identifier="Cadena2017",
    factory="corteval_cadena2017.data:Cadena2017",
    summary="Macaque V1: the images of brainscore/Cadena2017 that every neuron responded to",
    licence=_LICENCE,
    bibtex=CADENA2019,
    resources=(
        _pinned("assy_tolias_Cadena2017.nc", "69bcaaa9370dceb0027beaa06235ef418c3d7063"),
        _pinned("stimulus_Cadena2017.csv", "f55b174cc4540e5612cfba5e695324328064b051"),
        _pinned("stimulus_Cadena2017.zip", "88cc2ce3ef5e197ffd1477144a2e6a68d424ef6c"),
    ),
    species="macaque",
    notes=(
        "The files are those of brainscore/Cadena2017. Metadata of Brain-Score's benchmarks call "
        "them public; nobody tried the address here.",
        "Images that some neuron was never shown are left out.",
    ),
)
