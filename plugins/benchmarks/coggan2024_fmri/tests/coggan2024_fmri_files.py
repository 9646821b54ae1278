"""Similarities in nine people in the archive's form, of voxels linear in known causes."""

import numpy as np

from corteval_brainscore.imitation import png

REGIONS = ("V1", "V2", "V4", "IT")

OBJECTS = ("bear", "bison", "elephant", "hare", "jeep", "lamp", "sportsCar", "teapot")
IDS = [f"{thing}_{cover}" for thing in OBJECTS for cover in ("complete", "lower", "upper")]
PEOPLE = [f"F{number:03d}" for number in range(9)]
OFF = ~np.eye(24, dtype=bool)


def drawn(seed=0, causes=6, voxels=60, noise=1.0):
    """Causes, and (region, person, stimulus, stimulus) correlations of z-scored voxels."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(len(REGIONS), 24, causes))
    rsms = np.empty((len(REGIONS), len(PEOPLE), 24, 24))
    for region in range(len(REGIONS)):
        for person in range(len(PEOPLE)):
            x = hidden[region] @ rng.normal(size=(causes, voxels)) / np.sqrt(causes)
            x += noise * rng.normal(size=x.shape)
            rsms[region, person] = np.corrcoef((x - x.mean(axis=0)) / x.std(axis=0))
    return hidden, rsms


def write(archive, rsms, order):
    """As published: both dims of pairs have one name, people and regions are along neuroids."""
    rows = [{"stimulus_id": i, "filename": f"{i}.png", "object_name": i.split("_")[0]} for i in IDS]
    pictures = np.random.default_rng(4).integers(0, 256, (24, 6, 6, 3), np.uint8)
    images = {f"{i}.png": png(image) for i, image in zip(IDS, pictures, strict=True)}
    archive.add_stimuli("Coggan2024_fMRI", rows, images)
    values = rsms.reshape(-1, 24, 24)[:, order][:, :, order].transpose(1, 2, 0)
    archive.add_assembly(
        "Coggan2024_fMRI",
        values,
        ("presentation", "presentation", "neuroid"),
        {
            "stimulus_id": (("presentation",), [IDS[n] for n in order]),
            "subject": (("neuroid",), PEOPLE * len(REGIONS)),
            "region": (("neuroid",), np.repeat(REGIONS, len(PEOPLE))),
        },
        stimulus_set="Coggan2024_fMRI",
        form="NeuroidAssembly",
    )
