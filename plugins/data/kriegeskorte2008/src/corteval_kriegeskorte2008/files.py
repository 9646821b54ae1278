"""What the published .mat files hold, as arrays in float64."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pandas as pd
from scipy.io import loadmat
from scipy.spatial.distance import squareform

from corteval.cards import Resource
from corteval.fetch import fetch
from corteval_kriegeskorte2008.card import BEHAVIOUR_RDMS, HUMAN_IT_RDMS, MODEL_RDMS, SUPPLEMENT

IMAGES = 92

#: The files number the images and give no names.
STIMULUS_IDS = tuple(f"92objs-{number:02d}" for number in range(1, IMAGES + 1))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Photographs:
    """Images by stimulus id, uint8 (175, 175, 3), on grey 128."""

    pixels: Mapping[str, np.ndarray]

    def __call__(self, stimulus_id: str) -> np.ndarray:
        """RGB pixels, not to be written to."""
        return self.pixels[stimulus_id]


def photographs() -> Photographs:
    """The 92 images."""
    pixels = {}
    for stimulus_id, item in zip(STIMULUS_IDS, _load(SUPPLEMENT, "stimuli_92objs"), strict=True):
        image = np.ascontiguousarray(item["image"])
        image.setflags(write=False)
        pixels[stimulus_id] = image
    return Photographs(pixels=pixels)


def categories() -> pd.DataFrame:
    """Labels of the images: ``category``, and whether an image belongs to each of the others.

    `human`, `face`, `animal` and `natural` are fields of the images, the rest columns of
    ``categoryVectors``, which repeats the first two.
    """
    items = _load(SUPPLEMENT, "stimuli_92objs")
    columns: dict[str, Any] = {"category": [_text(item["category"]) for item in items]}
    for name in ("human", "face", "animal", "natural"):
        columns[name] = [bool(item[name].item()) for item in items]
    names = [_text(name) for name in _load(SUPPLEMENT, "categoryLabels")]
    vectors = _load(SUPPLEMENT, "categoryVectors", rows=IMAGES)
    for name, belongs in zip(names, vectors.T.astype(bool), strict=True):
        columns.setdefault(name, belongs)
    return pd.DataFrame(columns, index=pd.Index(STIMULUS_IDS, name="stimulus_id"))


def human_it() -> dict[tuple[str, int], np.ndarray]:
    """RDMs (stimulus, stimulus) by subject and session, 1 or 2."""
    found = {}
    for rdm in _load(HUMAN_IT_RDMS, "RDMs").ravel():  # 4 subjects x 2 sessions
        _, subject, session = _text(rdm["name"]).split(" | ")  # hIT | BE | Session: 1
        found[subject, int(session.removeprefix("Session: "))] = _square(rdm["RDM"])
    return found


def monkey_it() -> np.ndarray:
    """RDM (stimulus, stimulus) of 674 neurons: that of figure 1."""
    (rdm,) = (
        rdm["RDM"]
        for rdm in _load(SUPPLEMENT, "RDMs_mIT_hIT_fig1")
        if _text(rdm["name"]) == "mIT_674neurons"
    )
    return _square(squareform(rdm.ravel()))


def behaviour() -> dict[str, np.ndarray]:
    """RDMs (stimulus, stimulus) by subject."""
    return {
        _text(rdm["name"]).removeprefix("simJudge | "): _square(rdm["RDM"])
        for rdm in _load(BEHAVIOUR_RDMS, "rdms_behav_92")
    }


def models() -> dict[str, np.ndarray]:
    """RDMs (stimulus, stimulus) by the publisher's name of the model."""
    return {_text(rdm["name"]): _square(rdm["RDM"]) for rdm in _load(MODEL_RDMS, "Models")}


def _load(resource: Resource, variable: str, rows: int = 1) -> np.ndarray:
    """A variable of a file of MATLAB's version 5, without the leading axis of its row vectors."""
    content = loadmat(fetch(resource), variable_names=[variable])[variable]
    return np.asarray(content[0] if rows == 1 else content)


def _text(value: np.ndarray) -> str:
    return str(value.item())


def _square(rdm: np.ndarray) -> np.ndarray:
    """(stimulus, stimulus) in float64: two of the models' are uint8, whose sums overflow."""
    return np.asarray(rdm, np.float64).reshape(IMAGES, IMAGES)
