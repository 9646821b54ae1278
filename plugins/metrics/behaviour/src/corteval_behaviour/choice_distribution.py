"""How well a model's choices match, stimulus by stimulus, the distribution of human choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
import xarray as xr
from scipy import sparse
from scipy.special import xlogy

from corteval.score import Estimate, Score
from corteval_behaviour.bootstrap import estimate, ones, require_resamples
from corteval_behaviour.halves import require_repetitions
from corteval_behaviour.trials import (
    Trials,
    aligned,
    chosen,
    column_of_choices,
    distributions,
    trials,
)
from corteval_behaviour.weighted import ratio, weighted_mean


def distribution_similarity(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """1 - Jensen-Shannon distance of two distributions, with logarithms to base 2.

        1 - sqrt((KL(p | m) + KL(q | m)) / 2),    m = (p + q) / 2

    Source: Lin 1991; the distance is a metric between 0 and 1.

    Args:
        first, second: p, q (..., choice); each sums to 1.

    Returns:
        (...) 1 for equal distributions, 0 for such as share no choice; NaN where one has NaN.
    """
    middle = (first + second) / 2
    divergence = _entropy(middle) - (_entropy(first) + _entropy(second)) / 2
    return np.asarray(1 - np.sqrt(np.maximum(divergence, 0)))


@final
@dataclass(frozen=True, kw_only=True)
class ChoiceDistribution:
    """Mean over stimuli of the similarity of the source's distribution to half of the trials'.

    Few trials make any distribution look peaked, so the source is compared with halves of each
    stimulus' trials, as halves are with one another in `HumanChoiceDistribution`: a source that
    knows the true distribution is above that ceiling, one that is as noisy as a half reaches it.

    Args:
        repetitions: random halvings; both halves of each are compared.
        split_seed: of the halvings.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    repetitions: int = 2
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.repetitions)

    def __call__(self, source: xr.DataArray, target: xr.DataArray) -> Score:
        """Similarity of `source` to `target`.

        Args:
            source: one row a stimulus: probabilities of choices, or words.
            target: trials as words or shares of choices.

        Raises:
            UndefinedScore: if no stimulus has two trials, or probabilities of a row are all 0.
        """
        rows = trials(target)
        answers = aligned(source, target)
        names = np.union1d(_choices(answers), _choices(target))
        first = np.unique(rows.stimulus, return_index=True)[1]
        model = _shares(answers, names)[first]
        halves = _halves(rows, _shares(target, names), self.repetitions, self.split_seed)

        def similarities(subjects: np.ndarray) -> np.ndarray:
            each = [
                distribution_similarity(model, half(subjects)) for pair in halves for half in pair
            ]
            return weighted_mean(np.stack(each, axis=-1))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(similarities(subjects), stimuli)

        each = similarities(ones(rows.subjects))[0]
        raw = estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_NO_HALVES,
            method=f"mean and standard error over {int(np.isfinite(each).sum())} stimuli, halves "
            f"of {len(rows.stimulus)} trials",
            quantity="similarity",
            error=_standard_error(each),
            resamples=self.resamples,
            seed=self.seed,
            elements=6 * model.size,
        )
        samples = xr.DataArray(
            each,
            dims=["presentation"],
            coords={"stimulus_id": ("presentation", rows.stimulus_ids)},
        )
        return Score(value=raw.value, raw=raw, samples=samples)


@final
@dataclass(frozen=True, kw_only=True)
class HumanChoiceDistribution:
    """Mean over stimuli of the similarity of the choices in two random halves of the trials.

    Args:
        repetitions, split_seed: as in `ChoiceDistribution`, whose halves these are.
        resamples: bootstrap replicates over stimuli and subjects; 0 for none.
        seed: of the bootstrap.
    """

    repetitions: int = 2
    split_seed: int = 0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        require_resamples(self.resamples)
        require_repetitions(self.repetitions)

    def __call__(self, assembly: xr.DataArray) -> Estimate:
        """Similarity of halves of `assembly`, trials as words or shares of choices.

        Raises:
            UndefinedScore: if no stimulus has two trials.
        """
        rows = trials(assembly)
        shares = _shares(assembly, np.unique(_choices(assembly)))
        halves = _halves(rows, shares, self.repetitions, self.split_seed)

        def similarities(subjects: np.ndarray) -> np.ndarray:
            each = [distribution_similarity(a(subjects), b(subjects)) for a, b in halves]
            return weighted_mean(np.stack(each, axis=-1))

        def statistic(stimuli: np.ndarray, subjects: np.ndarray) -> np.ndarray:
            return weighted_mean(similarities(subjects), stimuli)

        each = similarities(ones(rows.subjects))[0]
        return estimate(
            statistic,
            stimulus_ids=rows.stimulus_ids,
            subjects=rows.subjects,
            undefined=_NO_HALVES,
            method=f"mean and standard error over {int(np.isfinite(each).sum())} stimuli, halves "
            f"of {len(rows.stimulus)} trials",
            quantity="similarity",
            error=_standard_error(each),
            resamples=self.resamples,
            seed=self.seed,
            elements=6 * len(each) * shares.shape[1],
        )


_NO_HALVES = "No stimulus has two trials, so the spread of human choices is not known."


def _entropy(shares: np.ndarray) -> np.ndarray:
    return np.asarray(-xlogy(shares, shares).sum(axis=-1) / np.log(2))


def _choices(assembly: xr.DataArray) -> np.ndarray:
    return column_of_choices(assembly) if "choice" in assembly.dims else chosen(assembly)


def _shares(assembly: xr.DataArray, names: np.ndarray) -> np.ndarray:
    """(presentation, choice) shares of the choices `names`."""
    shares = np.zeros((assembly.sizes["presentation"], len(names)))
    if "choice" in assembly.dims:
        shares[:, np.searchsorted(names, column_of_choices(assembly))] = distributions(assembly)
    else:
        shares[np.arange(len(shares)), np.searchsorted(names, chosen(assembly))] = 1
    return shares


def _halves(
    rows: Trials, shares: np.ndarray, repetitions: int, seed: int
) -> list[tuple[Callable[[np.ndarray], np.ndarray], ...]]:
    """Both halves of every halving: distributions (resample, stimulus, choice) of subject counts.

    Trials are shuffled as by ``RandomState(seed).shuffle``; of each stimulus' trials those in even
    places make one half, those in odd places the other.
    """
    state = np.random.RandomState(seed)
    found = []
    for _ in range(repetitions):
        order = np.arange(len(rows.stimulus))
        state.shuffle(order)
        order = order[np.argsort(rows.stimulus[order], kind="stable")]
        sizes = np.bincount(rows.stimulus)
        place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        found.append(
            tuple(_distribution(rows, shares, order[place % 2 == half]) for half in (0, 1))
        )
    return found


def _distribution(
    rows: Trials, shares: np.ndarray, members: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Distribution over choices of the `members` among the trials; NaN for stimuli without any."""
    size = len(rows.stimulus_ids), shares.shape[1]
    trial, choice = np.nonzero(shares[members])
    member = members[trial]
    cells = rows.stimulus[member] * size[1] + choice
    table = sparse.csr_array(
        (shares[member, choice], (cells, rows.subject[member])),
        shape=(size[0] * size[1], len(rows.subjects)),
    )

    def distribution(subjects: np.ndarray) -> np.ndarray:
        counts = np.asarray(table @ subjects.T).T.reshape(len(subjects), *size)
        return ratio(counts, counts.sum(axis=-1, keepdims=True))

    return distribution


def _standard_error(each: np.ndarray) -> float | None:
    count = int(np.isfinite(each).sum())
    return float(np.nanstd(each, ddof=1) / np.sqrt(count)) if count > 1 else None
