"""RNN_5: a recurrent layer that learns to turn features of a part into those of the whole."""

from __future__ import annotations

import numpy as np

from corteval.errors import OptionError

TRAINING_STEPS, TEST_STEPS = 5, 6
BATCH, EPOCHS = 512, 10

#: Of the optimiser RMSprop: step, decay and what keeps divisors from 0. The source names only the
#: optimiser; these are the defaults of Keras, in which it was written.
LEARNING_RATE, DECAY, EPSILON = 1e-3, 0.9, 1e-7


def recurrent_states(x: np.ndarray, weights: np.ndarray, steps: int) -> list[np.ndarray]:
    """States h_1, ..., h_steps of the recurrent layer.

        h_t = ReLU(x + U h_{t-1}),    h_0 = 0

    Source: spec ``models`` section 6.

    Args:
        x: (presentation, unit), the same input at each step.
        weights: U, (unit, unit).
        steps: at least 1.
    """
    if steps < 1:
        raise OptionError(f"A recurrent layer takes at least one step, not {steps}.")
    states = [np.maximum(x, 0)]
    for _ in range(steps - 1):
        states.append(np.maximum(x + states[-1] @ weights.T, 0))
    return states


def loss_and_gradient(
    weights: np.ndarray, x: np.ndarray, wanted: np.ndarray, steps: int = TRAINING_STEPS
) -> tuple[float, np.ndarray]:
    """Mean squared error of the last state, and its gradient by U.

    Args:
        weights: U, (unit, unit).
        x, wanted: (presentation, unit).
        steps: of the layer.
    """
    states = recurrent_states(x, weights, steps)
    difference = states[-1] - wanted
    upstream = 2 * difference / difference.size
    gradient = np.zeros_like(weights)
    for step in range(steps - 1, 0, -1):
        through = upstream * (states[step] > 0)
        gradient += through.T @ states[step - 1]
        upstream = through @ weights
    return float((difference**2).mean()), gradient


def trained_weights(
    parts: np.ndarray,
    wholes: np.ndarray,
    *,
    epochs: int = EPOCHS,
    batch: int = BATCH,
    seed: int = 0,
) -> np.ndarray:
    """U that turns features of parts into those of the whole, from U = 0.

    Only U is trained, by RMSprop on the mean squared error after five steps, over batches of rows
    in an order drawn anew each epoch. Source: spec ``models`` section 6.

    Args:
        parts: (presentation, unit) features of occluded images.
        wholes: (presentation, unit) features of the same images when whole, rectified.
        epochs, batch: of the training.
        seed: of the order.
    """
    weights = np.zeros((parts.shape[1], parts.shape[1]))
    squares = np.zeros_like(weights)
    generator = np.random.default_rng(seed)
    for _ in range(epochs):
        order = generator.permutation(len(parts))
        for start in range(0, len(parts), batch):
            rows = order[start : start + batch]
            _, gradient = loss_and_gradient(weights, parts[rows], wholes[rows])
            squares = DECAY * squares + (1 - DECAY) * gradient**2
            weights = weights - LEARNING_RATE * gradient / (np.sqrt(squares) + EPSILON)
    return weights
