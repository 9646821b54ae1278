"""Which tasks are hard: correlation of accuracies over tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import xarray as xr

from corteval.errors import OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval.stats.resampling import spearman_brown
from corteval_behaviour.bootstrap import Statistic, estimate, ones, require_resamples
from corteval_behaviour.halves import (
    complemented_halves,
    require_repetitions,
    shuffled_halves,
)
from corteval_behaviour.trials import (
    Trials,
    aligned,
    column,
    correct,
    trials,
)
from corteval_behaviour.weighted import crossed_totals, ratio, weighted_correlation, weighted_mean


@final
@dataclass(frozen=True, kw_only=True)
class TasksConsistency:
    """Pearson correlation over tasks of the source's accuracies with those of all subjects.

    Source: spec ``metrics`` 2.7.

    Args:
        task: coordinate that names the task of each trial.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    task: str = "task"
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Consistency of `source`, one answer a stimulus, with `target`, trials of subjects.

        Raises:
            UndefinedScore: with fewer than three tasks, or if all accuracies are equal.
            AssemblyError: if an assembly has another form; see `corteval_behaviour.trials`.
        """
        rows = trials(target)
        names = _tasks(target, self.task)
        answers = correct(aligned(source, target), target)
        task = np.searchsorted(names, column(target, self.task))
        model, human = (_accuracies(rows, task, right) for right in (answers, correct(target)))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_correlation(model(stimuli, subjects), human(stimuli, subjects))

        once = ones(rows.stimulus_ids), ones(rows.subjects)
        accuracies = np.stack([model(*once)[0], human(*once)[0]])
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=f"The accuracies in {len(names)} tasks do not vary in the source or in the "
            f"subjects: {accuracies[0].min():.3g} to {accuracies[0].max():.3g} and "
            f"{accuracies[1].min():.3g} to {accuracies[1].max():.3g}.",
            method=f"correlation over {len(names)} tasks, {len(answers)} trials of "
            f"{len(rows.subjects)} subjects",
            quantity="correlation",
            resamples=self.resamples,
            seed=self.seed,
            elements=_elements(rows, names),
        )
        samples = xr.DataArray(
            accuracies,
            dims=["who", "task"],
            coords={"who": ["source", "target"], "task": names},
        )
        return Score(value=raw.value, raw=raw, samples=samples)


@final
@dataclass(frozen=True, kw_only=True)
class HumanTasksConsistency:
    """Reliability over tasks of the accuracies of all subjects, from halves of the trials.

        mean_s 2 r_s / (1 + r_s),    r_s: correlation over tasks of the accuracies of both halves

    Args:
        task: coordinate that names the task of each trial.
        halves: ``"disjoint"``, or the published mistake ``"overlapping"``: half of the rows drawn
            with replacement against the rows at ``~row``, without Spearman-Brown correction. Of
            100 rows they share 14 and miss 40. Source: spec ``metrics`` 2.7.
        splits: number of random halvings.
        split_seed: of the halvings.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    task: str = "task"
    halves: Literal["disjoint", "overlapping"] = "disjoint"
    splits: int = 10
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.splits)
        if self.halves not in ("disjoint", "overlapping"):
            raise OptionError(f"Halves are disjoint or overlapping, not {self.halves!r}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Reliability of the accuracies of `assembly`.

        Raises:
            UndefinedScore: with fewer than three tasks, or if accuracies in a half are all equal.
        """
        rows = trials(assembly)
        right = correct(assembly)
        names = _tasks(assembly, self.task)
        task = np.searchsorted(names, column(assembly, self.task))
        disjoint = self.halves == "disjoint"
        drawing = shuffled_halves if disjoint else complemented_halves
        halves = [
            [_accuracies(rows, task, right, members) for members in pair]
            for pair in drawing(len(right), self.splits, self.split_seed)
        ]

        def consistencies(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            found = [
                weighted_correlation(*(half(stimuli, subjects) for half in pair)) for pair in halves
            ]
            r = np.stack(found, axis=-1)
            return spearman_brown(r) if disjoint else r

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(consistencies(stimuli, subjects))

        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=f"Halves of {len(right)} trials have no accuracies in {len(names)} tasks to "
            "correlate.",
            method=("Spearman-Brown corrected halves" if disjoint else "overlapping halves")
            + f" of {len(right)} trials; mean and sd over {self.splits} halvings",
            quantity="reliability" if disjoint else "correlation",
            each=consistencies(ones(rows.stimulus_ids), ones(rows.subjects)),
            resamples=self.resamples,
            seed=self.seed,
            elements=_elements(rows, names),
        )


def _tasks(assembly: xr.DataArray, name: str) -> np.ndarray:
    names = np.unique(column(assembly, name))
    if len(names) < 3:
        raise UndefinedScore(
            f"A correlation over tasks needs at least three; there are {len(names)}."
        )
    return names


def _elements(rows: Trials, names: np.ndarray) -> int:
    return len(rows.stimulus_ids) + 4 * len(rows.subjects) * len(names)


def _accuracies(
    rows: Trials, task: np.ndarray, right: np.ndarray, members: np.ndarray | float = 1.0
) -> Statistic:
    """Accuracy in each task (resample, task) of counts, over trials taken `members` times."""
    columns = np.stack([right * members, np.ones_like(right) * members])
    size = int(task.max()) + 1
    sums = crossed_totals(rows.stimulus, rows.subject, task, columns, size)

    def accuracies(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        part, whole = sums(stimuli, subjects)
        return ratio(part, whole)

    return accuracies
