"""Read-outs that complete patterns before they are classified."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from corteval.errors import OptionError
from corteval_occlusion.hopfield import bipolar, newhop
from corteval_occlusion.recurrent import TEST_STEPS, recurrent_states, trained_weights

Completion = Literal["none", "hopfield", "rnn5"]


class Features(NamedTuple):
    """Features (presentation, unit) of one fold.

    Args:
        fit: of whole images to fit on.
        parts: of the same images occluded, image by image for each number of bubbles.
        test: of images to classify.
    """

    fit: np.ndarray
    parts: np.ndarray
    test: np.ndarray


def completed(kind: Completion, features: Features, *, seed: int = 0) -> Features:
    """Features after a read-out has completed them.

    ``none``: as they are. ``hopfield`` (RNN_h): each unit is 1 above its mean over the images to
    fit on, else -1; a Hopfield network has these patterns of the images to fit on as stable states,
    and all features are its states once it has settled. ``rnn5`` (RNN_5): a recurrent layer learns
    to turn features of the occluded images to fit on into those of the whole ones; all features
    are its state after six steps. Neither sees a label, nor an image to be classified.

    Where the source has values before a rectification, which are positive or negative, subjects
    give responses of any kind: so a unit's threshold is its mean instead of 0, and features are
    divided by their root mean square over the images to fit on before the recurrent layer, whose
    step of learning would otherwise depend on their unit.

    Raises:
        OptionError: for an unknown kind.
    """
    if kind == "none":
        return features
    if kind == "hopfield":
        middle = features.fit.mean(axis=0)
        network = newhop(bipolar(features.fit, middle))
        fit, test = (network.settled(bipolar(x, middle)) for x in (features.fit, features.test))
        return Features(fit, features.parts, test)  # it learns nothing from parts
    if kind != "rnn5":
        raise OptionError(f"Completions are none, hopfield and rnn5, not {kind!r}.")
    size = float(np.sqrt((features.fit**2).mean()))
    fit, parts, test = (x / size if size > 0 else x for x in features)
    wholes = np.tile(np.maximum(fit, 0), (len(parts) // len(fit), 1))
    weights = trained_weights(parts, wholes, seed=seed)
    return Features(*(recurrent_states(x, weights, TEST_STEPS)[-1] for x in (fit, parts, test)))
