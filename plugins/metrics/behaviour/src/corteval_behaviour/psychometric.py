"""Psychometric functions: chance of a right answer as a function of stimulus level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr, ndtri, xlogy
from scipy.stats import norm

from corteval.errors import OptionError, UndefinedScore

#: Slopes that a fit starts from, in 1 / units of the level.
SLOPES = np.logspace(-3, 1, 50)

#: Smallest and largest lapse rate.
LAPSES = (0.03, 0.5)

#: Below this accuracy, share of explained variance and share of kept levels there is no threshold.
FEWEST_RIGHT = 0.6
LEAST_EXPLAINED = 0.4
FEWEST_LEVELS = 1 / 3

#: A slope stays above this, so that the function rises.
_FLATTEST = 1e-9


class Psychometric(NamedTuple):
    """A function of level: guess + (1 - guess - lapse) Φ(slope (level - location)).

    Args:
        slope: α, 1 / units of the level.
        location: β, in units of the level.
        lapse: λ, share of wrong answers however easy the stimulus.
        guess: γ, chance level.
    """

    slope: float
    location: float
    lapse: float
    guess: float

    def accuracy(self, levels: np.ndarray) -> np.ndarray:
        """Chance of a right answer at `levels`."""
        rise = 1 - self.guess - self.lapse
        return np.asarray(self.guess + rise * ndtr(self.slope * (levels - self.location)))

    def level(self, accuracy: float) -> float:
        """Level at which `accuracy` is reached; NaN if it never is."""
        if not self.guess < accuracy < 1 - self.lapse:
            return float("nan")
        share = (accuracy - self.guess) / (1 - self.guess - self.lapse)
        return float(self.location + ndtri(share) / self.slope)


def fit_psychometric(
    levels: np.ndarray,
    right: np.ndarray,
    count: np.ndarray,
    *,
    guess: float = 0.5,
    starts: int = 10,
) -> Psychometric:
    """Maximum-likelihood fit of a psychometric function.

    L-BFGS-B with the lapse rate within `LAPSES`, from the `starts` best points of the grid of
    `SLOPES` by levels; the fit of highest likelihood is kept. Source: spec ``metrics`` 2.7.

    Args:
        levels: (level) of the stimuli.
        right, count: (level) numbers of right answers and of trials.
        guess: chance level.
        starts: how many points of the grid to start from.
    """
    if not 0 <= guess <= 1 - LAPSES[1] or starts < 1:
        raise OptionError(
            f"A fit takes a chance level of at most {1 - LAPSES[1]:g} and at least one start; not "
            f"{guess} and {starts}."
        )
    slopes, locations = (axis.ravel() for axis in np.meshgrid(SLOPES, levels, indexing="ij"))
    with np.errstate(divide="ignore"):
        chances = guess + (1 - guess - LAPSES[0]) * ndtr(
            slopes[:, None] * (levels - locations[:, None])
        )
        losses = -(xlogy(right, chances) + xlogy(count - right, 1 - chances)).sum(axis=1)
    best = None
    for place in np.argsort(losses, kind="stable")[:starts]:
        found = minimize(
            _loss,
            [slopes[place], locations[place], LAPSES[0]],
            args=(levels, right, count, guess),
            jac=True,
            method="L-BFGS-B",
            bounds=[(_FLATTEST, None), (None, None), LAPSES],
        )
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    slope, location, lapse = best.x.tolist()
    return Psychometric(slope, location, lapse, guess)


def rising_levels(accuracy: np.ndarray) -> int:
    """How many levels, from the lowest, to fit.

    Levels after the peak are left out if all of them lie at least one standard deviation of all
    accuracies below it: the answers have reversed. Source: spec ``metrics`` 2.7.

    Args:
        accuracy: (level) in ascending order of level.
    """
    peak = int(np.argmax(accuracy))
    after = accuracy[peak + 1 :]
    reversed_ = len(after) and (after <= accuracy[peak] - accuracy.std()).all()
    return peak + 1 if reversed_ else len(accuracy)


def psychometric_threshold(
    levels: np.ndarray,
    right: np.ndarray,
    count: np.ndarray,
    *,
    at: float = 0.75,
    guess: float = 0.5,
    starts: int = 10,
) -> tuple[float, Psychometric, int]:
    """Level at which a fitted psychometric function reaches an accuracy.

    Source: spec ``metrics`` 2.7.

    Args:
        levels: (level) ascending.
        right, count: (level) numbers of right answers and of trials.
        at: the accuracy.
        guess, starts: of `fit_psychometric`.

    Returns:
        The threshold, the function, and how many levels it was fitted to.

    Raises:
        UndefinedScore: if the answers are right in less than 60 % or, as often, in more than `at`
            at all levels, if less than a third of the
            levels is left before answers reverse, if the function explains less than 40 % of the
            variance of accuracies, or if it reaches the accuracy nowhere or beyond all levels.
    """
    accuracy = right / count
    if accuracy.mean() < FEWEST_RIGHT:
        raise UndefinedScore(
            f"Answers are right in {accuracy.mean():.1%}, less than {FEWEST_RIGHT:.0%}: there is "
            "no threshold."
        )
    if np.ptp(accuracy) == 0 and accuracy[0] >= at:
        raise UndefinedScore(
            f"Answers are right in {accuracy[0]:.1%} at every level: the threshold, an accuracy of "
            f"{at:g}, lies below the lowest level, {levels.min():.4g}. Show lower levels."
        )
    kept = rising_levels(accuracy)
    if kept < FEWEST_LEVELS * len(levels) or kept < 2:
        raise UndefinedScore(
            f"Only {kept} of {len(levels)} levels lie before the answers reverse: there is no "
            "threshold."
        )
    function = fit_psychometric(
        levels[:kept], right[:kept], count[:kept], guess=guess, starts=starts
    )
    residual = accuracy[:kept] - function.accuracy(levels[:kept])
    variance = ((accuracy[:kept] - accuracy[:kept].mean()) ** 2).sum()
    if not variance > 0 or 1 - (residual**2).sum() / variance < LEAST_EXPLAINED:
        raise UndefinedScore(
            f"A psychometric function explains less than {LEAST_EXPLAINED:.0%} of the variance of "
            "accuracies over levels: there is no threshold."
        )
    found = function.level(at)
    if not found <= levels.max():
        raise UndefinedScore(
            f"An accuracy of {at:g} is reached at level {found:.4g}; the highest shown was "
            f"{levels.max():.4g}."
        )
    return found, function, kept


def threshold_influence(
    function: Psychometric, levels: np.ndarray, right: np.ndarray, *, at: float = 0.75
) -> np.ndarray:
    """First-order change of the threshold if a trial were counted once more.

        ∇t' (Σ ∇Ψ ∇Ψ' / (Ψ (1-Ψ)))⁻¹ ∇Ψ_i (y_i - Ψ_i) / (Ψ_i (1-Ψ_i))

    with derivatives by slope, location and, unless it is at a bound, lapse rate.

    Args:
        function: fitted.
        levels, right: (trial) level of each fitted trial, and 1 or 0.
        at: accuracy at the threshold.

    Returns:
        (trial).
    """
    chance = function.accuracy(levels)
    gradient = _gradient(function, levels)
    rise = 1 - function.guess - function.lapse
    share = (at - function.guess) / rise
    z = ndtri(share)
    by = np.array([-z / function.slope**2, 1, share / rise / norm.pdf(z) / function.slope])
    free = np.array([True, True, LAPSES[0] < function.lapse < LAPSES[1]])
    gradient, by = gradient[free], by[free]
    spread = chance * (1 - chance)
    information = (gradient / spread) @ gradient.T
    return np.asarray(by @ np.linalg.pinv(information) @ gradient * (right - chance) / spread)


def _gradient(function: Psychometric, levels: np.ndarray) -> np.ndarray:
    """(parameter, level) derivatives of accuracy."""
    slope, location, lapse, guess = function
    argument = slope * (levels - location)
    steep = (1 - guess - lapse) * norm.pdf(argument)
    return np.stack([steep * (levels - location), -steep * slope, -ndtr(argument)])


def _loss(
    parameters: np.ndarray, levels: np.ndarray, right: np.ndarray, count: np.ndarray, guess: float
) -> tuple[float, np.ndarray]:
    """Negative log-likelihood and its gradient."""
    slope, location, lapse = parameters.tolist()
    function = Psychometric(slope, location, lapse, guess)
    tiny = np.finfo(np.float64).tiny
    chance = np.clip(function.accuracy(levels), tiny, 1 - 1e-16)
    loss = -(right * np.log(chance) + (count - right) * np.log1p(-chance)).sum()
    by_chance = (count - right) / (1 - chance) - right / chance
    return float(loss), _gradient(function, levels) @ by_chance
