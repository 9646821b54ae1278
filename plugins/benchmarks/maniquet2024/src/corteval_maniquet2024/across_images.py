"""Answers of a model and of people to different images, compared object by object or by task.

The source has coordinates of its own, ``truth`` and ``task``, since its stimuli are none of the
target's. Several tasks of people may have the same images of the model: ``task`` of the target then
names the task, and ``images`` the task of the source to compare it with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.confusion import off_diagonal
from corteval_behaviour.trials import Trials, chosen, column, correct, trials
from corteval_behaviour.weighted import crossed_totals, ratio, tally, totals, weighted_correlation

#: Of counts of the model's stimuli, those of people's stimuli, and those of people.
_Comparison = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@final
@dataclass(frozen=True, kw_only=True)
class ConfusionsAcrossImages:
    """Pearson correlation of the wrong choices of model and people, over pairs of objects.

        r(c_tk, h_tk),  t ≠ k,    c_tk = n_tk / Σ_k n_tk

    n_tk counts how often k was chosen where t was right. Answers that are none of the objects are
    left out. Source: spec ``metrics`` 2.7.

    Args:
        counts: correlate n_tk themselves, as published.
        resamples: bootstrap replicates over stimuli and people; 0 for none.
        seed: of the bootstrap.
    """

    counts: bool = False
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of the confusions of `source` to those in `target`, trials of people.

        Raises:
            UndefinedScore: if one of them confuses nothing, or all things alike.
            AssemblyError: if an assembly has another form, or right answers differ.
        """
        objects = np.unique(column(target, "truth"))
        _require_same("right answers", column(source, "truth"), objects)
        size = len(objects)
        source, target = (_among(assembly, objects) for assembly in (source, target))
        shown, rows = trials(source), trials(target)
        cells = [_cells(assembly, objects) for assembly in (source, target)]
        table = tally(shown.stimulus, cells[0], np.ones((1, len(cells[0]))), _shape(shown, size))
        people = crossed_totals(
            rows.stimulus, rows.subject, cells[1], np.ones((1, len(cells[1]))), size**2
        )

        def wrong(counts: np.ndarray) -> np.ndarray:
            square = counts.reshape(len(counts), size, size)
            if self.counts:
                return np.asarray(square[:, ~np.eye(size, dtype=bool)])
            return off_diagonal(square)

        def both(
            own: np.ndarray, theirs: np.ndarray, subjects: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
            return wrong(totals(own, table, 1)[0]), wrong(people(theirs, subjects)[0])

        method = (
            f"correlation over {size * (size - 1)} pairs of objects, {len(cells[0])} answers and "
            f"{len(cells[1])} trials of {len(rows.subjects)} people"
        )
        undefined = "The source or the people confuse nothing, or all objects alike."
        raw = _estimated(
            both, shown, rows, method, undefined, 4 * size**2, self.resamples, self.seed
        )
        return Score(value=raw.value, raw=raw)


@final
@dataclass(frozen=True, kw_only=True)
class TasksAcrossImages:
    """Pearson correlation over tasks of the accuracies of model and people.

    Source: spec ``metrics`` 2.7.

    Args:
        resamples: bootstrap replicates over stimuli and people; 0 for none.
        seed: of the bootstrap.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Consistency of the accuracies of `source` with those in `target`, trials of people.

        Raises:
            UndefinedScore: with fewer than three tasks, or if accuracies do not vary.
            AssemblyError: if an assembly has another form, or the source lacks a task.
        """
        shown, rows = trials(source), trials(target)
        names, task = np.unique(column(target, "task"), return_inverse=True)
        if len(names) < 3:
            raise UndefinedScore(
                f"A correlation over tasks needs at least three; there are {len(names)}."
            )
        first = np.unique(task, return_index=True)[1]
        wanted = column(target, "images" if "images" in target.coords else "task")[first]
        known, own_task = np.unique(column(source, "task"), return_inverse=True)
        lacking = sorted(set(wanted.tolist()) - set(known.tolist()))
        if lacking:
            raise AssemblyError(
                f"The source has no answers in {len(lacking)} tasks, such as {lacking[0]!r}; it "
                f"has {', '.join(known[:5])}."
            )
        place = np.searchsorted(known, wanted)
        right = correct(source)
        table = tally(
            shown.stimulus,
            own_task,
            np.stack([right, np.ones_like(right)]),
            _shape(shown, 0, known),
        )
        answered = correct(target)
        people = crossed_totals(
            rows.stimulus,
            rows.subject,
            task,
            np.stack([answered, np.ones_like(answered)]),
            len(names),
        )

        def both(
            own: np.ndarray, theirs: np.ndarray, subjects: np.ndarray
        ) -> tuple[np.ndarray, np.ndarray]:
            part, whole = totals(own, table, 2)
            model = ratio(part, whole)[:, place]
            part, whole = people(theirs, subjects)
            return model, ratio(part, whole)

        method = (
            f"correlation over {len(names)} tasks, {len(right)} answers and {len(answered)} trials "
            f"of {len(rows.subjects)} people"
        )
        undefined = "The accuracies of the source or of the people are equal in all tasks."
        elements = 4 * len(rows.subjects) * len(names)
        raw = _estimated(both, shown, rows, method, undefined, elements, self.resamples, self.seed)
        accuracies = np.concatenate(both(ones(shown.stimulus_ids), *_once(rows)))
        samples = xr.DataArray(
            accuracies,
            dims=["who", "task"],
            coords={"who": ["source", "target"], "task": names},
        )
        return Score(value=raw.value, raw=raw, samples=samples)


def _estimated(
    both: _Comparison,
    shown: Trials,
    rows: Trials,
    method: str,
    undefined: str,
    elements: int,
    resamples: int,
    seed: int,
) -> Estimate:
    """Correlation of what `both` gives; draws are of all stimuli together, whoever saw them."""
    own = len(shown.stimulus_ids)
    ids = [f"shown:{i}" for i in shown.stimulus_ids] + [f"people:{i}" for i in rows.stimulus_ids]

    def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
        return weighted_correlation(*both(stimuli[:, :own], stimuli[:, own:], subjects))

    return estimate(
        statistic,
        stimulus_ids=np.array(ids),
        subjects=rows.subjects,
        undefined=undefined,
        method=method,
        quantity="correlation",
        resamples=resamples,
        seed=seed,
        elements=len(ids) + elements,
    )


def _once(rows: Trials) -> tuple[np.ndarray, np.ndarray]:
    return ones(rows.stimulus_ids), ones(rows.subjects)


def _among(assembly: xr.DataArray, objects: np.ndarray) -> xr.DataArray:
    """Rows whose answer is one of `objects`."""
    kept = np.isin(chosen(assembly), objects)
    if not kept.any():
        raise AssemblyError(
            f"No answer is one of {', '.join(objects[:5])}; found {chosen(assembly)[0]!r}."
        )
    return assembly.isel(presentation=kept)


def _cells(assembly: xr.DataArray, objects: np.ndarray) -> np.ndarray:
    """Number of the pair of right and chosen object of each row."""
    truth, choice = column(assembly, "truth"), chosen(assembly)
    return np.searchsorted(objects, truth) * len(objects) + np.searchsorted(objects, choice)


def _shape(shown: Trials, size: int, groups: np.ndarray | None = None) -> tuple[int, int]:
    return len(shown.stimulus_ids), size**2 if groups is None else len(groups)


def _require_same(what: str, found: np.ndarray, known: np.ndarray) -> None:
    """Refuse values of the source that the target does not have.

    Raises:
        AssemblyError
    """
    strange = sorted(set(found.tolist()) - set(known.tolist()))
    if strange:
        raise AssemblyError(
            f"The source has {what} that the target has not: {', '.join(strange[:5])}; the target "
            f"has {', '.join(known[:5])}."
        )
