"""Trials of a choice between the object that an image shows and another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval_behaviour.halves import shuffled_halves
from corteval_behaviour.signal_detection import false_alarms_of_probabilities
from corteval_behaviour.trials import (
    Trials,
    answers_to,
    chosen,
    column,
    column_of_choices,
    correct,
    distributions,
    trials,
)
from corteval_behaviour.weighted import ratio, tally, totals


class TwoChoices(NamedTuple):
    """Trials of a choice between a shown object and another one.

    Args:
        rows: stimulus and subject of each trial.
        shown: (image) position of the object each image shows.
        objects: sorted names.
        distractor: (trial) position of the other object.
        alarm: (trial) 1 where the other object was chosen.
    """

    rows: Trials
    shown: np.ndarray
    objects: np.ndarray
    distractor: np.ndarray
    alarm: np.ndarray


def two_choices(target: xr.DataArray) -> TwoChoices:
    """The trials of `target`, with coordinates ``truth`` and ``distractor``.

    Raises:
        AssemblyError: if an object that was not on offer is chosen, or an image shows two objects.
    """
    rows = trials(target)
    truth, distractor = column(target, "truth"), column(target, "distractor")
    if (truth == distractor).any():
        raise AssemblyError(
            f"{int((truth == distractor).sum())} of {len(truth)} trials offer the shown "
            "object against itself."
        )
    if "choice" in target.dims or target.dtype.kind in "OUT":
        choices = chosen(target)
        strange = (choices != truth) & (choices != distractor)
        if strange.any():
            raise AssemblyError(
                f"{int(strange.sum())} of {len(choices)} trials chose an object that was not "
                f"on offer, such as '{choices[strange][0]}'. Leave them out."
            )
    objects = np.union1d(truth, distractor)
    first = np.unique(rows.stimulus, return_index=True)[1]
    if not np.array_equal(truth[first][rows.stimulus], truth):
        raise AssemblyError("One stimulus shows two objects: its trials have different truths.")
    return TwoChoices(
        rows,
        np.searchsorted(objects, truth[first]),
        objects,
        np.searchsorted(objects, distractor),
        1 - correct(target),
    )


def false_alarms_of_source(source: xr.DataArray, task: TwoChoices) -> np.ndarray:
    """False alarms (image, object) of a source with a probability for each object.

    Raises:
        AssemblyError: if it has none for an object, or other stimuli than the task.
        UndefinedScore: if the probabilities of an image are all 0.
    """
    if "choice" not in source.dims:
        raise AssemblyError(
            "The source has one answer a stimulus; this comparison takes the probability of each "
            "object, along a second dim choice."
        )
    names = list(column_of_choices(source))
    lacking = [name for name in task.objects if name not in names]
    if lacking:
        raise AssemblyError(
            f"The source gives no probability to {len(lacking)} of {len(task.objects)} objects: "
            f"{', '.join(lacking[:5])}."
        )
    shares = distributions(answers_to(task.rows.stimulus_ids, source))
    return false_alarms_of_probabilities(
        shares[:, [names.index(name) for name in task.objects]], task.shown
    )


def false_alarms_of_halves(
    task: TwoChoices, repetitions: int, seed: int
) -> list[tuple[Callable[[np.ndarray], np.ndarray], ...]]:
    """Both halves of every halving: false alarms (resample, image, object) of subject counts.

    Raises:
        UndefinedScore: with fewer than two trials.
    """
    count = len(task.alarm)
    if count < 2:
        raise UndefinedScore(f"{count} trial cannot be halved.")
    halves = shuffled_halves(count, repetitions, seed)
    return [tuple(_false_alarms_of_trials(task, half) for half in pair) for pair in halves]


def _false_alarms_of_trials(
    task: TwoChoices, members: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    images, objects = len(task.shown), len(task.objects)
    cell = task.rows.stimulus[members] * objects + task.distractor[members]
    columns = np.stack([task.alarm[members], np.ones(members.sum())])
    shape = len(task.rows.subjects), images * objects
    table = tally(task.rows.subject[members], cell, columns, shape)

    def rates(subjects: np.ndarray) -> np.ndarray:
        sums = totals(subjects, table, 2).reshape(2, len(subjects), images, objects)
        return ratio(sums[0], sums[1])

    return rates
