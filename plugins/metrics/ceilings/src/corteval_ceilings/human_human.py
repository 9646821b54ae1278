"""Agreement between subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import xarray as xr

from corteval.assembly import responses_matrix
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate
from corteval.stats.resampling import (
    Draws,
    draw,
    mean,
    median,
    replicates,
    require_stimuli,
    subjects_of,
)
from corteval.stats.splits import groups_of

Scheme = Literal["one-out", "pairs"]

#: Elements of the largest temporary array (8 bytes each).
_BUDGET = 4_000_000

#: Variation below this share of the magnitude is rounding error, not response.
_ROUNDING = 1e-13


def covariances(responses: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Covariance over stimuli between all subjects.

    Args:
        responses: (subject, region, stimulus).
        weights: (resample, stimulus); one resample of equal weights if None.

    Returns:
        (resample, region, subject, subject), or without the first; 0 for constant responses.
    """
    x = responses - responses.mean(axis=-1, keepdims=True)
    largest = [np.abs(values).max(axis=-1, keepdims=True) for values in (x, responses)]
    x = np.where(largest[0] <= _ROUNDING * largest[1], 0, x)
    subjects, regions, stimuli = x.shape
    w = np.ones((1, stimuli)) if weights is None else np.asarray(weights, np.float64)
    w = w / w.sum(axis=1, keepdims=True)
    found = np.empty((len(w), regions, subjects, subjects))
    step = max(1, _BUDGET // (stimuli * subjects**2))
    for start in range(0, regions, step):
        part = x[:, start : start + step]
        products = np.einsum("irs,jrs->srij", part, part).reshape(stimuli, -1)
        means = w @ part.reshape(-1, stimuli).T
        means = means.reshape(len(w), *part.shape[:2]).swapaxes(1, 2)
        found[:, start : start + step] = (w @ products).reshape(
            len(w), -1, subjects, subjects
        ) - means[..., :, None] * means[..., None, :]
    return found if weights is not None else found[0]


def one_out(covariance: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Correlation of each subject with the mean of the other subjects.

    Args:
        covariance: (..., subject, subject).
        counts: (..., subject) how often each subject is in the mean of others; once if None.

    Returns:
        (..., subject); NaN where responses are constant.
    """
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    c, own = np.broadcast_arrays(1.0 if counts is None else counts, own)
    to_all = (covariance @ c[..., None])[..., 0]
    with_others = to_all - c * own
    of_others = (c * to_all).sum(axis=-1, keepdims=True) - 2 * c * to_all + c**2 * own
    alone = of_others <= _ROUNDING * (c**2 * own).sum(axis=-1, keepdims=True)
    return _ratio(with_others, own * np.where(alone, 0, of_others))


def pairs(covariance: np.ndarray) -> np.ndarray:
    """Correlation between each two subjects: (..., pair), row by row of the upper triangle."""
    own = np.diagonal(covariance, axis1=-2, axis2=-1)
    first, second = np.triu_indices(own.shape[-1], 1)
    return _ratio(covariance[..., first, second], own[..., first] * own[..., second])


@final
@dataclass(frozen=True, kw_only=True)
class HumanHuman:
    """How well subjects agree with each other.

        one-out = mean_s median_g r(y_sg, mean of y_tg over t != s)
        pairs   = mean_{s<t} median_g r(y_sg, y_tg)

    y_sg are responses over stimuli of region g of subject s, its neuroids averaged. With many
    subjects the noiseless response reaches ``one-out``. ``pairs`` is what a further subject
    reaches; the noiseless response, correlated with single subjects, exceeds it. ``error`` is the
    standard error (n - 1) over subjects or pairs. ``replicates`` resample stimuli, and subjects if
    there are five; a subject drawn twice is not compared with itself.
    Source: spec ``metrics`` 2.3.

    Args:
        scheme: ``"one-out"`` or ``"pairs"``.
        match_by: coordinate of neuroids that names corresponding regions in different subjects;
            None averages all neuroids of a subject.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    scheme: Scheme = "one-out"
    match_by: str | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.scheme not in ("one-out", "pairs"):
            raise OptionError(f"Subjects are compared one-out or in pairs, not {self.scheme!r}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Agreement of the subjects of `assembly` (presentation, neuroid[, trial]).

        Raises:
            AssemblyError: if neuroids have no subject, or subjects not the same regions.
            UndefinedScore: with fewer than two subjects or three stimuli, or if some subject
                agrees with none.
        """
        subjects, responses = responses_of_subjects(assembly, self.match_by)
        require_stimuli(responses.shape[2], 3, "Agreement of subjects")
        found = self._agreement(covariances(responses))
        value = float(mean(found))
        if np.isnan(found).any():
            raise UndefinedScore("Responses of some subject do not vary over stimuli.")
        draws = draw(
            stimulus_ids=assembly["stimulus_id"].values.astype(str),
            stimulus_groups=groups_of(assembly),
            subjects=subjects,
            resamples=self.resamples,
            seed=self.seed,
        )
        what = "subjects with the mean of the others" if self.scheme == "one-out" else "pairs"
        error = found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else None
        return Estimate(
            value=value,
            error=None if error is None else float(error),
            method=f"correlation of {what}, median over {responses.shape[1]} regions; mean and "
            f"standard error over {len(found)}",
            quantity="correlation",
            replicates=self._replicates(responses, draws),
        )

    def _agreement(self, covariance: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
        """Median over regions: (..., subject or pair)."""
        if self.scheme == "pairs":
            values = pairs(covariance)
        else:
            values = one_out(covariance, None if counts is None else counts[:, None])
        return median(np.moveaxis(values, -2, -1))

    def _replicates(self, responses: np.ndarray, draws: Sequence[Draws]) -> tuple[Replicates, ...]:
        subjects, regions, _ = responses.shape
        first, second = np.triu_indices(subjects, 1)
        fixed, found = covariances(responses)[None], []
        step = max(1, _BUDGET // (subjects**2 * regions))
        for way in draws:
            values = np.empty(self.resamples)
            for start in range(0, self.resamples, step):
                part = slice(start, start + step)
                units = None if way.neuroids is None else way.neuroids[part]
                moved = fixed if way.stimuli is None else covariances(responses, way.stimuli[part])
                agreement = self._agreement(moved, units)
                weights: np.ndarray | float = 1.0
                if units is not None:
                    one = self.scheme == "one-out"
                    weights = (units if one else units[:, first] * units[:, second]).T
                values[part] = mean(agreement.T, weights)
            found.append(replicates(way, values))
        return tuple(found)


def responses_of_subjects(
    assembly: xr.DataArray, match_by: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Subjects, and their responses (subject, region, stimulus), neuroids of a region averaged.

    Args:
        assembly: (presentation, neuroid[, trial]) with coordinate ``subject`` of neuroids.
        match_by: coordinate that names corresponding regions; None takes all neuroids as one.

    Raises:
        AssemblyError: if neuroids have no subject, or subjects not the same regions.
        OptionError: if there is no coordinate `match_by`.
        UndefinedScore: with one subject.
    """
    flat = responses_matrix(assembly)
    of_neuroid = subjects_of(flat)
    if of_neuroid is None:
        raise AssemblyError("Neuroids have no coordinate 'subject' that says whose they are.")
    subjects, row = np.unique(of_neuroid, return_inverse=True)
    if len(subjects) < 2:
        raise UndefinedScore(f"Agreement needs two subjects; there is {subjects[0]} alone.")
    regions, column = np.array([""]), np.zeros(len(row), np.int64)
    if match_by is not None:
        if match_by not in flat.coords or flat[match_by].dims != ("neuroid",):
            raise OptionError(f"Neuroids have no coordinate {match_by!r} to match by.")
        regions, column = np.unique(flat[match_by].values, return_inverse=True)
    member = np.zeros((len(subjects) * len(regions), len(row)))
    member[row * len(regions) + column, np.arange(len(row))] = 1
    counts = member.sum(axis=1, keepdims=True)
    if not counts.all():
        empty = int(np.flatnonzero(counts == 0)[0])
        subject, region = divmod(empty, len(regions))
        raise AssemblyError(
            f"Subject {subjects[subject]} has no neuroid of {match_by} {regions[region]}; "
            "select the regions that all subjects have."
        )
    means = member @ flat.values.T.astype(np.float64) / counts
    return subjects, means.reshape(len(subjects), len(regions), -1)


def _ratio(covariance: np.ndarray, product: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        r = np.clip(covariance / np.sqrt(product), -1, 1)
    return np.where(product > 0, r, np.nan)
