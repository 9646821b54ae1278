"""What a subject that knew the responses without noise would attain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, final

import numpy as np
import xarray as xr

from corteval import registry
from corteval.assembly import check_neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.metric import Ceiling
from corteval.score import Estimate
from corteval.stats.resampling import (
    Draws,
    central,
    draw,
    mean,
    replicates,
    require_stimuli,
    subjects_of,
)
from corteval.stats.splits import CrossValidation, groups_of, splits_digest
from corteval_driving.contrast import check_share, contrast

#: Stimuli with two trials that a ceiling needs.
_FEWEST_STIMULI = 10


class Halving(NamedTuple):
    """Means over two halves of the trials of each stimulus, (stimulus, neuroid)."""

    first: np.ndarray
    second: np.ndarray


@final
@dataclass(frozen=True, kw_only=True)
class HalvesChoice:
    """Share of the attainable contrast of stimuli that are chosen by what was measured.

        half      = mean_h D(a_h, b_h) / D(y, y)
        noiseless = half / sqrt(mean_h r(a_h, b_h))

    a_h and b_h are means over two random halves of the trials, y over all; D is the contrast of
    `DriveSuppress` and r Pearson's correlation over stimuli. What one half chose the other half
    judges, both ways, so that noise chooses and is not judged by itself. Under joint normality,
    D(a, b) is sqrt(r) of the contrast that the noiseless response would choose, so ``noiseless``
    is what a subject attains that knows it, and its score is 1 when normalised by it. ``half`` is
    less; a subject may exceed it. Median over neuroids, mean over test sets.
    Source: spec ``language`` 5, ``metrics`` 2.3.

    Args:
        chosen_by: ``"noiseless"`` or ``"half"``.
        share: of the stimuli that are chosen at either end.
        halvings: random halvings of the trials.
        cross_validation: of the score: stimuli are chosen within each of its test sets. None
            chooses among all stimuli, which differs where groups of stimuli differ in their mean.
        aggregate: as for `DriveSuppress`.
        split_seed: of the halvings; draws follow stimulus ids, not the order of rows.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    chosen_by: Literal["noiseless", "half"] = "noiseless"
    share: float = 0.1
    halvings: int = 5
    cross_validation: CrossValidation | Mapping[str, Any] | None = None
    aggregate: Literal["neuroids", "subjects"] = "neuroids"
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_share(self.share)
        if self.chosen_by not in ("noiseless", "half"):
            raise OptionError(f"chosen_by is noiseless or half, not {self.chosen_by!r}.")
        if self.aggregate not in ("neuroids", "subjects"):
            raise OptionError(f"aggregate is neuroids or subjects, not {self.aggregate!r}.")
        if self.halvings < 1:
            raise OptionError(f"At least one halving is needed, not {self.halvings}.")
        if self.cross_validation is not None:
            division = CrossValidation.of(self.cross_validation)
            object.__setattr__(self, "cross_validation", division)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Ceiling of `assembly` (presentation, neuroid, trial).

        Raises:
            AssemblyError: if a response is infinite, or subjects are lacking.
            UndefinedScore: with fewer than ten stimuli of two trials, or if no neuroid is reliable.
        """
        assembly = _with_trials(assembly)
        trials = np.asarray(assembly.values, np.float64)
        ids = assembly["stimulus_id"].values.astype(str)
        halves = self._halves(trials, ids)
        usable = np.all([np.isfinite(part).all(axis=1) for h in halves for part in h], axis=0)
        require_stimuli(int(usable.sum()), _FEWEST_STIMULI, "A choice by halves of trials")
        subjects = subjects_of(assembly)
        if self.aggregate == "subjects" and subjects is None:
            raise AssemblyError("Averaging over subjects needs the coordinate 'subject'.")
        groups = subjects if self.aggregate == "subjects" else None
        whole = _mean(trials, np.asarray(np.isfinite(trials).any(axis=1)))
        sets, digest = self._sets(assembly, usable)
        per_set = self._per_set(halves, whole, sets)
        value = central(per_set, groups=groups)
        if np.isnan(value).any():
            raise UndefinedScore(
                "Halves of the trials do not agree in any neuroid: nothing could be chosen by them."
            )
        draws = draw(
            stimulus_ids=ids,
            stimulus_groups=groups_of(assembly),
            neuroid_ids=assembly["neuroid_id"].values.astype(str),
            subjects=subjects,
            resamples=self.resamples,
            seed=self.seed,
        )
        found = self._replicates(halves, whole, sets, per_set, draws, groups)
        words = "; what the noiseless response attains" if self.chosen_by == "noiseless" else ""
        return Estimate(
            value=float(value.mean()),
            error=float(np.nanstd(found[0].values)) if found else None,
            method=f"measured contrast of the {self.share:.0%} of stimuli chosen by half of the "
            f"trials, {self.halvings} halvings, both ways, over the attainable contrast{words}; "
            "error: standard deviation over resampled stimuli",
            quantity="similarity",
            replicates=found,
            splits=digest,
        )

    def _halves(self, trials: np.ndarray, ids: np.ndarray) -> list[Halving]:
        """Means over random halves; NaN where a half has no trial of a neuroid."""
        present = np.isfinite(trials).any(axis=1)
        rank = np.argsort(np.argsort(ids, kind="stable"), kind="stable")
        generator = np.random.default_rng(self.split_seed)
        count = present.sum(axis=1, keepdims=True)
        found = []
        for _ in range(self.halvings):
            keys = np.where(present, generator.random(present.shape)[rank], np.inf)
            place = np.argsort(np.argsort(keys, axis=1), axis=1)
            parts = place < count // 2, (place >= count // 2) & present
            found.append(Halving(*(_mean(trials, part) for part in parts)))
        return found

    def _sets(self, assembly: xr.DataArray, usable: np.ndarray) -> tuple[list[np.ndarray], str]:
        """Rows of each set of stimuli that is chosen from, and the digest of the splits."""
        if self.cross_validation is None:
            return [np.flatnonzero(usable)], ""
        splits = CrossValidation.of(self.cross_validation).over(assembly)
        rows = [np.asarray(test)[usable[np.asarray(test)]] for _, test in splits]
        require_stimuli(min(map(len, rows)), 3, "A choice within each test set")
        return rows, splits_digest(splits, assembly["stimulus_id"].values)

    def _per_set(
        self,
        halves: Sequence[Halving],
        whole: np.ndarray,
        sets: Sequence[np.ndarray],
        counts: np.ndarray | None = None,
    ) -> np.ndarray:
        """Share of each neuroid in each set: (set, [resample,] neuroid)."""
        every = np.unique(np.concatenate(sets))
        agreement = np.mean(
            [_weighted_r(h.first[every], h.second[every], _of(counts, every)) for h in halves],
            axis=0,
        )
        found = []
        for rows in sets:
            drawn = _of(counts, rows)
            chosen = np.mean(
                [
                    contrast(a[rows], b[rows], self.share, drawn)
                    for h in halves
                    for a, b in ((h.first, h.second), (h.second, h.first))
                ],
                axis=0,
            )
            attainable = contrast(whole[rows], whole[rows], self.share, drawn)
            with np.errstate(invalid="ignore", divide="ignore"):
                share = np.where(attainable > 0, chosen / attainable, np.nan)
                if self.chosen_by == "noiseless":
                    share = np.where(agreement > 0, share / np.sqrt(agreement), np.nan)
            found.append(share)
        return np.stack(found)

    def _replicates(
        self,
        halves: Sequence[Halving],
        whole: np.ndarray,
        sets: Sequence[np.ndarray],
        fixed: np.ndarray,
        draws: Sequence[Draws],
        groups: np.ndarray | None,
    ) -> tuple[Replicates, ...]:
        counts = next((way.stimuli for way in draws if way.stimuli is not None), None)
        moved = fixed if counts is None else self._per_set(halves, whole, sets, counts)
        found = []
        for way in draws:
            drawn = fixed[:, None] if way.stimuli is None else moved
            values = central(drawn, way.neuroids, groups)
            found.append(replicates(way, mean(values), median=groups is None))
        return tuple(found)


@final
@dataclass(frozen=True, kw_only=True)
class SignalToNoise:
    """Share that the noiseless response attains, from the noise ceiling of trial means.

        ceiling = median_n sqrt(NC_n),    NC = ncsnr^2 / (ncsnr^2 + 1/n)

    Under joint normality the contrast of stimuli chosen by the noiseless response is its
    correlation with the measured one, sqrt(NC), times the attainable contrast. Computed by the
    registered ceiling ``ncsnr-sqrt``. Source: spec ``language`` 5; Allen et al. 2022.

    Args:
        trials, resamples, seed: of the registered ceiling.
        distribution: that provides it, if several do.
    """

    trials: int | None = None
    resamples: int = 1000
    seed: int = 0
    distribution: str = field(default="", kw_only=True)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Ceiling of `assembly` (presentation, neuroid, trial).

        Raises:
            UndefinedScore: with fewer than two trials or three stimuli, or if no neuroid has a
                noise ceiling.
        """
        name = "ncsnr-sqrt" + (f"@{self.distribution}" if self.distribution else "")
        estimator: Ceiling = registry.metrics.create(
            name, trials=self.trials, resamples=self.resamples, seed=self.seed
        )
        found = estimator(assembly)
        return replace(
            found,
            quantity="similarity",
            method=f"share of the attainable contrast under joint normality: {found.method}",
        )


def _with_trials(assembly: xr.DataArray) -> xr.DataArray:
    """(presentation, neuroid, trial) with at most one time bin."""
    assembly = check_neural(assembly)
    if "trial" not in assembly.dims or assembly.sizes["trial"] < 2:
        raise UndefinedScore("A choice by halves of trials needs two trials; there is one.")
    if "time_bin" in assembly.dims:
        if assembly.sizes["time_bin"] != 1:
            raise AssemblyError(f"{assembly.sizes['time_bin']} time bins; this ceiling takes one.")
        assembly = assembly.isel(time_bin=0, drop=True)
    if np.isinf(assembly.values).any():
        raise AssemblyError("A response is infinite.")
    return assembly.transpose("presentation", "neuroid", "trial")


def _mean(trials: np.ndarray, part: np.ndarray) -> np.ndarray:
    """(stimulus, neuroid) means over the trials of `part` (stimulus, trial) that are not NaN."""
    there = np.isfinite(trials) & part[:, None, :]
    total = np.where(there, trials, 0.0).sum(axis=2)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / there.sum(axis=2))


def _of(counts: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if counts is None else counts[:, rows]


def _weighted_r(x: np.ndarray, y: np.ndarray, counts: np.ndarray | None) -> np.ndarray:
    """Correlation over stimuli: (neuroid), or (resample, neuroid) with counts."""
    w = np.ones((1, len(x))) if counts is None else counts.astype(np.float64)
    w = w / w.sum(axis=1, keepdims=True)
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    mean_a, mean_b = w @ a, w @ b
    spread = (w @ a**2 - mean_a**2) * (w @ b**2 - mean_b**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.where(spread > 0, (w @ (a * b) - mean_a * mean_b) / np.sqrt(spread), np.nan)
    return np.asarray(r[0] if counts is None else r)
