"""Inputs on which the conformance kit tries metric and ceiling."""

from __future__ import annotations

import numpy as np
import xarray as xr

#: Source as good as can be or reliable assembly, target or unreliable one, and a bad one.
Three = tuple[xr.DataArray, xr.DataArray, xr.DataArray]

_LEVELS = (1, 5, 11)
_IMAGES = 40


def trials() -> Three:
    """Answers with the asymmetry of people, trials of people, and answers of the reverse."""
    target = _people(people=10, repetitions=2)
    kinds = np.array([i.rpartition("_")[0] for i in target["stimulus_id"].values])
    ids = np.unique(target["stimulus_id"].values)
    of_stimulus = np.array([i.rpartition("_")[0] for i in ids])
    good = np.zeros(len(ids))
    for kind in np.unique(kinds):
        right = target.values[kinds == kind].mean() * _IMAGES
        good[np.flatnonzero(of_stimulus == kind)[: round(right)]] = 1
    source, other = (
        xr.DataArray(a, dims=["presentation"], coords={"stimulus_id": ("presentation", ids)})
        for a in (good, 1 - good)
    )
    return source, target, other


def repeated_trials() -> Three:
    """Many trials, few, and a single one of each block and number of distractors."""
    few = _people(people=1, repetitions=1)
    return _people(people=10, repetitions=2), few, few[::_IMAGES]


def _people(people: int, repetitions: int) -> xr.DataArray:
    """Trials in which the second block is easier, the more so the more distractors there are."""
    generator = np.random.default_rng(people)
    rows = [
        (f"{block}_{level}_{image}", block, level, f"person-{person}", 0.6 + gain * level / 44)
        for block, gain in (("first", 0.0), ("second", 1.5))
        for level in _LEVELS
        for image in range(_IMAGES)
        for person in range(people)
        for _ in range(repetitions)
    ]
    ids, blocks, levels, subjects, chances = zip(*rows, strict=True)
    coords = {"stimulus_id": ids, "block": blocks, "distractors": levels, "subject": subjects}
    return xr.DataArray(
        (generator.random(len(rows)) < np.array(chances)).astype(np.float64),
        dims=["presentation"],
        coords={name: ("presentation", np.array(values)) for name, values in coords.items()},
    )
