"""Shares, such as accuracies, of a model against those of subjects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones
from corteval_behaviour.trials import Groups, Trials
from corteval_behaviour.weighted import mean_over_pairs, ratio, tally, totals, weighted_mean


class Share(NamedTuple):
    """Trials that count for a share: Σ part / Σ whole.

    Args:
        part: (trial) such as 1 where the answer is right.
        whole: (trial) such as 1 for every trial.
    """

    part: np.ndarray
    whole: np.ndarray


def relative_similarity(model: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """How close a share is to a subject's, 1 at equality and 0 as far as can be.

        1 - |a - b| / max(b, 1 - b)

    Asymmetric: the distance is in units of the largest that the subject's share b allows. Source:
    spec ``metrics`` 2.7.

    Args:
        model, subject: a, b in [0, 1].
    """
    return np.asarray(1 - np.abs(model - subject) / np.maximum(subject, 1 - subject))


def similarity_of_shares(
    rows: Trials, cells: Groups, *, model: Share, subject: Share, resamples: int, seed: int
) -> Score:
    """Mean `relative_similarity` of a model's share to that of each subject and condition.

    Groups in which one of both has no share are left out.

    Raises:
        UndefinedScore: if no group is left.
    """
    shape = len(rows.stimulus_ids), len(cells.subject)
    table = tally(rows.stimulus, cells.of_trial, np.stack([*model, *subject]), shape)

    def similarities(stimuli: np.ndarray) -> np.ndarray:
        part, whole, human_part, human_whole = totals(stimuli, table, 4)
        return relative_similarity(ratio(part, whole), ratio(human_part, human_whole))

    def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        return weighted_mean(similarities(stimuli), subjects[:, cells.subject])

    each = similarities(ones(rows.stimulus_ids))[0]
    raw = estimate(
        statistic,
        stimulus_ids=rows.stimulus_ids,
        subjects=rows.subjects,
        undefined=f"In none of {shape[1]} groups of trials have both model and subject a share.",
        method=f"mean and sd over {len(rows.subjects)} subjects and "
        f"{len(cells.conditions)} conditions",
        quantity="similarity",
        each=each,
        resamples=resamples,
        seed=seed,
        elements=shape[0] + 8 * shape[1],
    )
    return Score(value=raw.value, raw=raw, samples=per_group(each, rows, cells))


def similarity_among_subjects(
    rows: Trials, cells: Groups, share: Share, *, resamples: int, seed: int
) -> Estimate:
    """Mean over ordered pairs of subjects, and conditions, of the similarity of their shares.

    The measure is asymmetric, so each pair is compared both ways.

    Raises:
        UndefinedScore: if there are no two subjects with a share.
    """
    shape = len(rows.stimulus_ids), len(cells.subject)
    table = tally(rows.stimulus, cells.of_trial, np.stack(share), shape)
    size = len(cells.conditions), len(rows.subjects)

    def pairs(stimuli: np.ndarray) -> np.ndarray:
        shares = np.full((len(stimuli), *size), np.nan)
        part, whole = totals(stimuli, table, 2)
        shares[:, cells.condition, cells.subject] = ratio(part, whole)
        return relative_similarity(shares[..., :, None], shares[..., None, :])

    def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        return mean_over_pairs(pairs(stimuli), subjects)

    return estimate(
        statistic,
        stimulus_ids=rows.stimulus_ids,
        subjects=rows.subjects,
        undefined=f"It takes two subjects to compare; {size[1]} took part, no two of them with a "
        "share.",
        method=f"mean and sd over ordered pairs of {size[1]} subjects and {size[0]} conditions",
        quantity="similarity",
        each=pairs(ones(rows.stimulus_ids))[0][:, ~np.eye(size[1], dtype=bool)],
        resamples=resamples,
        seed=seed,
        elements=shape[0] + 4 * size[0] * size[1] ** 2,
    )


def per_group(values: np.ndarray, rows: Trials, cells: Groups) -> xr.DataArray:
    """Values of groups with the names of their subjects and conditions."""
    return xr.DataArray(
        values,
        dims=["group"],
        coords={
            "subject": ("group", rows.subjects[cells.subject]),
            "condition": ("group", cells.conditions[cells.condition]),
        },
    )
