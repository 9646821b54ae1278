"""Accuracy over conditions, with replicates that draw objects."""

from __future__ import annotations

import numpy as np

from corteval.errors import OptionError, UndefinedScore
from corteval.score import Estimate
from corteval.stats.resampling import draw, replicates


def accuracy(
    right: np.ndarray, objects: np.ndarray, *, what: str, resamples: int, seed: int
) -> Estimate:
    """Mean over images of the share of right answers, each image in all its conditions.

    Replicates draw objects, with all their images and conditions, so that estimates of the same
    objects with the same seed are paired. The error is the standard error over objects::

        a = Σ_o n_o a_o / Σ_o n_o,    error² = k/(k-1) Σ_o (n_o (a_o - a))² / (Σ_o n_o)²

    with n_o images of object o, of which a share a_o is right, and k objects.

    Args:
        right: (image, condition), 1 or 0.
        objects: of each image.
        what: the conditions, for the method.
        resamples: replicates; 0 for none.
        seed: of the draws.
    """
    if resamples < 0:
        raise OptionError(f"There cannot be {resamples} resamples; 0 gives no replicates.")
    names, of_object = np.unique(np.asarray(objects, str), return_inverse=True)
    each = right.mean(axis=1)
    images, sums = (np.bincount(of_object, weights=w) for w in (np.ones_like(each), each))
    value = float(sums.sum() / images.sum())
    count = len(names)
    error = None
    if count > 1:
        spread = ((sums - images * value) ** 2).sum() * count / (count - 1)
        error = float(np.sqrt(spread) / images.sum())
    made = []
    for way in draw(stimulus_ids=names, resamples=resamples, seed=seed):
        counts = np.asarray(way.stimuli, np.float64)
        drawn = way._replace(scope="objects")
        made.append(replicates(drawn, (counts @ sums) / (counts @ images)))
    return Estimate(
        value=value,
        error=error,
        method=f"share of {right.size} images ({what}), standard error over {count} objects",
        quantity="accuracy",
        replicates=tuple(made),
    )


def require_recognised(right: np.ndarray, choices: int, *, level: float = 0.05) -> None:
    """Refuse a subject that does not recognise the undisturbed images.

    It must be right more often than guessing, by an exact binomial test (one-sided): otherwise
    there is nothing that a disturbance could spoil.

    Args:
        right: 1 or 0 for each undisturbed image.
        choices: number of labels.
        level: of the test.

    Raises:
        UndefinedScore: with the numbers.
    """
    from scipy.stats import binomtest

    hits, count = int(right.sum()), int(right.size)
    if binomtest(hits, count, 1 / choices, alternative="greater").pvalue >= level:
        raise UndefinedScore(
            f"{hits} of {count} undisturbed images are recognised; guessing among {choices} labels "
            f"gives {count / choices:.3g}. What is not recognised cannot be spoilt."
        )
