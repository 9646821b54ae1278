"""A ``.keras`` file, a zip of JSON and HDF5 by a stranger, read without Keras and without trust.

Nothing is unpacked to the disk and nothing in the file is code to us. Of the HDF5 part, arrays are
read only where the architecture says that there are some, in the shape it says, and from the file
itself: links to other files, virtual and externally stored data sets and filters are refused.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from corteval.cards import human_size
from corteval.errors import CortevalError, WrongContent
from corteval_v4compact.architecture import Architecture, Kind
from corteval_v4compact.keras_config import architecture, shown

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MOST_BYTES = {_CONFIG: 4 * 2**20, _WEIGHTS: 256 * 2**20}
_MOST_MEMBERS = 100

#: Groups of the HDF5 part are called after Keras's classes; the second of a class is ``conv2d_1``.
_GROUPS: Mapping[Kind, str] = {
    "conv": "conv2d",
    "separable": "separable_conv2d",
    "depthwise": "depthwise_conv2d",
    "norm": "batch_normalization",
    "activation": "activation",
    "flatten": "flatten",
    "dense": "dense",
}


class KerasFile(NamedTuple):
    """Content of a ``.keras`` file.

    Args:
        architecture: the network.
        weights: by layer, arrays as Keras lays them out, float32.
    """

    architecture: Architecture
    weights: Mapping[str, tuple[np.ndarray, ...]]


def read(path: Path) -> KerasFile:
    """Read network and weights.

    Raises:
        WrongContent: names the file and what is wrong with it.
    """
    try:
        members = _members(path)
        network = architecture(members[_CONFIG])
        return KerasFile(network, _weights(members[_WEIGHTS], network))
    except CortevalError as error:
        raise WrongContent(f"{path} cannot be used: {error}") from error


def _members(path: Path) -> dict[str, bytes]:
    """The two members that matter, read up to a limit whatever the headers say."""
    try:
        if path.stat().st_size > sum(_MOST_BYTES.values()):
            raise WrongContent(f"It has {human_size(path.stat().st_size)}, too many for a network.")
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()]
            if len(names) > _MOST_MEMBERS:
                raise WrongContent(f"It has {len(names)} members; a .keras file has three.")
            for name in _MOST_BYTES:
                if names.count(name) != 1:
                    raise WrongContent(
                        f"It has {names.count(name)} members called {name}; a .keras file of Keras "
                        "3 has one."
                    )
            return {name: _read_member(archive, name) for name in _MOST_BYTES}
    except CortevalError:
        raise
    except Exception as error:  # what zipfile raises for a damaged file has no common base
        raise WrongContent(
            f"It is no readable .keras file, which is a zip: {ascii(str(error))[1:-1]}."
        ) from error


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise WrongContent(f"{name} is compressed by another method than deflate.")
    most = _MOST_BYTES[name]
    with archive.open(info) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise WrongContent(f"{name} is larger than {human_size(most)}.")
    return content


def _weights(content: bytes, network: Architecture) -> dict[str, tuple[np.ndarray, ...]]:
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return {
                name: tuple(_array(file, place, shape) for place, shape in places)
                for name, places in _places(network)
            }
    except CortevalError:
        raise
    except Exception as error:  # nor has what h5py raises
        raise WrongContent(f"{_WEIGHTS} is damaged: {ascii(str(error))[1:-1]}.") from error


def _places(network: Architecture) -> Iterator[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
    """Where the arrays of each layer lie, and their shapes."""
    shapes, count = network.weights(), Counter[str]()
    for layer in network.layers:
        group = _GROUPS[layer.kind]
        suffix = f"_{count[group]}" if count[group] else ""
        count[group] += 1
        folder = f"layers/{group}{suffix}/vars"
        yield layer.name, [(f"{folder}/{n}", shape) for n, shape in enumerate(shapes[layer.name])]


def _array(file: h5py.File, place: str, shape: tuple[int, ...]) -> np.ndarray:
    """One array, from the file itself, if it is there in the shape expected."""
    node: h5py.Group | h5py.Dataset = file
    for part in place.split("/"):
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        if link is None:
            raise WrongContent(f"{_WEIGHTS} has no {place}; files of other versions are not read.")
        if not isinstance(link, h5py.HardLink):
            raise WrongContent(f"{place} is a link to {shown(getattr(link, 'path', ''))}.")
        node = node[part]
    if not isinstance(node, h5py.Dataset) or node.shape != shape or node.dtype.kind != "f":
        found = f"{node.dtype} of shape {node.shape}" if isinstance(node, h5py.Dataset) else "none"
        raise WrongContent(f"{place} should be an array of shape {shape}; it is {found}.")
    if node.is_virtual or node.external or node.id.get_create_plist().get_nfilters():
        raise WrongContent(f"{place} lies elsewhere, or behind a filter; plain arrays are read.")
    values = np.asarray(node[()], np.float32)
    if not np.isfinite(values).all():
        raise WrongContent(f"{place} holds values that are not finite.")
    return values
