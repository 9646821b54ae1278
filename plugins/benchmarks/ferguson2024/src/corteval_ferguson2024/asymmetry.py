"""Search asymmetry: how much easier it is to find a target among distractors than vice versa."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
import xarray as xr

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.trials import aligned, column, correct, numeric_column, trials
from corteval_behaviour.value_distance import value_delta

#: First, then second: the asymmetry is the accuracy of the second less that of the first.
BLOCKS = ("first", "second")


def asymmetry_weights(distractors: np.ndarray) -> np.ndarray:
    """Weights of the trapezoidal rule: Σ_l w_l f(l) is the integral of f over l, joined by lines.

    Args:
        distractors: (level) ascending numbers of distractors.
    """
    gaps = np.diff(distractors)
    return np.asarray((np.append(gaps, 0.0) + np.append(0.0, gaps)) / 2)


def search_asymmetry(
    accuracy: np.ndarray, distractors: np.ndarray, lapse_rate: float = 0.0
) -> np.ndarray:
    """Area between the accuracies of both blocks over the number of distractors.

        ∫ (a_second(l) - a_first(l)) dl,    a = (accuracy - λ/2) / (1 - λ)

    with lines between the numbers that were shown. Source: Ferguson et al. 2024, as Brain-Score
    computes it.

    Args:
        accuracy: (..., block, level) shares of right answers, of `BLOCKS`.
        distractors: (level) ascending.
        lapse_rate: λ, share of trials with a guess among two.
    """
    difference = accuracy[..., 1, :] - accuracy[..., 0, :]
    return np.asarray(difference @ asymmetry_weights(distractors) / (1 - lapse_rate))


class Design(NamedTuple):
    """Which stimulus is of which block and number of distractors.

    Args:
        stimulus_ids: sorted.
        cell: (stimulus) number of block x level.
        distractors: (level) ascending.
        first: (stimulus) position of its first trial.
    """

    stimulus_ids: np.ndarray
    cell: np.ndarray
    distractors: np.ndarray
    first: np.ndarray


def design(target: xr.DataArray) -> Design:
    """Design of the trials `target`.

    Raises:
        AssemblyError: if a coordinate is missing, a block is none of `BLOCKS`, a stimulus is of two
            cells, or a cell is empty.
    """
    blocks, levels = column(target, "block"), numeric_column(target, "distractors")
    strange = sorted(set(blocks.tolist()) - set(BLOCKS))
    if strange:
        raise AssemblyError(f"Blocks are {' and '.join(BLOCKS)}; found {strange[0]!r}.")
    distractors, level = np.unique(levels, return_inverse=True)
    cells = np.where(blocks == BLOCKS[1], len(distractors), 0) + level
    rows = trials(target)
    first = np.unique(rows.stimulus, return_index=True)[1]
    cell = cells[first]
    if (cell[rows.stimulus] != cells).any():
        raise AssemblyError("A stimulus is of two blocks, or of two numbers of distractors.")
    empty = np.setdiff1d(np.arange(2 * len(distractors)), cell)
    if len(empty) or len(distractors) < 2:
        raise AssemblyError(
            f"{len(empty)} of {2 * len(distractors)} combinations of block and number of "
            f"distractors ({', '.join(f'{d:g}' for d in distractors)}) have no trials; at least "
            "two numbers are needed, in both blocks."
        )
    return Design(rows.stimulus_ids, cell, distractors, first)


def right_and_asked(target: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Right answers, and trials, of each stimulus and subject: (stimulus, subject) both."""
    rows = trials(target)
    shape = len(rows.stimulus_ids), len(rows.subjects)
    place = rows.stimulus * shape[1] + rows.subject
    size = shape[0] * shape[1]
    right = np.bincount(place, correct(target), minlength=size).reshape(shape)
    return right, np.bincount(place, minlength=size).reshape(shape).astype(np.float64)


def accuracies_of_people(
    right: np.ndarray, asked: np.ndarray, cell: np.ndarray, stimuli: np.ndarray, people: np.ndarray
) -> np.ndarray:
    """Mean over people of their accuracies, as often as stimuli and people are drawn.

    Args:
        right, asked: (stimulus, subject) of `right_and_asked`.
        cell: (stimulus) of `Design`.
        stimuli, people: (resample, stimulus) and (resample, subject) counts; either may have one
            row for all resamples.

    Returns:
        (resample, block, level); NaN where nobody saw anything.
    """
    cells = int(cell.max()) + 1
    found = []
    for number in range(cells):
        here = cell == number
        part, whole = stimuli[:, here] @ right[here], stimuli[:, here] @ asked[here]
        with np.errstate(invalid="ignore"):
            accuracy = part / whole  # (resample, subject)
        weights = np.where(whole > 0, people, 0.0)
        with np.errstate(invalid="ignore"):
            found.append(
                (np.where(whole > 0, accuracy, 0.0) * weights).sum(axis=1) / weights.sum(axis=1)
            )
    return np.stack(found, axis=-1).reshape(-1, 2, cells // 2)


@final
@dataclass(frozen=True, kw_only=True)
class SearchAsymmetry:
    """Similarity of a source's search asymmetry to that of people.

        exp(-scale |a_model - a_people|)

    with a of `search_asymmetry`; people's accuracies are means over people. Replicates resample
    stimuli, which both share, and people.

    Args:
        scale: how fast similarity falls, per unit of asymmetry.
        lapse_rate: of people; applied to both, as published.
        resamples: bootstrap replicates; 0 for none.
        seed: of the bootstrap.
    """

    scale: float = 0.75
    lapse_rate: float = 0.0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_rates(self.scale, self.lapse_rate)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source` to `target`.

        Args:
            source: one answer a stimulus: 1 or 0, or words or probabilities of choices, for which
                the target needs ``truth``.
            target: trials of people, with coordinates ``subject``, ``block`` and ``distractors``.

        Raises:
            AssemblyError: if an assembly has another form.
        """
        plan = design(target)
        right, asked = right_and_asked(target)
        model = correct(aligned(source, target), target)[plan.first]

        def asymmetries(stimuli: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            own = accuracies_of_people(
                model[:, None], np.ones((len(model), 1)), plan.cell, stimuli, np.ones((1, 1))
            )
            theirs = accuracies_of_people(right, asked, plan.cell, stimuli, people)
            return tuple(  # type: ignore[return-value]
                search_asymmetry(a, plan.distractors, self.lapse_rate) for a in (own, theirs)
            )

        def statistic(stimuli: np.ndarray, people: np.ndarray) -> np.ndarray:
            return value_delta(*asymmetries(stimuli, people), self.scale)

        subjects = trials(target).subjects
        ((own,), (theirs,)) = asymmetries(ones(plan.stimulus_ids), ones(subjects))
        raw = estimate(
            statistic,
            stimulus_ids=plan.stimulus_ids,
            subjects=subjects,
            method=f"asymmetry {own:.4g}, that of {len(subjects)} people {theirs:.4g}",
            quantity="similarity",
            resamples=self.resamples,
            seed=self.seed,
            elements=8 * len(subjects),
        )
        guessing = float(value_delta(np.array(0.0), np.array(theirs), self.scale))
        samples = xr.DataArray(
            [own, theirs], dims=["observer"], coords={"observer": ["model", "people"]}
        )
        note = f"who guesses, and so has no asymmetry, has a raw score of {guessing:.3f}"
        return Score(value=raw.value, raw=raw, samples=samples, notes=(note,))


@final
@dataclass(frozen=True, kw_only=True)
class HumanSearchAsymmetry:
    """Mean over random halvings of the trials of the similarity of asymmetries of both halves.

    Trials of all people are halved together, in the order of rows, with seeds 0, 1, ..., as
    published. Halves are noisier than the whole, so this is less than a perfect subject reaches.

    Args:
        scale, lapse_rate: as in `SearchAsymmetry`.
        splits: number of halvings.
        seed: of the first of them.
    """

    scale: float = 0.75
    lapse_rate: float = 0.0
    splits: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        require_rates(self.scale, self.lapse_rate)
        if self.splits < 1:
            raise OptionError(f"At least one halving is needed, not {self.splits}.")

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity among the trials of `assembly`.

        Raises:
            UndefinedScore: if halves leave out a block or a number of distractors too often.
        """
        plan, rows, answers = design(assembly), trials(assembly), correct(assembly)
        cell, cells = plan.cell[rows.stimulus], int(plan.cell.max()) + 1
        place, shape = rows.subject * cells + cell, (len(rows.subjects), cells)
        each = []
        for number in range(self.splits):
            order = np.random.RandomState(self.seed + number).permutation(len(answers))
            middle = len(order) // 2
            first, second = (
                _asymmetry(answers[half], place[half], shape, plan.distractors, self.lapse_rate)
                for half in (order[:middle], order[middle:])
            )
            each.append(float(value_delta(first, second, self.scale)))
        kept = np.array(each)[np.isfinite(each)]
        if len(kept) < 0.9 * self.splits:
            raise UndefinedScore(
                f"Only {len(kept)} of {self.splits} halvings of {len(answers)} trials have trials "
                "of each block and number of distractors in both halves."
            )
        return Estimate(
            value=float(kept.mean()),
            error=float(kept.std()),
            method=f"mean and sd over {len(kept)} random halvings of {len(answers)} trials",
            quantity="similarity",
        )


def _asymmetry(
    answers: np.ndarray,
    place: np.ndarray,
    shape: tuple[int, int],
    distractors: np.ndarray,
    lapse_rate: float,
) -> np.ndarray:
    """Asymmetry of mean accuracies over people; NaN if a cell is empty."""
    size = shape[0] * shape[1]
    right, asked = (
        np.bincount(place, weights, minlength=size).reshape(shape)
        for weights in (answers, np.ones_like(answers))
    )
    seen = asked > 0
    with np.errstate(invalid="ignore"):
        accuracy = np.where(seen, right / np.where(seen, asked, 1), 0).sum(axis=0) / seen.sum(
            axis=0
        )
    return search_asymmetry(accuracy.reshape(2, -1), distractors, lapse_rate)


def require_rates(scale: float, lapse_rate: float) -> None:
    """Refuse a scale or a lapse rate that has no meaning.

    Raises:
        OptionError
    """
    if not (scale > 0 and 0 <= lapse_rate < 1):
        raise OptionError(
            f"The scale is positive and the lapse rate below 1; not {scale} and {lapse_rate}."
        )
