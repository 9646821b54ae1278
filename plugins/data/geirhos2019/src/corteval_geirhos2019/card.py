"""Cards of the images and human trials of Geirhos et al. 2019."""

from __future__ import annotations

from pathlib import Path

from corteval.cards import DataCard, Resource

_IMAGES = (
    "https://raw.githubusercontent.com/rgeirhos/texture-vs-shape/"
    "ccd0c01d42c0a8a834e90ec141e7f24fa915dc23/stimuli"
)
_TRIALS = (
    "https://raw.githubusercontent.com/bethgelab/model-vs-human/"
    "79ed7cd1d9ac3a114e71b6638f0a98bdd627316c/raw-data"
)
#: Of the images: DATASET_LICENSE of texture-vs-shape. Of the trials: LICENSES_OVERVIEW.md of
#: model-vs-human, which states it for these three data sets.
_LICENCE = "CC-BY-4.0"

_BIBTEX = """@inproceedings{geirhos2019imagenet,
  title = {{ImageNet}-trained {CNNs} are biased towards texture; increasing shape bias improves
           accuracy and robustness},
  author = {Geirhos, Robert and Rubisch, Patricia and Michaelis, Claudio and Bethge, Matthias and
            Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}
@inproceedings{geirhos2021partial,
  title = {Partial success in closing the gap between human and machine vision},
  author = {Geirhos, Robert and Narayanappa, Kantharaju and Mitzkus, Benjamin and
            Thieringer, Tizian and Bethge, Matthias and Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {34},
  year = {2021}
}"""

_DEGREES = (
    "3 visual degrees: those of the published benchmarks. The authors' parameters give the same: "
    "224 pixels at 107 cm on a screen 30.2 cm and 1200 pixels high."
)
_OF_TRIALS = (
    "The trials come from model-vs-human, which states the licence CC BY 4.0 for the data set; "
    "texture-vs-shape states none for its raw data."
)
_SUBSET = (
    "320 of the 1,280 images: each of the 160 contents twice, with two textures; 20 for each "
    "shape and 20 for each texture. In none do both agree, as they do in 80 of the 1,280. The "
    "option `folder` takes all 1,280 from a clone of rgeirhos/texture-vs-shape."
)


def _pinned(name: str, root: str) -> dict[str, tuple[Resource, ...]]:
    """Files by their folder, from a list of SHA-256, size and path."""
    files: dict[str, list[Resource]] = {}
    for line in Path(__file__).with_name(name).read_text().splitlines():
        sha256, size, path = line.split(" ")
        file = Resource(url=f"{root}/{path}", sha256=sha256, size=int(size), licence=_LICENCE)
        files.setdefault(path.partition("/")[0], []).append(file)
    return {folder: tuple(found) for folder, found in files.items()}


#: Folder of texture-vs-shape in which the images of an experiment of model-vs-human lie.
FOLDERS = {
    "cue-conflict": "style-transfer-preprocessed-512",
    "edge": "edges",
    "silhouette": "filled-silhouettes",
}
#: Images, by that folder.
IMAGES = _pinned("images.txt", _IMAGES)
#: Trials, a file an observer, by experiment.
TRIALS = _pinned("trials.txt", _TRIALS)


def _card(identifier: str, experiment: str, summary: str, *notes: str) -> DataCard:
    return DataCard(
        identifier=identifier,
        factory="corteval_geirhos2019.data:Geirhos2019",
        summary=f"{summary}, with the decisions of ten people",
        licence=_LICENCE,
        bibtex=_BIBTEX,
        options={"experiment": experiment},
        species="human",
        notes=(*notes, _DEGREES, _OF_TRIALS),
        resources=(*IMAGES[FOLDERS[experiment]], *TRIALS[experiment]),
    )


CUE_CONFLICT = _card(
    "Geirhos2019.cueconflict",
    "cue-conflict",
    "320 images with the shape of one class and the texture of another",
    _SUBSET,
)
EDGE = _card("Geirhos2019.edge", "edge", "160 images reduced to edges")
SILHOUETTE = _card("Geirhos2019.silhouette", "silhouette", "160 images reduced to silhouettes")
