"""Inputs for the conformance kit: people who lose accuracy on changed silhouettes."""

from __future__ import annotations

import numpy as np
import xarray as xr

_PEOPLE, _CATEGORIES, _EACH = 8, ("cat", "dog", "fox"), 20


def people() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Answers that lose as much as people do, those people, and answers that lose nothing."""
    stimuli = _stimuli()
    whole = stimuli["condition"] == "whole"
    right = np.where(whole, np.arange(len(whole)) % 20 < 18, np.arange(len(whole)) % 20 < 10)
    source, unmoved = (_rows(a, stimuli) for a in (right, np.ones(len(whole))))
    return source, _rows(np.tile(right, _PEOPLE), stimuli, _PEOPLE), unmoved


def repeated_people() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """People who lose alike, people who do not, and one person."""
    _, alike, _ = people()
    stimuli = _stimuli()
    whole = np.tile(stimuli["condition"] == "whole", _PEOPLE)
    loss = np.repeat(np.linspace(0.0, 0.8, _PEOPLE), len(whole) // _PEOPLE)
    chance = np.where(whole, 0.9, 0.9 - loss)
    apart = np.random.default_rng(3).random(len(whole)) < chance
    return alike, _rows(apart, stimuli, _PEOPLE), alike[: len(whole) // _PEOPLE]


def _stimuli() -> dict[str, np.ndarray]:
    count = 2 * _EACH * len(_CATEGORIES)
    return {
        "stimulus_id": np.array([f"silhouette-{n:03d}" for n in range(count)]),
        "truth": np.tile(_CATEGORIES, count // len(_CATEGORIES)),
        "condition": np.repeat(["whole", "Frankenstein"], count // 2),
    }


def _rows(right: np.ndarray, stimuli: dict[str, np.ndarray], subjects: int = 1) -> xr.DataArray:
    coords = {name: ("presentation", np.tile(v, subjects)) for name, v in stimuli.items()}
    coords["subject"] = (
        "presentation",
        np.repeat(np.arange(1, subjects + 1), len(right) // subjects),
    )
    return xr.DataArray(right.astype(float), dims=["presentation"], coords=coords)
