"""Factories of the HMAX subjects."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from corteval.errors import OptionError
from corteval.model import LayerCommitment
from corteval.stimuli import read_image
from corteval_hmax.layers import Response
from corteval_hmax.network import HMAX, SIZE_PIXELS
from corteval_hmax.patches import (
    COUNT,
    Patches,
    image_files,
    random_patches,
    read_patches,
    sample_patches,
)
from corteval_pytorch import Preprocessing, commit

VISUAL_DEGREES = 8.0

#: Source: spec ``models`` section 3. Patches of 16, 8, 2 and 6 places.
LAYERS = {"V1": "c2_7", "V2": "c2_3", "V4": "c2_0", "IT": "c2_2"}

_PREPROCESSING = Preprocessing(
    size=SIZE_PIXELS, resize="squash", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)
)


def build(
    identifier: str = "hmax",
    patches: str | Path | None = None,
    patches_from: str | Path | None = None,
    seed: int = 0,
    count: int = COUNT,
    band: int = 1,
    response: Response = "euclidean",
    sigma: float = 1.0,
) -> LayerCommitment:
    """HMAX with patches of natural images, which the user has.

    Args:
        identifier: name in tables.
        patches: file of patches, laid out as `corteval_hmax.patches` says.
        patches_from: folder of images to draw patches from.
        seed: of those draws.
        count: patches of each size that are drawn.
        band: of C1 from which they are drawn.
        response: of S2 units.
        sigma: of Gaussian S2 units.

    Raises:
        OptionError: without patches; says how to give some.
    """
    if (patches is None) == (patches_from is None):
        raise OptionError(
            f"{identifier} compares images with patches of natural images, and no public file of "
            "them can be had here (its sha1 would be acc7316fcb0d1797486bb62753b71e158216a92a, in "
            "a layout that is not ours). Give one of:\n"
            f'  (1) models.create("{identifier}", patches_from="FOLDER"), a folder of photographs '
            "to draw patches from\n"
            f'  (2) models.create("{identifier}", patches="FILE.npz"), patches you have; '
            "corteval_hmax.patches says the layout\n"
            "  (3) hmax-random-patches, which tests the arithmetic and is not HMAX as published"
        )
    if patches is not None:
        found = read_patches(patches)
        digest = hashlib.sha256(Path(patches).expanduser().read_bytes()).hexdigest()
        note = f"patches of {Path(patches).name} (sha256 {digest[:12]}...)"
    else:
        assert patches_from is not None
        images = {file.name: _as_shown(file) for file in image_files(patches_from)}
        found = sample_patches(images, seed=seed, count=count, band=band)
        note = f"patches drawn from {len(images)} images the user gave (seed {seed})"
    return _commitment(identifier, found, response, sigma, note)


def build_random(
    identifier: str = "hmax-random-patches",
    seed: int = 0,
    count: int = COUNT,
    response: Response = "euclidean",
    sigma: float = 1.0,
) -> LayerCommitment:
    """HMAX with random patches, whose scores are not those of HMAX.

    Args:
        identifier: name in tables.
        seed: of the patches.
        count: patches of each size.
        response: of S2 units.
        sigma: of Gaussian S2 units.
    """
    note = (
        f"random S2 patches (seed {seed}): this validates the arithmetic and is not HMAX as "
        "published"
    )
    return _commitment(identifier, random_patches(seed, count), response, sigma, note)


def _commitment(
    identifier: str, patches: Patches, response: Response, sigma: float, note: str
) -> LayerCommitment:
    return commit(
        HMAX(patches, response=response, sigma=sigma),
        _PREPROCESSING,
        LAYERS,
        identifier=identifier,
        visual_degrees=VISUAL_DEGREES,
        notes=(note,),
    )


def _as_shown(file: Path) -> torch.Tensor:
    """An image as the network sees it when it fills the screen."""
    picture = Image.fromarray(read_image(file, file.name)).convert("RGB")
    pixels = torch.from_numpy(np.array(_PREPROCESSING.pixels(picture)))
    return _PREPROCESSING.standardise(pixels[None])[0]
