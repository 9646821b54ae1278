"""Stylised images in the archive's form."""

import random

import numpy as np

from corteval_brainscore.imitation import png

SHAPES = [f"shape{n:02d}" for n in range(20)]
TEXTURES = [f"texture{n}" for n in range(5)]


def table(photographs=4):
    """Twenty shapes in five textures as published; every photograph in all textures."""
    rows = [
        {
            "stimulus_id": f"{shape}_{n}_{texture}",
            "filename": f"{shape}_{n}_{texture}.png",
            "shape": shape,
            "texture": texture,
            "original_image_id": f"{shape}_{n}",
        }
        for shape in SHAPES
        for n in range(photographs)
        for texture in TEXTURES
    ]
    random.Random(0).shuffle(rows)
    return rows


def write(archive, photographs=4):
    """Images of noise; the rows of their table."""
    rows = table(photographs)
    pictures = np.random.default_rng(0).integers(0, 256, (len(rows), 16, 16, 3), np.uint8)
    images = {row["filename"]: png(p) for row, p in zip(rows, pictures, strict=True)}
    archive.add_stimuli("Islam2021", rows, images)
    return rows
