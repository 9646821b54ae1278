"""Sites and thirteen image domains in the archive's form."""

import numpy as np

from corteval_brainscore.imitation import png

OBJECTS = ["apple", "bear", "bird", "car", "chair", "dog", "elephant", "face", "plane", "zebra"]
TRIALS, NEUROIDS = 6, 12


def table():
    """Source, style, object and background of each image; the last twenty belong to no domain."""
    rows = []
    for style in ("original", "convex_hull", "outline", "skeleton", "silhouette"):
        rows += [("Silhouette", style, OBJECTS[n % 10], n + 1) for n in range(40)]
    for style in ("cartoon", "line_drawing", "mosaic", "painting", "sketch"):
        rows += [("Art", style, OBJECTS[n % 10], 0) for n in range(30)]
    for source, style in (
        ("COCOColor", "original"),
        ("COCOGray", "grayscale"),
        ("TDW", "original"),
    ):
        rows += [(source, style, OBJECTS[n % 10], 0) for n in range(30)]
    return [*rows, *[("Else", "nan", OBJECTS[n % 10], 0) for n in range(20)]]


IDS = [f"im{n:04d}" for n in range(len(table()))]


def write(archive, seed=0):
    """Causes of responses, and (stimulus, trial, neuroid) responses with missing trials."""
    rng = np.random.default_rng(seed)
    names = ("stimulus_source", "object_style", "object_label", "background_id")
    columns = dict(zip(names, map(list, zip(*table(), strict=True)), strict=True))
    rows = [
        {"stimulus_id": i, "filename": f"{i}.png", **dict(zip(names, row, strict=True))}
        for i, row in zip(IDS, table(), strict=True)
    ]
    pictures = rng.integers(0, 256, (len(IDS), 4, 4, 3), np.uint8)
    images = {f"{i}.png": png(p) for i, p in zip(IDS, pictures, strict=True)}
    archive.add_stimuli("Igustibagus2024", rows, images)
    causes = rng.normal(size=(len(IDS), 5))
    weights = rng.normal(size=(5, NEUROIDS))
    signal = causes @ (weights / np.linalg.norm(weights, axis=0))
    noise = np.where(np.arange(NEUROIDS) < 3, 6.0, 1.0)  # three are not reliable
    values = signal[:, None] + noise * rng.normal(size=(len(IDS), TRIALS, NEUROIDS))
    animal = np.repeat(["Oleo", "Pico"], NEUROIDS // 2)
    values[:, 4:, animal == "Pico"] = np.nan
    order = rng.permutation(len(IDS) * TRIALS)
    later = rng.normal(size=values.shape)
    along = {
        "stimulus_id": np.repeat(IDS, TRIALS)[order],
        "repetition": np.tile(np.arange(TRIALS), len(IDS))[order],
        **{name: np.repeat(column, TRIALS)[order] for name, column in columns.items()},
    }
    archive.add_assembly(
        "Igustibagus2024",
        np.stack([values, later], axis=-1).reshape(-1, NEUROIDS, 2)[order],
        ("presentation", "neuroid", "time_bin"),
        {
            **{name: (("presentation",), column) for name, column in along.items()},
            "neuroid_id": (("neuroid",), [f"{a}_{n}" for n, a in enumerate(animal)]),
            "animal": (("neuroid",), animal),
            "region": (("neuroid",), ["IT"] * NEUROIDS),
            "time_bin_start": (("time_bin",), [70, 170]),
            "time_bin_end": (("time_bin",), [170, 270]),
        },
        stimulus_set="Igustibagus2024",
    )
    first = list(dict.fromkeys(along["stimulus_id"]))  # the order in which rows are read
    return causes, values, [IDS.index(i) for i in first]
