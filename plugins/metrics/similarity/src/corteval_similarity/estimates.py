"""From similarities of subjects and of subsets of stimuli to one score with replicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError
from corteval.intervals import Replicates
from corteval.score import Estimate, Quantity, Score
from corteval.stats.resampling import Draws, draw, replicates
from corteval.stats.splits import CrossValidation, groups_of, notes_on_groups, splits_digest
from corteval_similarity.influence import Compared


class Subsets(NamedTuple):
    """Sets of stimuli, each compared on its own.

    Args:
        stimulus_ids: all of them.
        rows: positions among them, a set each; None for all of them at once.
        digest: of `rows`.
        groups: of the stimuli that are drawn together; None if they are drawn singly.
        notes: on groups.
    """

    stimulus_ids: np.ndarray
    rows: Sequence[np.ndarray | None]
    digest: str
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, target: xr.DataArray, cross_validation: CrossValidation | None) -> Subsets:
        """All stimuli of `target`, or the test sets of its splits.

        Raises:
            AssemblyError: if a stimulus repeats.
        """
        ids = target["stimulus_id"].values.astype(str)
        if len(set(ids.tolist())) < len(ids):
            raise AssemblyError("The target has several rows of one stimulus; average them first.")
        drawn = groups_of(target), notes_on_groups(target)
        if cross_validation is None:
            return cls(ids, [None], "", *drawn)
        splits = cross_validation.over(target)
        return cls(ids, [split.test for split in splits], splits_digest(splits, ids), *drawn)


def summarise(
    compared: Sequence[Sequence[Compared]],
    subsets: Subsets,
    *,
    quantity: Quantity,
    method: str,
    subjects: np.ndarray | None = None,
    resamples: int,
    seed: int,
) -> Score:
    """Mean over subjects of the mean over subsets.

    Stimuli are resampled to first order, and from five subjects on subjects too::

        T* = Σ_s k_s (T_s + Σ_i (c_i - 1) u_si / n) / Σ_s k_s

    where subject s is drawn k_s and stimulus i c_i times. ``raw.error`` is the standard error over
    subsets (population sd / sqrt(subsets)); it is not a sampling error.

    Args:
        compared: for each subject, for each subset.
        subsets: of the stimuli.
        quantity: what the score is.
        method: how one similarity was got.
        subjects: names; None if there is one without a name.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """
    values = np.array([[one.value for one in row] for row in compared])
    error = None
    if subsets.digest:
        per_subset = values.mean(axis=0)
        error = float(per_subset.std() / np.sqrt(len(per_subset)))
        method += f"; mean and standard error over {len(per_subset)} subsets of stimuli"
    if len(values) > 1:
        method += f"; mean over {len(values)} subjects"
    raw = Estimate(
        value=float(values.mean()),
        error=error,
        method=method,
        quantity=quantity,
        replicates=_replicates(compared, subsets, subjects, resamples, seed),
        splits=subsets.digest,
    )
    samples = _samples(values, subsets, subjects)
    return Score(value=raw.value, raw=raw, samples=samples, notes=subsets.notes)


def _replicates(
    compared: Sequence[Sequence[Compared]],
    subsets: Subsets,
    subjects: np.ndarray | None,
    resamples: int,
    seed: int,
) -> tuple[Replicates, ...]:
    influence = np.zeros((len(compared), len(subsets.stimulus_ids)))
    for own, row in zip(influence, compared, strict=True):
        for one, rows in zip(row, subsets.rows, strict=True):
            if one.influence is None:
                return ()
            own[slice(None) if rows is None else rows] += one.influence / len(one.influence)
    influence /= len(subsets.rows)
    values = np.array([np.mean([one.value for one in row]) for row in compared])

    def resampled(way: Draws) -> np.ndarray:
        moved = values if way.stimuli is None else values + (way.stimuli - 1) @ influence.T
        if way.neuroids is None:
            return np.asarray(moved.mean(axis=-1))
        return np.asarray((way.neuroids * moved).sum(axis=1) / way.neuroids.sum(axis=1))

    ways = draw(
        stimulus_ids=subsets.stimulus_ids,
        stimulus_groups=subsets.groups,
        subjects=subjects,
        resamples=resamples,
        seed=seed,
    )
    return tuple(replicates(way, resampled(way)) for way in ways)


def _samples(
    values: np.ndarray, subsets: Subsets, subjects: np.ndarray | None
) -> xr.DataArray | None:
    samples = xr.DataArray(values, dims=["subject", "split"])
    if not subsets.digest:
        samples = samples.isel(split=0)
    if subjects is None:
        samples = samples.isel(subject=0)
    else:
        samples = samples.assign_coords(subject=("subject", subjects))
    return samples if samples.dims else None
