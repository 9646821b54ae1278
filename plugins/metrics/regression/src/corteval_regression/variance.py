"""What a model explains beyond nuisance features: unique variance of a band as a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.assembly import align, neural, responses_matrix
from corteval.errors import OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import Draws, central, draw, replicates, subjects_of
from corteval.stats.splits import CrossValidation, Split, groups_of, notes_on_groups, splits_digest
from corteval_regression.banded import (
    ALPHAS,
    VariancePartition,
    partition_fits,
    partition_of,
    pooled_r2,
)
from corteval_regression.metric import bands_of


@final
@dataclass(frozen=True, kw_only=True)
class UniqueVariance:
    """Median over neuroids of the held-out variance that only one band of features explains.

        unique = R²(band and the rest) - R²(the rest)

    by banded ridge, from squared errors pooled over test sets. ``samples`` holds every part of
    `VariancePartition` for each neuroid, the overlap Ω among them. Source: spec
    ``language-pitfalls`` 6, requirement 3.

    Args:
        band: value of the source's coordinate ``band``; the other bands are the rest.
        alphas: penalties to choose from.
        standardise: z-score features by each training set, see `standardised`.
        cross_validation: a `CrossValidation` or a mapping of its options.
        resamples: bootstrap replicates over stimuli and neuroids, or subjects, with fitted models
            held fixed; 0 for none.
        seed: of the bootstrap.
    """

    band: str = "model"
    alphas: Sequence[float] = ALPHAS
    standardise: bool = False
    cross_validation: CrossValidation | Mapping[str, Any] = field(default_factory=CrossValidation)
    resamples: int = 1000
    seed: int = 0

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Unique variance of a band of `source` (presentation, neuroid) in `target`.

        Raises:
            AssemblyError: if the presentations differ, a response is not finite, or bands are
                missing.
            UndefinedScore: if the features, or all neuroids, are constant.
        """
        target = responses_matrix(target)
        source = align(responses_matrix(source), target)
        bands = bands_of(source)
        if self.band not in bands:
            raise OptionError(f"No band {self.band!r}; the source has {', '.join(bands)}.")
        x = np.asarray(source.values, np.float64)
        if not np.ptp(x[:, bands[self.band]], axis=0).any():
            raise UndefinedScore(f"Every feature of band {self.band!r} is constant over stimuli.")
        splits = CrossValidation.of(self.cross_validation).over(target)
        rest = np.concatenate([c for name, c in bands.items() if name != self.band])
        observed = np.asarray(target.values, np.float64)
        fits = partition_fits(
            x[:, bands[self.band]],
            x[:, rest],
            observed,
            splits,
            alphas=self.alphas,
            standardise=self.standardise,
        )
        partition = partition_of(*(pooled_r2(fit, observed, splits) for fit in fits))
        squares = _squares([fits[0], fits[2]], observed, splits)
        value = float(central(partition.unique_first))
        if np.isnan(value):
            raise UndefinedScore("All neuroids are constant over stimuli.")
        raw = Estimate(
            value=value,
            method=f"held-out variance that {self.band} adds, banded ridge; median over neuroids",
            quantity="variance",
            replicates=tuple(
                replicates(way, _resampled(*squares, way), median=target.sizes["neuroid"] > 1)
                for way in draw(
                    stimulus_ids=target["stimulus_id"].values.astype(str),
                    stimulus_groups=groups_of(target),
                    neuroid_ids=target["neuroid_id"].values.astype(str),
                    subjects=subjects_of(target),
                    resamples=self.resamples,
                    seed=self.seed,
                )
            ),
            splits=splits_digest(splits, target["stimulus_id"].values),
        )
        samples = xr.DataArray(
            np.stack(partition),
            dims=["part", "neuroid"],
            coords={
                "part": list(VariancePartition._fields),
                "neuroid_id": ("neuroid", target["neuroid_id"].values.astype(str)),
            },
        )
        further = {
            name: Estimate(
                value=float(central(getattr(partition, part))),
                method=f"{words}; median over neuroids",
                quantity="variance",
            )
            for name, part, words in (
                ("R2 of all bands", "joint", "held-out variance explained by all bands"),
                (f"R2 of {self.band}", "first", f"held-out variance explained by {self.band}"),
                ("R2 of the rest", "second", "held-out variance explained by the other bands"),
                ("omega", "omega", f"share of what {self.band} explains that the rest do too"),
            )
        }
        notes = notes_on_groups(target)
        return Score(value=value, raw=raw, samples=samples, further=further, notes=notes)


def _squares(
    fits: Sequence[Sequence[np.ndarray]], y: np.ndarray, splits: Sequence[Split]
) -> tuple[np.ndarray, np.ndarray]:
    """What each stimulus gives to pooled R²: errors the rest alone would add, and squares.

    Returns:
        (stimulus, neuroid) squared errors of the second fit minus those of the first, and squares
        about the training mean, both summed over the splits that test the stimulus.
    """
    gain, total = np.zeros_like(y), np.zeros_like(y)
    for joint, rest, (train, test) in zip(*fits, splits, strict=True):
        gain[test] += (y[test] - rest) ** 2 - (y[test] - joint) ** 2
        total[test] += (y[test] - y[train].mean(axis=0)) ** 2
    return gain, total


def _resampled(gain: np.ndarray, total: np.ndarray, way: Draws) -> np.ndarray:
    """Median over neuroids of unique variance, one a draw."""
    rows = np.ones((1, len(gain))) if way.stimuli is None else way.stimuli
    with np.errstate(divide="ignore", invalid="ignore"):
        unique = (rows @ gain) / (rows @ total)
    if way.neuroids is None:
        return central(unique)
    return central(np.broadcast_to(unique, way.neuroids.shape), way.neuroids)


def example() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Model features that make the responses, beside a nuisance; the responses; only noise."""
    rng = np.random.default_rng(0)
    ids = [f"stimulus-{i:02d}" for i in range(80)]
    columns = {
        "neuroid_id": [f"unit-{i:02d}" for i in range(12)],
        "band": ["model"] * 8 + ["nuisance"] * 4,
    }
    x = rng.standard_normal((80, 12))
    y = x[:, :8] @ rng.standard_normal((8, 6)) + 0.1 * rng.standard_normal((80, 6))
    unrelated = np.hstack([rng.standard_normal((80, 8)), x[:, 8:]])
    names = {"neuroid_id": [f"neuroid-{i}" for i in range(6)]}
    return neural(x, ids, columns), neural(y, ids, names), neural(unrelated, ids, columns)


def banded_example() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """The same with a source in which no band knows the responses."""
    source, target, unrelated = example()
    order = np.random.default_rng(1).permutation(unrelated.sizes["presentation"])
    return source, target, unrelated.copy(data=unrelated.values[order])
