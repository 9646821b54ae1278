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
from corteval.stats.splits import CrossValidation, splits_digest
from corteval_regression.banded import ALPHAS, VariancePartition, variance_partition
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
        cross_validation: a `CrossValidation` or a mapping of its options.
        resamples: bootstrap replicates over neuroids, or subjects; 0 for none.
        seed: of the bootstrap.
    """

    band: str = "model"
    alphas: Sequence[float] = ALPHAS
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
        partition = variance_partition(
            x[:, bands[self.band]], x[:, rest], target.values, splits, alphas=self.alphas
        )
        value = float(central(partition.unique_first))
        if np.isnan(value):
            raise UndefinedScore("All neuroids are constant over stimuli.")
        raw = Estimate(
            value=value,
            method=f"held-out variance that {self.band} adds, banded ridge; median over neuroids",
            quantity="variance",
            replicates=tuple(
                replicates(way, self._resampled(partition.unique_first, way), median=True)
                for way in draw(
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
        return Score(value=value, raw=raw, samples=samples)

    def _resampled(self, unique: np.ndarray, way: Draws) -> np.ndarray:
        counts = np.asarray(way.neuroids)
        return central(np.broadcast_to(unique, counts.shape), counts)


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
