"""What knowing true mean reading times would add to their prediction, where noise is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.errors import UndefinedScore
from corteval.score import Estimate
from corteval.stats.splits import CrossValidation, Split, splits_digest
from corteval_behaviour.bootstrap import clusters_of, estimate, require_resamples
from corteval_behaviour.log_likelihood import (
    gaussian_log_likelihood,
    not_skipped,
    with_words_before,
)
from corteval_behaviour.measured_means import sampling_variance
from corteval_behaviour.trials import column, numeric_column
from corteval_behaviour.words import words_kept


def attainable_gain(
    nuisance: np.ndarray, values: np.ndarray, noise: np.ndarray, splits: Sequence[Split]
) -> np.ndarray:
    """Expected gain in held-out log-likelihood from knowing what each value is without its noise.

        -½ log(2π v) - v_w / (2 v) - log N(y_w | nuisance)

    v_w is the sampling variance of the word's mean and v its mean over training words: the variance
    that a regression on the true means would find. Each split's gains are averaged as in
    `corteval_behaviour.log_likelihood.delta_log_likelihood`.

    Args:
        nuisance: (word, feature).
        values: (word) measured means.
        noise: (word) their sampling variances.
        splits: rows to fit on and to hold out.

    Returns:
        (word) in nats; NaN for words that no split holds out.

    Raises:
        UndefinedScore: if there is no noise, so that the gain is without bound.
    """
    total, count = np.zeros((2, len(values)))
    for split in splits:
        variance = noise[split.train].mean()
        if not variance > 0:
            raise UndefinedScore("Means without sampling variance could be predicted exactly.")
        known = -0.5 * np.log(2 * np.pi * variance) - noise[split.test] / (2 * variance)
        total[split.test] += known - gaussian_log_likelihood(nuisance, values, split)
        count[split.test] += 1
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


@final
@dataclass(frozen=True, kw_only=True)
class HumanDeltaLogLikelihood:
    """What a source that knows the true mean reading time of each word would gain, in nats a word.

    See `attainable_gain`. It is what `DeltaLogLikelihood` of the same options gives on average to
    such a source, in a regression with one variance for all words.

    Args:
        nuisance, spill_over, drop_first_word, skip_first, cross_validation, resample_by: as in
            `corteval_behaviour.log_likelihood.DeltaLogLikelihood`.
        resamples: bootstrap replicates over words; 0 for none.
        seed: of the bootstrap.
    """

    nuisance: str | Sequence[str] = ("length", "log_frequency", "position")
    spill_over: int = 2
    drop_first_word: bool = True
    skip_first: int = 0
    cross_validation: CrossValidation | Mapping[str, Any] | None = None
    resample_by: str | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        names = (self.nuisance,) if isinstance(self.nuisance, str) else tuple(self.nuisance)
        object.__setattr__(self, "nuisance", names)
        CrossValidation.of(self.cross_validation)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Attainable gain of `assembly`, mean reading times of words.

        Args:
            assembly: as `corteval_behaviour.measured_means.HumanReadingTimeReliability` takes it,
                with the nuisance coordinates.

        Raises:
            AssemblyError: if a coordinate is missing.
            UndefinedScore: if a word has fewer than two readers, or words are too few to fit on.
        """
        noise = sampling_variance(assembly)
        rows = np.argsort(column(assembly, "stimulus_id"))
        ordered, noise = assembly.isel(presentation=rows), noise[rows]
        nuisance = np.stack([numeric_column(ordered, name) for name in self.nuisance])
        columns = with_words_before(nuisance, ordered, self.spill_over)
        used = words_kept(ordered, self.drop_first_word) & np.isfinite(columns).all(axis=1)
        used &= not_skipped(ordered, self.skip_first)
        if not used.any():
            raise UndefinedScore(f"No word has {self.spill_over} words before it in its story.")
        words = ordered.isel(presentation=np.flatnonzero(used))
        splits = CrossValidation.of(self.cross_validation).over(words)
        times = np.asarray(words.values, np.float64)
        gains = attainable_gain(columns[used], times, noise[used], splits)
        held = np.isfinite(gains)
        words, gains = words.isel(presentation=np.flatnonzero(held)), gains[held]

        def statistic(stimuli: np.ndarray, _: np.ndarray) -> np.ndarray:
            return np.asarray(stimuli @ gains / stimuli.sum(axis=1))

        found = estimate(
            statistic,
            stimulus_ids=column(words, "stimulus_id"),
            method=f"nats per word that true means would gain, mean and standard error over "
            f"{len(gains)} held-out words of {len(splits)} splits",
            quantity="log likelihood",
            error=float(gains.std(ddof=1) / np.sqrt(len(gains))),
            clusters=clusters_of(words, self.resample_by),
            resamples=self.resamples,
            seed=self.seed,
            elements=len(gains),
        )
        ids = ordered["stimulus_id"].values[used]
        return replace(found, splits=splits_digest(splits, ids))
