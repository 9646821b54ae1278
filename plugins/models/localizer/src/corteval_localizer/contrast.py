"""Stimuli of two conditions."""

from __future__ import annotations

import hashlib

import numpy as np

from corteval import registry
from corteval.errors import StimuliError
from corteval.stimuli import StimulusSet
from corteval_localizer.localizer import Localizer


def contrasted(localizer: Localizer, stimuli: StimulusSet | None = None) -> StimulusSet:
    """The stimuli of the two conditions.

    Raises:
        StimuliError: if there is no such column, or a condition has fewer than two stimuli.
    """
    if stimuli is None:
        source = registry.data.create(localizer.data, **dict(localizer.data_options))
        stimuli = source.stimuli()
        assert isinstance(stimuli, StimulusSet)
    if localizer.column not in stimuli.table.columns:
        raise StimuliError(
            f"{stimuli.identifier} has no column {localizer.column!r}; it has "
            f"{', '.join(map(str, stimuli.table.columns))}."
        )
    labels = stimuli.table[localizer.column].astype(str).to_numpy()
    for condition in (localizer.positive, localizer.negative):
        count = int((labels == condition).sum())
        if count < 2:
            known = sorted(set(labels.tolist()))
            raise StimuliError(
                f"{stimuli.identifier}: {count} stimuli have {localizer.column} {condition!r}, and "
                f"a contrast needs two. There are {', '.join(known[:8])}."
            )
    inside = np.isin(labels, [localizer.positive, localizer.negative])
    return stimuli.select([i for i, kept in zip(stimuli.stimulus_ids, inside, strict=True) if kept])


def labels_of(contrast: StimulusSet, localizer: Localizer) -> np.ndarray:
    """Whether each stimulus is of the positive condition."""
    found = contrast.table[localizer.column].astype(str).to_numpy() == localizer.positive
    return np.asarray(found)


def digest_of(contrast: StimulusSet, localizer: Localizer) -> str:
    """SHA-256 of the stimuli and their conditions."""
    labels = "|".join(contrast.table[localizer.column].astype(str))
    return hashlib.sha256(f"{contrast.digest()}|{labels}".encode()).hexdigest()
