"""Images and trials in the archive's form, from known probabilities of objects."""

import numpy as np
import xarray as xr

from corteval.testing.subjects import ReplaySubject
from corteval_brainscore.imitation import picture

PUBLISHED_TRIALS_A_PAIR = 62  # 341,785 trials of 240 images against 23 other objects


def probabilities(seed, objects, each, spread=1.2):
    """How probable each object is for each image: (image, object), and what images show."""
    shown = np.repeat(np.arange(objects), each)
    generator = np.random.default_rng(seed)
    evidence = spread * generator.standard_normal((len(shown), objects))
    evidence[np.arange(len(shown)), shown] += 2
    odds = np.exp(evidence)
    return odds / odds.sum(axis=1, keepdims=True), shown


def written(archive, access, *, seed, objects=6, each=10, trials=PUBLISHED_TRIALS_A_PAIR):
    """Images and trials as the archive has them, in no order; what images show by probability."""
    p, shown = probabilities(seed, objects, each)
    names = np.array([f"object-{n:02d}" for n in range(objects)])
    ids = [f"{seed:02x}{n:038x}" for n in range(len(p))]
    rows = [
        {
            "image_id": i,
            "filename": f"{i}.png",
            "image_sample_obj": names[s],
            "image_label": names[s],
        }
        for i, s in zip(ids, shown, strict=True)
    ]
    archive.add_stimuli(
        f"objectome.{access}", rows, {f"{i}.png": picture(n) for n, i in enumerate(ids)}
    )
    pairs = [(i, k) for i in range(len(p)) for k in range(objects) if k != shown[i]]
    image, other = np.repeat(np.array(pairs), trials, axis=0).T
    generator = np.random.default_rng(seed + 100)
    fooled = p[image, other] / (p[image, other] + p[image, shown[image]])
    chosen = np.where(generator.random(len(image)) < fooled, other, shown[image])
    order = generator.permutation(len(image))
    image, other, chosen = image[order], other[order], chosen[order]
    along = ("presentation",)
    archive.add_assembly(
        f"Rajalingham2018.{access}",
        names[chosen],
        along,
        {
            "image_id": (along, np.array(ids)[image]),
            "choice": (along, names[chosen]),
            "sample_obj": (along, names[shown[image]]),
            "dist_obj": (along, names[other]),
            "truth": (along, names[shown[image]]),
            "enough_human_data": (along, np.full(len(image), access == "private")),
        },
        stimulus_set=f"objectome.{access}",
        form="BehavioralAssembly",
    )
    return subject(p, ids, names)


def subject(p, ids, names):
    coords = {"stimulus_id": ("presentation", list(ids)), "choice": list(names)}
    answers = xr.DataArray(p, dims=["presentation", "choice"], coords=coords)
    return ReplaySubject(responses=answers, identifier="generator")
