"""Patches of S2: read from a file, drawn from images, or drawn at random.

A file is an ``.npz`` of eight arrays ``size_2``, ``size_4``, ..., ``size_16``, each of shape
(patch, 4, size, size): orientations in the order 90, -45, 0, 45 degrees, then rows and columns.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from corteval.errors import OptionError
from corteval_hmax.layers import C1_SIZES, ORIENTATIONS_DEGREES, PATCH_SIZES
from corteval_hmax.network import one_band, s1_and_c1

#: Patches of each size in the published model.
COUNT = 400

#: Random patches are even on [0, this): responses of C1 to photographs are of that order.
_LARGEST = 0.4

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

Patches = Mapping[int, Tensor]


def random_patches(seed: int = 0, count: int = COUNT) -> Patches:
    """Independent values, even on [0, 0.4); nothing in them comes from an image."""
    _check(seed, count)
    generator = np.random.default_rng(seed)
    return {
        size: torch.from_numpy(
            generator.uniform(0, _LARGEST, _shape(count, size)).astype(np.float32)
        )
        for size in PATCH_SIZES
    }


def read_patches(file: str | Path) -> Patches:
    """Patches of a file laid out as the module says.

    Raises:
        OptionError: says which array is missing or of which shape.
    """
    path = Path(file).expanduser()
    if not zipfile.is_zipfile(path):
        raise OptionError(f"The patches {path} cannot be read: there is no .npz file of that name.")
    try:
        with np.load(path, allow_pickle=False) as opened:
            arrays = {name: opened[name] for name in opened.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise OptionError(f"The patches {path} cannot be read as an .npz file: {error}") from error
    return {size: _checked(path, size, arrays) for size in PATCH_SIZES}


def sample_patches(
    images: Mapping[str, Tensor], *, seed: int = 0, count: int = COUNT, band: int = 1
) -> Patches:
    """Windows of the images' C1 responses at places drawn evenly.

    Args:
        images: by name, (1 or 3, row, column); the names fix the order.
        seed: of the draws.
        count: patches of each size.
        band: of C1; 1 is that of filters of 11 and 13 pixels.

    Raises:
        OptionError: if there is no image or band, or no place for the largest patch.
    """
    _check(seed, count)
    if not 0 <= band < len(C1_SIZES):
        raise OptionError(f"C1 has bands 0 to {len(C1_SIZES) - 1}, and none of number {band}.")
    if not images:
        raise OptionError("There are no images to draw patches from.")
    stages = s1_and_c1()
    with torch.inference_mode():
        maps = [one_band(stages, images[name][None], band)[0] for name in sorted(images)]
    least = min(min(m.shape[1:]) for m in maps)
    if least <= PATCH_SIZES[-1]:
        raise OptionError(
            f"Band {band} of C1 has {least} places per side on the smallest image; patches of "
            f"{PATCH_SIZES[-1]} need more. Use larger images or a lower band."
        )
    generator = np.random.default_rng(seed)
    drawn = {}
    for size in PATCH_SIZES:
        patches = torch.empty(_shape(count, size))
        for number in range(count):
            source = maps[generator.integers(len(maps))]
            rows, columns = source.shape[1] - 1, source.shape[2] - 1  # the last are always zero
            top = int(generator.integers(rows - size + 1))
            left = int(generator.integers(columns - size + 1))
            patches[number] = source[:, top : top + size, left : left + size]
        drawn[size] = patches
    return drawn


def image_files(folder: str | Path) -> list[Path]:
    """All images of a folder.

    Raises:
        OptionError: if there is no such folder, or no image in it.
    """
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise OptionError(f"patches_from={str(folder)!r} is no folder.")
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in _SUFFIXES)
    if not files:
        raise OptionError(f"{path} holds no image; read are {', '.join(_SUFFIXES)}.")
    return files


def _shape(count: int, size: int) -> tuple[int, int, int, int]:
    return (count, len(ORIENTATIONS_DEGREES), size, size)


def _check(seed: int, count: int) -> None:
    if seed < 0 or count < 1:
        raise OptionError(
            f"Patches need a seed of at least 0, not {seed}, and a count, not {count}."
        )


def _checked(path: Path, size: int, arrays: Mapping[str, np.ndarray]) -> Tensor:
    name = f"size_{size}"
    if name not in arrays:
        raise OptionError(
            f"{path} has no array {name!r}; it has {', '.join(arrays) or 'none'}. See "
            "corteval_hmax.patches for the layout."
        )
    array = arrays[name]
    if array.ndim != 4 or array.shape != _shape(max(len(array), 1), size):
        raise OptionError(
            f"{path}: {name} has shape {array.shape}; (patch, 4, {size}, {size}) is needed."
        )
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise OptionError(f"{path}: {name} holds values that are not finite numbers.")
    return torch.from_numpy(array.astype(np.float32))
