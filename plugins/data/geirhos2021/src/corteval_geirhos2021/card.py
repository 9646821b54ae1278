"""Cards of the 17 sets of human trials of Geirhos et al. 2021."""

from __future__ import annotations

from pathlib import Path

from corteval.cards import DataCard, Resource
from corteval_geirhos2021.experiments import EXPERIMENTS, Experiment, Origin

_ROOT = (
    "https://raw.githubusercontent.com/bethgelab/model-vs-human/"
    "79ed7cd1d9ac3a114e71b6638f0a98bdd627316c/raw-data"
)
_IMAGENET = "ImageNet licence (https://image-net.org/download.php)"

#: As ``licenses/LICENSES_OVERVIEW.md`` of model-vs-human states it for each data set.
_LICENCES: dict[Origin, str] = {
    "ImageNet": _IMAGENET,
    "texture-vs-shape and ImageNet": _IMAGENET,
    "texture-vs-shape": "CC-BY-4.0",
    "ImageNet-Sketch": "MIT",
}
_OF_TRIALS = (
    "The publisher states this licence for the data set, and none for the trials apart from it."
)
_ABSENT = (
    "Human trials are downloaded. The images are not: stimuli() reads those that you provide, in "
    "a folder that the README of corteval-geirhos2021 describes."
)
_AT_HAND = (
    "The same trials with images that can be downloaded: Geirhos2019.cueconflict, Geirhos2019.edge "
    "and Geirhos2019.silhouette of corteval-geirhos2019."
)
_DEGREES = (
    "3 visual degrees: those of the published benchmarks. The authors' parameters of the colour "
    "experiment give the same: 256 pixels at 123 cm on a screen 30.2 cm and 1200 pixels high."
)

_GEIRHOS2021 = """@inproceedings{geirhos2021partial,
  title = {Partial success in closing the gap between human and machine vision},
  author = {Geirhos, Robert and Narayanappa, Kantharaju and Mitzkus, Benjamin and
            Thieringer, Tizian and Bethge, Matthias and Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {34},
  year = {2021}
}"""
_GEIRHOS2018 = """@inproceedings{geirhos2018generalisation,
  title = {Generalisation in humans and deep neural networks},
  author = {Geirhos, Robert and Medina Temme, Carlos R. and Rauber, Jonas and
            Sch{\\"u}tt, Heiko H. and Bethge, Matthias and Wichmann, Felix A.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {31},
  year = {2018}
}"""
_GEIRHOS2019 = """@inproceedings{geirhos2019imagenet,
  title = {{ImageNet}-trained {CNNs} are biased towards texture; increasing shape bias improves
           accuracy and robustness},
  author = {Geirhos, Robert and Rubisch, Patricia and Michaelis, Claudio and Bethge, Matthias and
            Wichmann, Felix A. and Brendel, Wieland},
  booktitle = {International Conference on Learning Representations},
  year = {2019}
}"""
_WANG2019 = """@inproceedings{wang2019learning,
  title = {Learning robust global representations by penalizing local predictive power},
  author = {Wang, Haohan and Ge, Songwei and Lipton, Zachary and Xing, Eric P.},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {32},
  year = {2019}
}"""

#: Where the images were first published.
_CITED: dict[Origin, str] = {
    "ImageNet": _GEIRHOS2018,
    "texture-vs-shape and ImageNet": _GEIRHOS2019,
    "texture-vs-shape": _GEIRHOS2019,
    "ImageNet-Sketch": _WANG2019,
}


def _pinned() -> dict[str, tuple[Resource, ...]]:
    files: dict[str, tuple[Resource, ...]] = dict.fromkeys(EXPERIMENTS, ())
    for line in Path(__file__).with_name("trials.txt").read_text().splitlines():
        sha256, size, path = line.split(" ")
        name = path.partition("/")[0]
        licence = _LICENCES[EXPERIMENTS[name].origin]
        file = Resource(url=f"{_ROOT}/{path}", sha256=sha256, size=int(size), licence=licence)
        files[name] += (file,)
    return files


#: Files of each experiment: one an observer.
TRIALS = _pinned()


def _card(name: str) -> DataCard:
    experiment = EXPERIMENTS[name]
    return DataCard(
        identifier=f"Geirhos2021.{name}",
        factory="corteval_geirhos2021.data:Geirhos2021",
        summary=(
            f"Decisions of {experiment.subjects} people on {experiment.stimuli} images "
            f"{experiment.change}"
        ),
        licence=_LICENCES[experiment.origin],
        bibtex=f"{_GEIRHOS2021}\n{_CITED[experiment.origin]}",
        options={"experiment": name},
        species="human",
        notes=tuple(_notes(experiment)),
        resources=TRIALS[name],
    )


def _notes(experiment: Experiment) -> list[str]:
    notes = [_ABSENT, *([_AT_HAND] if experiment.by_category else []), _OF_TRIALS, _DEGREES]
    if experiment.left_out:
        conditions = ", ".join(experiment.left_out)
        notes.append(
            f"The published benchmarks leave out condition{'s'[: len(experiment.left_out) - 1]} "
            f"{conditions}; the option conditions='benchmark' does so."
        )
    return notes


COLOUR = _card("colour")
CONTRAST = _card("contrast")
CUE_CONFLICT = _card("cue-conflict")
EDGE = _card("edge")
EIDOLON_I = _card("eidolonI")
EIDOLON_II = _card("eidolonII")
EIDOLON_III = _card("eidolonIII")
FALSE_COLOUR = _card("false-colour")
HIGH_PASS = _card("high-pass")
LOW_PASS = _card("low-pass")
PHASE_SCRAMBLING = _card("phase-scrambling")
POWER_EQUALISATION = _card("power-equalisation")
ROTATION = _card("rotation")
SILHOUETTE = _card("silhouette")
SKETCH = _card("sketch")
STYLIZED = _card("stylized")
UNIFORM_NOISE = _card("uniform-noise")
