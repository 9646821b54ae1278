"""What a model's predictor adds to the prediction of reading times beyond nuisance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import xarray as xr

from corteval.errors import OptionError, UndefinedScore
from corteval.score import Score
from corteval.stats.splits import CrossValidation, Split, splits_digest
from corteval_behaviour.bootstrap import clusters_of, estimate, require_resamples
from corteval_behaviour.reading_times import INDEPENDENT_WORDS
from corteval_behaviour.tables import mean_over_subjects
from corteval_behaviour.trials import numeric_column
from corteval_behaviour.words import conventions, neighbours, reading_times, shifted

#: Residual variance below this share of the variance is an exact fit.
_EXACT = 1e-12


def gaussian_log_likelihood(features: np.ndarray, values: np.ndarray, split: Split) -> np.ndarray:
    """Log-likelihood of each held-out value under a linear regression, in nats.

        -½ log(2π s²) - (y - ŷ)² / (2 s²)

    ŷ is the least-squares prediction fitted, with intercept, on the training rows; s² the mean
    squared residual there.

    Args:
        features: (row, feature).
        values: (row).
        split: rows to fit on and to hold out.

    Returns:
        (held-out row).

    Raises:
        UndefinedScore: with no more training rows than coefficients, or if the fit is exact.
    """
    train, test = split
    if len(train) <= features.shape[1] + 1:
        raise UndefinedScore(
            f"A regression on {features.shape[1]} features takes more than "
            f"{features.shape[1] + 1} words; there are {len(train)} to fit on."
        )
    centre, scale = features[train].mean(axis=0), features[train].std(axis=0)
    design = (features - centre) / np.where(scale > 0, scale, 1)
    mean = values[train].mean()
    weights = np.linalg.lstsq(design[train], values[train] - mean, rcond=None)[0]
    residual = values - mean - design @ weights
    variance = (residual[train] ** 2).mean()
    if variance <= _EXACT * values[train].var():
        raise UndefinedScore(
            "Reading times are fitted exactly, so their likelihood is without bound."
        )
    return np.asarray(-0.5 * np.log(2 * np.pi * variance) - residual[test] ** 2 / (2 * variance))


def delta_log_likelihood(
    nuisance: np.ndarray, predictor: np.ndarray, values: np.ndarray, splits: Sequence[Split]
) -> np.ndarray:
    """Gain in held-out log-likelihood from adding a predictor to nuisance, in nats.

    Args:
        nuisance: (word, feature).
        predictor: (word, feature).
        values: (word) reading times.
        splits: rows to fit on and to hold out.

    Returns:
        (word) mean over the splits that hold the word out; NaN where none does.
    """
    both = np.concatenate([nuisance, predictor], axis=1)
    total, count = np.zeros((2, len(values)))
    for split in splits:
        gain = gaussian_log_likelihood(both, values, split)
        total[split.test] += gain - gaussian_log_likelihood(nuisance, values, split)
        count[split.test] += 1
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def with_words_before(values: np.ndarray, words: xr.DataArray, spill_over: int) -> np.ndarray:
    """Numbers of each word, and those of so many words before it in its story.

    Args:
        values: (feature, word).
        words: with the coordinates ``position`` and ``story``, if `spill_over` is not 0.
        spill_over: how many.

    Returns:
        (word, feature of the word and then of the words before); NaN where there is no word.
    """
    places = [neighbours(words, -n - 1) for n in range(spill_over)]
    return np.concatenate([values, *(shifted(values, place) for place in places)]).T


def not_skipped(words: xr.DataArray, skip_first: int) -> np.ndarray:
    """True for words that are not among the first so many of their story, by ``position``."""
    if not skip_first:
        return np.ones(words.sizes["presentation"], bool)
    return np.asarray(numeric_column(words, "position") > skip_first)


@final
@dataclass(frozen=True, kw_only=True)
class DeltaLogLikelihood:
    """Mean over held-out words of the gain in log-likelihood that the source brings, in nats.

    Two linear regressions of the mean reading time are compared on held-out words, both with the
    nuisance of the word and of the words before it; one has the source's numbers for these words
    as well. Fits are kept as they are in replicates, which resample words. Source: spec
    ``language-pitfalls`` 6, requirement 14.

    Args:
        nuisance: coordinates of the target with numbers, e.g. length and log frequency; or the
            name of one.
        spill_over: of how many words before it a word's reading time may depend.
        drop_first_word: leave out the first word of each sentence, by the coordinate
            ``word_within_sentence_id``; as a word before it still counts what is known of it.
        skip_first: of how many words at the beginning of each story (``position`` up to this) no
            reading time is compared. Sources without a number for the first word of a story lose
            the `spill_over` words after it, too: with ``spill_over + 1`` all sources are compared
            on the same words.
        cross_validation: options of `corteval.stats.splits.CrossValidation`; by default folds over
            stories, if the target has a coordinate of groups.
        resample_by: coordinate of the target, such as ``"story"``, whose words are drawn together;
            None: see `corteval_behaviour.bootstrap.clusters_of`.
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
        if min(self.spill_over, self.skip_first) < 0 or not self.nuisance:
            raise OptionError(
                "delta_log_likelihood takes names of nuisance coordinates, 0 or more words of "
                "spill-over and 0 or more words to skip; not "
                f"{self.nuisance!r}, {self.spill_over} and {self.skip_first}."
            )
        CrossValidation.of(self.cross_validation)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Gain that `source`, a number a word, brings for `target`, reading times of subjects.

        Args:
            source: numbers such as surprisals.
            target: see `corteval_behaviour.tables.table`; with the nuisance coordinates and, for
                spill-over, ``position`` and, with several stories, ``story``.

        Raises:
            UndefinedScore: if words are too few to fit on, or the source does not vary.
            AssemblyError: if an assembly has another form; see `corteval_behaviour.words`.
        """
        read = reading_times(source, target, drop_first_word=self.drop_first_word)
        nuisance = np.stack([numeric_column(read.words, name) for name in self.nuisance])
        columns = with_words_before(nuisance, read.words, self.spill_over)
        predictors = with_words_before(read.predictor[None], read.words, self.spill_over)
        used = read.kept & np.isfinite(columns).all(axis=1) & np.isfinite(predictors).all(axis=1)
        used &= not_skipped(read.words, self.skip_first)
        if not used.any():
            raise UndefinedScore(
                f"None of {int(read.kept.sum())} words to compare has {self.spill_over} before it "
                "in its story for which the source is finite; see the coordinate 'position' and "
                "the option spill_over."
            )
        if not np.ptp(read.predictor[used]) > 0:
            raise UndefinedScore(
                f"The source does not vary: it is {read.predictor[used][0]:g} for each of the "
                f"words compared ({int(used.sum())})."
            )
        words = read.words.isel(presentation=np.flatnonzero(used))
        splits = CrossValidation.of(self.cross_validation).over(words)
        subjects = np.ones((1, len(read.measured.subjects)))
        times = mean_over_subjects(read.measured.values, subjects)[0, used]
        gains = delta_log_likelihood(columns[used], predictors[used], times, splits)
        held = np.isfinite(gains)
        ids, gains = read.measured.stimulus_ids[used][held], gains[held]

        def statistic(stimuli: np.ndarray, _: np.ndarray) -> np.ndarray:
            return np.asarray(stimuli @ gains / stimuli.sum(axis=1))

        clusters = clusters_of(words.isel(presentation=held), self.resample_by)
        raw = estimate(
            statistic,
            stimulus_ids=ids,
            method=f"nats per word, mean and standard error over {len(gains)} held-out words of "
            f"{len(splits)} splits",
            quantity="log likelihood",
            error=float(gains.std(ddof=1) / np.sqrt(len(gains))),
            clusters=clusters,
            resamples=self.resamples,
            seed=self.seed,
            elements=len(gains),
        )
        raw = replace(raw, splits=splits_digest(splits, words["stimulus_id"].values))
        samples = xr.DataArray(
            gains, dims=["presentation"], coords={"stimulus_id": ("presentation", ids)}
        )
        independent = raw.replicates and clusters is None
        notes = (*conventions(source), *((INDEPENDENT_WORDS,) if independent else ()))
        return Score(value=raw.value, raw=raw, samples=samples, notes=notes)
