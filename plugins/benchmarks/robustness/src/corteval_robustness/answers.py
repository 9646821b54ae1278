"""Labels that a subject gives, by its own read-out or by one of its recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from corteval.assembly import in_order, neural
from corteval.errors import AssemblyError
from corteval.model import ModelCommitment, perform
from corteval.requests import Probabilities, Recording, Request
from corteval.stimuli import StimulusSet
from corteval_robustness.features import recorded_features
from corteval_robustness.labelled import Labelled
from corteval_robustness.support_vectors import classified


def answers(
    model: ModelCommitment,
    request: Request,
    fit: Labelled,
    shown: StimulusSet,
    most_units: int,
) -> np.ndarray:
    """The label that the subject gives to each stimulus shown.

    Args:
        model: asked for `request` only.
        request: `Probabilities`, of which the most probable label is taken; or a `Recording`,
            which a linear support vector machine reads.
        fit: what is fitted on.
        shown: what is answered.
        most_units: recorded at most.

    Returns:
        (presentation).

    Raises:
        AssemblyError: if the subject answers in another form than it was asked for.
    """
    if isinstance(request, Recording):
        train, seen = (
            recorded_features(model, stimuli, request, most_units)
            for stimuli in (fit.stimuli, shown)
        )
        return classified(train, fit.labels, fit.objects, seen)
    assert isinstance(request, Probabilities)
    given = in_order(perform(model, shown, request), shown.stimulus_ids)
    if "choice" not in given.dims:
        raise AssemblyError(f"{model.identifier} gives no probabilities of choices.")
    values = given.transpose("presentation", "choice").values
    return np.asarray(given["choice"].values.astype(str)[values.argmax(axis=1)])


def ideal_units(
    labels: np.ndarray, stimulus_ids: Sequence[str], choices: Sequence[str], seed: int
) -> xr.DataArray:
    """Units that respond to one label each, with noise that hides it from none.

    Args:
        labels: of each stimulus.
        stimulus_ids: of the stimuli.
        choices: all labels.
        seed: of the noise.

    Returns:
        (presentation, neuroid).
    """
    noise = np.random.default_rng(seed).normal(0, 0.01, (len(stimulus_ids), len(choices)))
    return neural(
        (labels[:, None] == np.array(choices)) + noise,
        stimulus_ids,
        {"neuroid_id": [f"unit-{choice}" for choice in choices]},
    )
