"""Correlation of a model's predictor, such as surprisal, with human reading times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import median, spearman_brown
from corteval_behaviour.bootstrap import clusters_of, estimate, ones, require_resamples
from corteval_behaviour.halves import chosen_halves, require_repetitions
from corteval_behaviour.tables import mean_over_subjects, sum_over_subjects, table
from corteval_behaviour.weighted import ratio, weighted_correlation
from corteval_behaviour.words import conventions, neighbours, reading_times, shifted, words_kept

INDEPENDENT_WORDS = "the interval takes words as independent of one another"


@final
@dataclass(frozen=True, kw_only=True)
class ReadingTimeCorrelation:
    """Pearson correlation over words of the source with the mean reading time of subjects.

    Signed: a source that predicts fast reading where reading is slow scores below 0. Source: spec
    ``metrics``, language side 2.4.

    Args:
        drop_first_word: leave out the first word of each sentence, by the coordinate
            ``word_within_sentence_id`` of the target.
        shift: compare the reading time of a word with the source at the word so many places
            further on, for data whose alignment is in doubt (spec ``real-data`` 8); needs the
            target's coordinates ``position`` and, with several stories, ``story``.
        absolute: published mistake: the absolute value.
        resample_by: coordinate of the target, such as ``"story"``, whose words are drawn together:
            reading times of neighbours are alike, which words drawn singly take no account of.
            None: see `corteval_behaviour.bootstrap.clusters_of`.
        resamples: bootstrap replicates over words and subjects; 0 for none.
        seed: of the bootstrap.
    """

    drop_first_word: bool = True
    shift: int = 0
    absolute: bool = False
    resample_by: str | None = None
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Correlation of `source`, a number a word, with `target`, reading times of subjects.

        Raises:
            UndefinedScore: if fewer than three words are left, or one side does not vary.
            AssemblyError: if an assembly has another form; see `corteval_behaviour.words`.
        """
        read = reading_times(source, target, drop_first_word=self.drop_first_word)
        predictor = np.where(read.kept, read.predictor, np.nan)
        if self.shift:
            predictor = shifted(predictor, neighbours(read.words, self.shift))
        predictor, times = predictor[read.kept], read.measured.values[:, read.kept]
        names = read.measured.subjects

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            r = weighted_correlation(predictor, mean_over_subjects(times, subjects), stimuli)
            return np.abs(r) if self.absolute else r

        compared = int(np.isfinite(predictor).sum())
        clusters = clusters_of(read.words[read.kept], self.resample_by)
        raw = estimate(
            statistic,
            stimulus_ids=read.measured.stimulus_ids[read.kept],
            subjects=names,
            undefined=f"Over {compared} words the source or the reading times do not vary, or "
            "words are fewer than three.",
            method=f"{'absolute ' if self.absolute else ''}correlation over {compared} words with "
            f"the mean of {len(names)} subjects",
            quantity="correlation",
            clusters=clusters,
            resamples=self.resamples,
            seed=self.seed,
            elements=8 * len(predictor),
        )
        samples = xr.DataArray(
            weighted_correlation(predictor, times),
            dims=["subject"],
            coords={"subject": names},
        )
        independent = raw.replicates and clusters is None
        notes = (*conventions(source), *((INDEPENDENT_WORDS,) if independent else ()))
        return Score(value=raw.value, raw=raw, samples=samples, notes=notes)


@final
@dataclass(frozen=True, kw_only=True)
class HumanReadingTimeCorrelation:
    """Reliability of mean reading times, from random halves of the subjects.

        median_s 2 r_s / (1 + r_s)

    r_s correlates over words the means of both halves. Halves are drawn by one ``RandomState``.
    Source: spec ``metrics``, language side 2.4 (Futrell 2018).

    Args:
        drop_first_word: as in `ReadingTimeCorrelation`.
        splits: number of random halvings.
        split_seed: of the halvings.
        resamples: bootstrap replicates over words and subjects; 0 for none.
        seed: of the bootstrap.
    """

    drop_first_word: bool = True
    splits: int = 10
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.splits)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of `assembly`, reading times of subjects.

        Raises:
            UndefinedScore: with fewer than two subjects, or if halves share fewer than three words.
        """
        measured = table(assembly)
        kept = words_kept(assembly.isel(presentation=measured.first), self.drop_first_word)
        values, ids = measured.values[:, kept], measured.stimulus_ids[kept]
        words = assembly.isel(presentation=measured.first[kept])
        shape = len(ids), len(measured.subjects)
        if shape[1] < 2:
            raise UndefinedScore(f"Halves of {shape[1]} subject cannot be drawn.")
        halves = chosen_halves(shape[1], self.splits, self.split_seed)[:, 0]

        def reliabilities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            everyone, found = sum_over_subjects(values, subjects), []
            for members in halves:
                half = sum_over_subjects(values, subjects * members)
                means = ratio(*half), ratio(*(everyone - half))
                found.append(spearman_brown(weighted_correlation(*means, stimuli)))
            return np.stack(found, axis=-1)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return median(reliabilities(stimuli, subjects))

        return estimate(
            statistic,
            stimulus_ids=ids,
            subjects=measured.subjects,
            undefined=f"Halves of {shape[1]} subjects share fewer than three of {shape[0]} words, "
            "or their reading times do not vary.",
            method=f"Spearman-Brown corrected halves of {shape[1]} subjects; median and sd over "
            f"{self.splits} halvings",
            quantity="reliability",
            each=reliabilities(ones(ids), ones(measured.subjects)),
            clusters=clusters_of(words, None),
            resamples=self.resamples,
            seed=self.seed,
            elements=8 * shape[0],
        )
