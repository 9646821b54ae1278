"""Responses of a subject as plain features of images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.model import ModelCommitment, record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval.stimuli import StimulusSet


def recorded_features(
    model: ModelCommitment, stimuli: StimulusSet, request: Recording, most_units: int
) -> np.ndarray:
    """Responses to `stimuli`, of all units or of a sample.

    A subject with more units than `most_units` is asked for that many, drawn by a fixed seed from
    its unit ids in order, so that no full layer need be held. Responses are means over time bins
    and trials.

    Args:
        model: asked for `request` only.
        stimuli: what is shown.
        request: a recording without a filter of units.
        most_units: drawn at most.

    Returns:
        (presentation, unit) float64, units in the order of their ids.

    Raises:
        UndefinedScore: if a response is not finite.
    """
    if most_units < 1:
        raise OptionError(f"At least one unit is recorded, not {most_units}.")
    first = record(model, stimuli.select(stimuli.stimulus_ids[:1]), request)
    ids = np.sort(first["neuroid_id"].values.astype(str))
    asked = request
    if len(ids) > most_units:
        ids = np.sort(np.random.default_rng(0).choice(ids, most_units, replace=False))
        some = UnitFilter((OneOf("neuroid_id", tuple(ids.tolist())),))
        narrowed = replace(request, units=some)
        asked = narrowed if model.supports(narrowed) else request
    responses = record(model, stimuli, asked)
    other = [d for d in responses.dims if d not in ("presentation", "neuroid")]
    responses = responses.mean(other).transpose("presentation", "neuroid")
    found = responses["neuroid_id"].values.astype(str)
    order = np.argsort(found, kind="stable")
    kept = order[np.isin(found[order], ids)]
    values = np.asarray(responses.values[:, kept], np.float64)
    if not np.isfinite(values).all():
        raise UndefinedScore(
            f"{int((~np.isfinite(values)).sum())} responses of {request.target} are not finite."
        )
    return values
