"""Cross-validated squared Mahalanobis distances between stimuli."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_similarity.grams import ROUNDING
from corteval_similarity.rdms import distances_from_products

#: Estimates of the covariance of noise.
Noise = Literal["ledoit-wolf", "diagonal", "none"]


def noise_covariance(trials: np.ndarray, noise: Noise = "ledoit-wolf") -> np.ndarray:
    """Covariance over units of what single trials add to the mean response to their stimulus.

        S = Σ_im e_im e_im' / (trials - stimuli),    e_im = x_im - mean_m x_im

    ``"ledoit-wolf"`` shrinks S towards a multiple of the identity by the share that Ledoit & Wolf
    (2004) derive, ``"diagonal"`` keeps variances only, ``"none"`` is the identity.

    Args:
        trials: (stimulus, unit, trial), NaN where there was no trial.
        noise: which estimate.

    Returns:
        (unit, unit).

    Raises:
        UndefinedScore: if a unit, or for Ledoit-Wolf all units, have no noise.
    """
    if noise not in get_args(Noise):
        raise OptionError(f"Noise is {', '.join(get_args(Noise))}, not {noise!r}.")
    units = trials.shape[1]
    if noise == "none":
        return np.eye(units)
    present = _present(trials)
    means = np.where(present[:, None], trials, 0).sum(axis=2) / present.sum(axis=1)[:, None]
    covariance, power, fourth = np.zeros((units, units)), np.zeros(units), 0.0
    for trial, there in enumerate(present.T):
        patterns = trials[there, :, trial]
        residuals = patterns - means[there]
        power += (patterns**2).sum(axis=0)
        covariance += residuals.T @ residuals
        fourth += float(((residuals**2).sum(axis=1) ** 2).sum())
    count, freedom = int(present.sum()), int(present.sum()) - len(present)
    silent = covariance.diagonal() <= ROUNDING**2 * power
    if silent.any() if noise == "diagonal" else silent.all():
        raise UndefinedScore(
            f"{int(silent.sum())} of {units} units respond alike in all trials of a stimulus; "
            "without noise there is nothing to scale by. Use noise='none'."
        )
    if noise == "diagonal":
        return np.diag(covariance.diagonal() / freedom)
    covariance /= count
    level = covariance.trace() / units
    target = level * np.eye(units)
    distance = float(((covariance - target) ** 2).sum())
    error = (fourth / count - float((covariance**2).sum())) / count
    share = min(error / distance, 1.0) if distance > 0 else 0.0
    return (share * target + (1 - share) * covariance) * (count / freedom)


def crossnobis_rdm(trials: np.ndarray, covariance: np.ndarray | None = None) -> np.ndarray:
    """Unbiased estimates of squared Mahalanobis distances between mean responses, over units.

        d_ij = (G_ii + G_jj - 2 G_ij) / units,    G_ij = mean_{m≠m'} x_im' S⁻¹ x_jm'

    Only different trials are multiplied, so noise adds nothing on average: stimuli that evoke the
    same response have an expected distance of 0, and estimates may be negative. With as many
    trials of every stimulus this is the mean over leave-one-trial-out folds. Source: Walther et
    al. 2016.

    Args:
        trials: x, (stimulus, unit, trial), NaN where there was no trial.
        covariance: S, (unit, unit), see `noise_covariance`; the identity if None.

    Returns:
        (pair), see `pairs`.

    Raises:
        AssemblyError: if a trial has responses of some units only, or S is not positive definite.
        UndefinedScore: if a stimulus has fewer than two trials.
    """
    present = _present(trials)
    factor = None if covariance is None else _cholesky(covariance)
    total, own = np.zeros(trials.shape[:2]), np.zeros((len(trials), len(trials)))
    for trial, there in enumerate(present.T):
        patterns = np.where(there[:, None], trials[:, :, trial], 0.0)
        if factor is not None:
            patterns = solve_triangular(factor, patterns.T, lower=True).T
        total += patterns
        own += patterns @ patterns.T
    counted = present.astype(np.float64)
    products = total @ total.T - own
    products /= np.outer(counted.sum(axis=1), counted.sum(axis=1)) - counted @ counted.T
    return distances_from_products(products) / trials.shape[1]


def _present(trials: np.ndarray) -> np.ndarray:
    """Which trials there were, (stimulus, trial)."""
    missing = np.isnan(trials)
    present = ~missing.all(axis=1)
    partial = present & missing.any(axis=1)
    if partial.any():
        raise AssemblyError(
            f"{int(partial.sum())} trials have responses of some neuroids only, so there is no "
            "pattern. Keep neuroids or trials that were recorded together."
        )
    few = np.flatnonzero(present.sum(axis=1) < 2)
    if len(few):
        raise UndefinedScore(
            f"{len(few)} of {len(trials)} stimuli have fewer than two trials; distances across "
            f"trials take two of each. The first is number {few[0] + 1}."
        )
    return present


def _cholesky(covariance: np.ndarray) -> np.ndarray:
    try:
        return np.asarray(cholesky(covariance, lower=True))
    except LinAlgError as error:
        raise AssemblyError("The noise covariance is not positive definite.") from error
