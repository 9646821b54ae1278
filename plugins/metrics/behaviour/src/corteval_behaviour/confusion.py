"""Which choice is made for which truth: similarity of confusions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import spearman_brown
from corteval_behaviour.bootstrap import Statistic, estimate, ones, require_resamples
from corteval_behaviour.halves import require_repetitions, shuffled_halves
from corteval_behaviour.trials import Trials, aligned, chosen, column, trials
from corteval_behaviour.weighted import crossed_totals, ratio, weighted_correlation, weighted_mean


def off_diagonal(counts: np.ndarray) -> np.ndarray:
    """Shares of wrong choices, row by row.

        c_tk = n_tk / Σ_k n_tk,    t ≠ k

    Args:
        counts: (..., truth, choice) how often choice k was made where t was right; square, with
            empty rows for choices that are never right.

    Returns:
        (..., truth * (choice - 1)); NaN for truths without trials.
    """
    shares = ratio(counts, counts.sum(axis=-1, keepdims=True))
    return np.asarray(shares[..., ~np.eye(counts.shape[-1], dtype=bool)])


@final
@dataclass(frozen=True, kw_only=True)
class ConfusionSimilarity:
    """Pearson correlation of the confusions of the source with those of all subjects together.

    The cells are the shares of wrong choices, `off_diagonal`. Every answer counts as a choice, so
    leave trials out in which nothing was answered. Source: spec ``metrics`` 2.7.

    Args:
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source`, one choice a stimulus, to `target`, trials of subjects.

        The source's confusions count each stimulus as often as the target has trials of it.

        Raises:
            UndefinedScore: if the source or the subjects make no errors, or always the same share.
            AssemblyError: if an assembly has another form; see `corteval_behaviour.trials`.
        """
        rows = trials(target)
        truth = column(target, "truth")
        answers = chosen(aligned(source, target)), chosen(target)
        names = _categories(truth, *answers)
        model, human = (_confusions(rows, truth, choices, names) for choices in answers)

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_correlation(model(stimuli, subjects), human(stimuli, subjects))

        once = ones(rows.stimulus_ids), ones(rows.subjects)
        cells = [confusions(*once)[0] for confusions in (model, human)]
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined="The source or the subjects confuse nothing, or all things alike: "
            f"{np.nansum(cells[0]):.3g} and {np.nansum(cells[1]):.3g} of wrong shares in all.",
            method=f"correlation over {int(np.isfinite(cells[1]).sum())} pairs of truth and wrong "
            f"choice, {len(truth)} trials of {len(rows.subjects)} subjects",
            quantity="correlation",
            resamples=self.resamples,
            seed=self.seed,
            elements=_elements(rows, names),
        )
        return Score(value=raw.value, raw=raw, samples=_labelled(np.stack(cells), names))


@final
@dataclass(frozen=True, kw_only=True)
class HumanConfusionSimilarity:
    """Reliability of the confusions of all subjects together, from random halves of the trials.

        mean_s 2 r_s / (1 + r_s),    r_s: correlation of the confusions of both halves

    Args:
        splits: number of random halvings.
        split_seed: of the halvings.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    splits: int = 10
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.splits)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of the confusions of `assembly`.

        Raises:
            UndefinedScore: if the halves have no errors.
        """
        rows = trials(assembly)
        truth, choices = column(assembly, "truth"), chosen(assembly)
        names = _categories(truth, choices)
        halves = [
            [_confusions(rows, truth, choices, names, members) for members in pair]
            for pair in shuffled_halves(len(truth), self.splits, self.split_seed)
        ]

        def reliabilities(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            r = [
                weighted_correlation(*(half(stimuli, subjects) for half in pair)) for pair in halves
            ]
            return spearman_brown(np.stack(r, axis=-1))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(reliabilities(stimuli, subjects))

        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=f"Halves of {len(truth)} trials have no confusions to correlate.",
            method=f"Spearman-Brown corrected halves of {len(truth)} trials; mean and sd over "
            f"{self.splits} halvings",
            quantity="reliability",
            each=reliabilities(ones(rows.stimulus_ids), ones(rows.subjects)),
            resamples=self.resamples,
            seed=self.seed,
            elements=_elements(rows, names),
        )


def _categories(truth: np.ndarray, *answers: np.ndarray) -> np.ndarray:
    if len(np.unique(truth)) < 2:
        raise UndefinedScore(f"There is one truth, '{truth[0]}': nothing can be confused with it.")
    return np.unique(np.concatenate([truth, *answers]))


def _confusions(
    rows: Trials,
    truth: np.ndarray,
    choices: np.ndarray,
    names: np.ndarray,
    members: np.ndarray | float = 1.0,
) -> Statistic:
    """`off_diagonal` shares (resample, cell) of counts, over trials taken `members` times."""
    size = len(names)
    cell = np.searchsorted(names, truth) * size + np.searchsorted(names, choices)
    once = np.ones((1, len(truth))) * members
    sums = crossed_totals(rows.stimulus, rows.subject, cell, once, size**2)

    def confusions(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        counts = sums(stimuli, subjects)[0]
        return off_diagonal(counts.reshape(len(counts), size, size))

    return confusions


def _elements(rows: Trials, names: np.ndarray) -> int:
    return len(rows.stimulus_ids) + (2 * len(rows.subjects) + 4) * len(names) ** 2


def _labelled(cells: np.ndarray, names: np.ndarray) -> xr.DataArray:
    truth, choice = np.nonzero(~np.eye(len(names), dtype=bool))
    return xr.DataArray(
        cells,
        dims=["who", "cell"],
        coords={
            "who": ["source", "target"],
            "truth": ("cell", names[truth]),
            "choice": ("cell", names[choice]),
        },
    )
