"""Inputs for the conformance kit: answers to images that people have not seen."""

from __future__ import annotations

import numpy as np
import xarray as xr

_PEOPLE, _OBJECTS, _TASKS, _EACH = 6, ("cat", "dog", "fox", "hen"), 5, 40


def answers() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Answers as people give them, those of people to other images, and answers by chance."""
    source = _answers(0, 1).drop_vars("subject")
    choices = np.random.default_rng(2).integers(len(_OBJECTS), size=len(source))
    return source, _answers(1, _PEOPLE), source.copy(data=np.eye(len(_OBJECTS))[choices])


def _answers(seed: int, people: int) -> xr.DataArray:
    """Choices, of probability 1, whose errors are of given shares; `seed` names the images."""
    size = len(_OBJECTS)
    shares = np.random.default_rng(9).dirichlet(np.full(size - 1, 0.4), size)
    order, kinds = np.arange(_EACH), np.arange(size)
    truth, task, choice = [], [], []
    for number in range(_TASKS):
        errors = round(_EACH * (0.1 + 0.18 * number))
        for shown in range(size):
            others = kinds[kinds != shown]
            bounds = np.cumsum(shares[shown])[:-1]
            wrong = others[np.searchsorted(bounds, (order[:errors] + 0.5) / errors)]
            choice += [*wrong, *[shown] * (_EACH - errors)]
            truth += [shown] * _EACH
            task += [f"task-{number}"] * _EACH
    names = np.array(_OBJECTS)
    count = len(truth)
    coords = {
        "stimulus_id": np.tile([f"image-{seed}-{n:04d}" for n in range(count)], people),
        "subject": np.repeat([f"person-{n}" for n in range(people)], count),
        "truth": np.tile(names[truth], people),
        "task": np.tile(task, people),
    }
    return xr.DataArray(
        np.tile(np.eye(size)[choice], (people, 1)),
        dims=["presentation", "choice"],
        coords={
            "choice": list(_OBJECTS),
            **{name: ("presentation", values) for name, values in coords.items()},
        },
    )
