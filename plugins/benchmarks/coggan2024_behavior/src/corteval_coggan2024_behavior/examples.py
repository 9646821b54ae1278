"""Inputs for the conformance kit: people who find the same conditions hard."""

from __future__ import annotations

import numpy as np
import xarray as xr

_PEOPLE, _CONDITIONS, _EACH = 8, 6, 40


def answers() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Answers of the accuracies that people have, those people, and answers by chance."""
    target = _people(np.tile(_levels(), (_PEOPLE, 1)))
    source = target.drop_vars(["subject", "truth"])
    guessed = np.random.default_rng(4).random(source.size) < 0.5
    return source, target, source.copy(data=guessed.astype(float))


def people() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """People who find the same conditions hard, people who do not, and one person."""
    generator = np.random.default_rng(5)
    alike = _people(np.tile(_levels(), (_PEOPLE, 1)))
    apart = _people(np.stack([generator.permutation(_levels()) for _ in range(_PEOPLE)]))
    return alike, apart, alike[: _CONDITIONS * _EACH]


def _levels() -> np.ndarray:
    return np.linspace(0.2, 0.95, _CONDITIONS)


def _people(accuracy: np.ndarray) -> xr.DataArray:
    """Trials of an image each, with as many right ones as `accuracy` (person, condition) says."""
    right = np.arange(_EACH) < np.rint(accuracy * _EACH)[:, :, None]
    count = right.size
    coords = {
        "stimulus_id": [f"image-{n:05d}" for n in range(count)],
        "subject": np.repeat([f"person-{n}" for n in range(_PEOPLE)], _CONDITIONS * _EACH),
        "condition": np.tile(np.repeat([f"c{n}" for n in range(_CONDITIONS)], _EACH), _PEOPLE),
        "truth": np.full(count, "teapot"),
    }
    return xr.DataArray(
        right.ravel().astype(float),
        dims=["presentation"],
        coords={name: ("presentation", values) for name, values in coords.items()},
    )
