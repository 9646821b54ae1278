"""Sensitivity d' of choices between two objects, of images and of objects.

Arrays of false alarms have a row an image and a column an object k: the chance that k is chosen
although the image shows another object, when k and the shown object are on offer. The column of
the shown object is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import ndtri

from corteval_behaviour.weighted import ratio, weighted_mean

Level = Literal["image", "object"]
Versus = Literal["other", "all"]

#: d' beyond this is cut to it.
LIMIT = 5.0


def false_alarms_of_probabilities(probabilities: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """p_k / (p_k + p_shown): chance of k in a choice between k and the shown object.

    Source: spec ``metrics`` 2.6.

    Args:
        probabilities: (image, object).
        shown: (image) position of the shown object.

    Returns:
        (image, object); NaN for the shown object, and where both probabilities are 0.
    """
    right = np.take_along_axis(probabilities, shown[:, None], axis=1)
    rates = ratio(probabilities, probabilities + right)
    np.put_along_axis(rates, shown[:, None], np.nan, axis=1)
    return rates


def sensitivity(
    false_alarms: np.ndarray,
    shown: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    level: Level = "image",
    versus: Versus = "other",
    normalise: bool = False,
) -> np.ndarray:
    """Sensitivity: d' = z(hit rate) - z(false alarm rate), cut to ±5.

    With F the false alarms, t the object that image i shows, and means over images weighted::

        image, other:    d'(i, k) = z(1 - F(i, k)) - z(mean over images of k of F(., t))
        object, other:   d'(t, k) = z(1 - mean over images of t of F(., k)) - z(mean ... as above)
        all:             mean of d'(i, k) or d'(t, k) over k
        normalised:      minus the mean over images of t of d'(., k), before the mean over k

    z is the quantile function of the normal distribution. Source: Rajalingham et al. 2018; spec
    ``metrics`` 2.6, where the mean over k follows the field's code: the paper pools the trials of
    all k instead.

    Args:
        false_alarms: (..., image, object).
        shown: (image) position of the object each image shows.
        weights: (..., image); once each if None.
        level: ``"image"`` or ``"object"``.
        versus: ``"other"``: each other object apart; ``"all"``: their mean.
        normalise: of images only: subtract what all images of an object share.

    Returns:
        (..., image or object, object), or (..., image or object) versus all; NaN where undefined,
        as where hits and false alarms are both certain.
    """
    weights = np.ones(len(shown)) if weights is None else weights
    objects = false_alarms.shape[-1]
    of_object = np.eye(objects)[:, shown]  # (object, image)
    rates = _mean_by_object(false_alarms, of_object, weights)
    confused = np.swapaxes(rates, -1, -2)  # of other objects' images with this one
    with np.errstate(invalid="ignore"):
        if level == "object":
            d = ndtri(1 - rates) - ndtri(confused)
        else:
            d = ndtri(1 - false_alarms) - ndtri(confused)[..., shown, :]
    d = np.clip(d, -LIMIT, LIMIT)
    if normalise and level == "image":
        d = d - _mean_by_object(d, of_object, weights)[..., shown, :]
    return weighted_mean(d) if versus == "all" else np.asarray(d)


def _mean_by_object(values: np.ndarray, of_object: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Mean over the images of each object: (..., image, k) to (..., object, k); NaN left out."""
    present = ~np.isnan(values)
    weights = weights[..., None]
    part = of_object @ (np.where(present, values, 0.0) * weights)
    return ratio(part, of_object @ (present * weights))
