"""Voxels of twelve people in the archive's form, linear in known causes."""

import numpy as np

from corteval_brainscore.imitation import png

PEOPLE, VOXELS = 12, (5, 8, 20)  # in V1, posterior and anterior ventral temporal cortex
IDS = [f"stim_{number:02d}" for number in range(1, 28)]
LABELS = ["lookalike"] * 9 + ["animal"] * 9 + ["object"] * 9


def drawn(noise=1.0, causes=5, seed=0):
    """Causes, and (stimulus, voxel, person) responses that are linear in them."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(27, causes))
    weights = rng.normal(size=(causes, sum(VOXELS), PEOPLE)) / np.sqrt(causes)
    signal = np.einsum("sc,cvp->svp", hidden, weights)
    means = 3 * rng.normal(size=(1, sum(VOXELS), PEOPLE))
    return hidden, signal + means + noise * rng.normal(size=signal.shape)


def write(archive, values, *, innermost):
    """A file whose labels run person by person, and whose values do so too unless `innermost`."""
    rows = [
        {"stimulus_id": i, "filename": f"{i}.png", "image_label": label}
        for i, label in zip(IDS, LABELS, strict=True)
    ]
    pictures = np.random.default_rng(4).integers(0, 256, (27, 6, 6, 3), np.uint8)
    images = {f"{i}.png": png(image) for i, image in zip(IDS, pictures, strict=True)}
    archive.add_stimuli("Bracci2019", rows, images)
    flat = values if innermost else values.transpose(0, 2, 1)
    each = sum(VOXELS)
    archive.add_assembly(
        "Bracci2019",
        flat.reshape(27, -1),
        ("presentation", "neuroid"),
        {
            "stimulus_id": (("presentation",), IDS),
            "image_label": (("presentation",), LABELS),
            "roi": (("neuroid",), np.tile(np.repeat([0, 1, 2], VOXELS), PEOPLE)),
            "subject": (("neuroid",), np.repeat(np.arange(PEOPLE), each)),
            "voxels": (("neuroid",), np.tile(np.arange(each), PEOPLE)),
        },
        stimulus_set="Bracci2019",
        form="NeuroidAssembly",
    )
