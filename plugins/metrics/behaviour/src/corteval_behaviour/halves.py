"""Random halves of trials or subjects."""

from __future__ import annotations

import numpy as np

from corteval.errors import OptionError


def shuffled_halves(count: int, repetitions: int, seed: int) -> np.ndarray:
    """Halves by shuffling, as ``RandomState(seed).shuffle`` of positions, time after time.

    Returns:
        (repetition, 2, count) True for the members of the first and of the second half; with an
        odd count the second half has one more. Source: spec ``metrics`` 2.6.
    """
    require_repetitions(repetitions)
    state = np.random.RandomState(seed)
    first = np.zeros((repetitions, count), bool)
    for row in first:
        order = np.arange(count)
        state.shuffle(order)
        row[order[: count // 2]] = True
    return np.stack([first, ~first], axis=1)


def chosen_halves(count: int, repetitions: int, seed: int) -> np.ndarray:
    """Halves by ``RandomState(seed).choice(count, count // 2, replace=False)``, time after time.

    Returns:
        As `shuffled_halves`. Source: spec ``metrics``, language side 2.4.
    """
    require_repetitions(repetitions)
    state = np.random.RandomState(seed)
    first = np.zeros((repetitions, count), bool)
    for row in first:
        row[state.choice(count, count // 2, replace=False)] = True
    return np.stack([first, ~first], axis=1)


def complemented_halves(count: int, repetitions: int, seed: int) -> np.ndarray:
    """Published mistake: half of the positions drawn with replacement, against ``~`` of them.

    The complement of a position p is taken as ``~p``, which counts from the end: count - 1 - p.
    So the halves overlap and leave rows out. Source: spec ``metrics`` 2.7.

    Returns:
        (repetition, 2, count) how often each position is in the first and in the second half.
    """
    require_repetitions(repetitions)
    state = np.random.RandomState(seed)
    drawn = np.stack([state.choice(count, count // 2) for _ in range(repetitions)])
    halves = np.zeros((repetitions, 2, count))
    for row, half in zip(halves, drawn, strict=True):
        np.add.at(row[0], half, 1)
        np.add.at(row[1], ~half, 1)
    return halves


def require_repetitions(repetitions: int) -> None:
    """Refuse a number of repetitions below one.

    Raises:
        OptionError
    """
    if repetitions < 1:
        raise OptionError(f"Halves must be drawn at least once, not {repetitions} times.")
