"""Hopfield networks whose stable states are given patterns: the design of MATLAB's ``newhop``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from corteval.errors import OptionError

#: Decay of what is not spanned by the patterns, and length of a step.
TAU, STEP = 10.0, 0.15

#: Steps after which a state is taken as it is.
MOST_STEPS = 300


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Hopfield:
    """A network y ← satlins(W y + b), satlins cutting off at -1 and 1.

    W = e^{-τh} 1 + (e^h - e^{-τh}) U Uᵀ is kept as U, since it has as few columns as patterns.

    Args:
        basis: U, (unit, direction) with orthonormal columns.
        bias: b, (unit).
    """

    basis: np.ndarray
    bias: np.ndarray

    @property
    def weights(self) -> np.ndarray:
        """W, (unit, unit)."""
        decay, growth = np.exp(-TAU * STEP), np.exp(STEP)
        return np.asarray(
            decay * np.eye(len(self.bias)) + (growth - decay) * self.basis @ self.basis.T
        )

    def step(self, states: np.ndarray) -> np.ndarray:
        """The next states of (pattern, unit) states."""
        decay, growth = np.exp(-TAU * STEP), np.exp(STEP)
        within = (states @ self.basis) @ self.basis.T
        return np.asarray((decay * states + (growth - decay) * within + self.bias).clip(-1, 1))

    def settled(self, states: np.ndarray, most_steps: int = MOST_STEPS) -> np.ndarray:
        """States that no longer change, or those after `most_steps`; (pattern, unit)."""
        found = states.astype(np.float64)
        moving = np.arange(len(found))
        for _ in range(most_steps):
            if not moving.size:
                break
            following = self.step(found[moving])
            moved = abs(following - found[moving]).max(axis=1, initial=0) > 1e-9
            found[moving] = following
            moving = moving[moved]
        return found


def newhop(patterns: np.ndarray) -> Hopfield:
    """The network whose stable states are `patterns`.

    With T the patterns as columns, Q of them, and h = .15, τ = 10::

        Y = T[:, 1:Q-1] - T[:, Q],    U the first K = rank Y left singular vectors of Y
        P = U Uᵀ,    A = P - τ (1 - P),    I = T_Q - A T_Q
        W = e^{hA},    b = (e^h - 1) P I + (1 - e^{-τh})/τ (1 - P) I

    Source: spec ``models`` section 6, after Li, Michel and Porod (1989).

    Args:
        patterns: (pattern, unit), of values -1 and 1.

    Raises:
        OptionError: if there is no pattern, or one has other values.
    """
    if patterns.ndim != 2 or not len(patterns):
        raise OptionError("A Hopfield network needs at least one pattern.")
    if not np.isin(patterns, (-1, 1)).all():
        raise OptionError("Patterns of a Hopfield network consist of -1 and 1.")
    last = patterns[-1].astype(np.float64)
    basis = np.zeros((patterns.shape[1], 0))
    if len(patterns) > 1:
        left, values, _ = np.linalg.svd((patterns[:-1] - last).T, full_matrices=False)
        least = values[:1].max(initial=0) * max(patterns.shape) * np.finfo(float).eps
        basis = left[:, values > least]

    def spanned(x: np.ndarray) -> np.ndarray:
        return np.asarray(basis @ (basis.T @ x))

    drive = last - ((1 + TAU) * spanned(last) - TAU * last)
    inside = spanned(drive)
    shrink = (1 - np.exp(-TAU * STEP)) / TAU
    return Hopfield(basis=basis, bias=(np.exp(STEP) - 1) * inside + shrink * (drive - inside))


def bipolar(features: np.ndarray, thresholds: np.ndarray | float = 0.0) -> np.ndarray:
    """1 where a feature exceeds its threshold, else -1."""
    return np.where(features > thresholds, 1.0, -1.0)
