"""Builds the compact V4 networks as subjects."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from corteval.errors import OptionError, WrongContent
from corteval.fetch import fetch
from corteval.model import LayerCommitment
from corteval_pytorch import Preprocessing, commit, initialised
from corteval_v4compact.architecture import Architecture, compact
from corteval_v4compact.card import WEIGHTS
from corteval_v4compact.keras_file import KerasFile, read
from corteval_v4compact.network import FEATURES, CompactNetwork, initialise, load

#: Mean colour of the authors' 12 million images, taken off pixels from 0 to 255 (spec real-data
#: 2.1; the authors' ``classes/class_images.py``).
MEAN_PIXEL = (116.222, 109.270, 100.381)

#: Sessions in the order of the outputs, with their animal and number of neurons (the authors'
#: ``data_V4_responses/readme.txt`` and ``script5_compute_R2s_shared_compact_models.py``).
SESSIONS = (("190923", "WE", 33), ("201025", "PE", 89), ("210225", "PE", 55), ("211022", "RA", 42))

_OUTPUT = "output_responses"
_NEURONS = sum(count for _, _, count in SESSIONS)
_FITTED_TO_V4 = (
    "the network's teacher was fitted to V4 recordings of the same laboratory in other sessions, "
    "one of them with images of the same set"
)


def build(
    teacher: str,
    weights: str | Path | None = None,
    sha256: str | None = None,
    layers: Mapping[str, Any] | None = None,
    visual_degrees: float = 8.0,
) -> LayerCommitment:
    """A distilled network.

    Args:
        teacher: key of `corteval_v4compact.card.WEIGHTS`.
        weights: a local ``.keras`` file of the same repository to use instead of the pinned one.
        sha256: of that file; refused if it is another.
        layers: what answers each recording target, as `corteval_pytorch.commit` takes it; V4 by
            ``features`` if None. ``output_responses`` are the 219 predicted neurons.
        visual_degrees: field of view; the authors do not state the size of their images.
    """
    if teacher not in WEIGHTS:
        raise OptionError(f"There is no teacher {teacher!r}; known are {', '.join(WEIGHTS)}.")
    if weights is None:
        if sha256 is not None:
            raise OptionError("sha256 belongs to a local file: give weights= too.")
        content = read(fetch(WEIGHTS[teacher]))
        notes = (_FITTED_TO_V4,) if teacher in {"ensemble", "linear"} else ()
    else:
        content, note = _local(Path(weights).expanduser(), sha256)
        notes = (note,)
    network = CompactNetwork(content.architecture)
    load(network, content.weights)
    return _subject(
        network,
        content.architecture,
        identifier=f"v4compact-{teacher}",
        layers=layers,
        visual_degrees=visual_degrees,
        notes=notes,
    )


def build_untrained(
    seed: int = 0,
    filters: int = 50,
    layers: Mapping[str, Any] | None = None,
    visual_degrees: float = 8.0,
) -> LayerCommitment:
    """The published architecture with random weights.

    Args:
        seed: of the weights.
        filters: of the first three layers; 5, 10, 25, 35, 50, 75, 100 and 200 were published.
        layers, visual_degrees: as in `build`.
    """
    if not 1 <= filters <= 1000:
        raise OptionError(f"A compact network has 1 to 1000 filters, not {filters}.")
    architecture = compact(filters=filters)
    with initialised(seed):
        network = CompactNetwork(architecture)
        initialise(network)
    return _subject(
        network,
        architecture,
        identifier="v4compact-untrained",
        layers=layers,
        visual_degrees=visual_degrees,
        notes=(f"random weights (seed {seed})",),
    )


def preprocessing(architecture: Architecture) -> Preprocessing:
    """Images squeezed to the network's size, pixels from 0 to 255 less the mean colour.

    Images of another size are resized as the authors do, by Pillow's bicubic filter.
    """
    height, width, channels = architecture.input_shape
    if height != width or channels != len(MEAN_PIXEL):
        raise OptionError(
            f"The network takes images of {height} x {width} x {channels}; compact V4 networks "
            "take square RGB images."
        )
    return Preprocessing(
        size=height,
        resize="squash",
        interpolation="bicubic",
        mean=tuple(value / 255 for value in MEAN_PIXEL),
        std=(1 / 255,) * 3,
    )


def neurons() -> dict[str, np.ndarray]:
    """Which recorded neuron each of the 219 outputs stands for."""
    rows = [(name, animal, n) for name, animal, count in SESSIONS for n in range(count)]
    session, animal, number = zip(*rows, strict=True)
    return {
        "session": np.array(session),
        "subject": np.array(animal),
        "neuron": np.array(number),
    }


def _local(path: Path, sha256: str | None) -> tuple[KerasFile, str]:
    """A file of the user's, and a note that says which."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OptionError(f"The weights {path} cannot be read: {error.strerror}.") from error
    if sha256 is not None and digest != sha256.lower():
        raise WrongContent(f"{path} has the SHA-256 {digest}, not {sha256}; get the file anew.")
    return read(path), f"weights of the local file {path.name} (SHA-256 {digest[:12]}...)"


def _subject(
    network: CompactNetwork,
    architecture: Architecture,
    *,
    identifier: str,
    layers: Mapping[str, Any] | None,
    visual_degrees: float,
    notes: tuple[str, ...],
) -> LayerCommitment:
    if layers is None and network.pooled is None:
        raise OptionError(
            f"The network of {identifier} has no map before a read-out to pool; name a layer: "
            f"layers={{'V4': '{network.names[-1]}'}}."
        )
    outputs = architecture.shapes().get(_OUTPUT)
    return commit(
        network,
        preprocessing(architecture),
        {"V4": FEATURES} if layers is None else layers,
        identifier=identifier,
        visual_degrees=visual_degrees,
        notes=notes,
        coordinates={_OUTPUT: neurons()} if outputs == (_NEURONS,) else {},
    )
