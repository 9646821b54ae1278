"""Linear support vector machines whose penalty is chosen by cross-validation."""

from __future__ import annotations

from typing import Any

import numpy as np

from corteval.errors import OptionError

#: Penalties tried (spec ``models`` section 6).
PENALTIES = tuple(10.0**k for k in range(-4, 5))

FOLDS = 5


def standardised(fit: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """`fit` and `others` (presentation, unit) less the mean over `fit`, over its spread.

    Units that do not vary over `fit` become 0. All are divided by the square root of the number of
    units, so that an image has a squared length of about 1 and a penalty means the same for layers
    of any size.
    """
    centre, spread = fit.mean(axis=0), fit.std(axis=0)
    constant = spread <= 1e-9 * np.maximum(abs(centre), np.finfo(float).tiny)
    scale = np.where(constant, 0.0, 1 / np.where(constant, 1.0, spread)) / np.sqrt(fit.shape[1])
    return tuple((x - centre) * scale for x in (fit, *others))


def classified(
    fit: np.ndarray,
    labels: np.ndarray,
    objects: np.ndarray,
    test: np.ndarray,
    *,
    seed: int = 0,
) -> np.ndarray:
    """Labels of `test` by a linear support vector machine fitted on `fit`.

    One machine for each pair of labels votes (scikit-learn's ``SVC`` with a linear kernel). Its
    penalty C, one of 10⁻⁴, 10⁻³, ..., 10⁴, is the one that classifies most images rightly in
    5-fold cross-validation within `fit`, in which images of one object stay together (as many
    folds as a label has objects, if that is fewer); of equal ones the smallest. Source: spec
    ``models`` section 6.

    Args:
        fit: (presentation, unit), standardised here.
        labels, objects: of the rows of `fit`.
        test: (presentation, unit).
        seed: of the folds.

    Returns:
        (presentation) labels of `test`.
    """
    x, y = standardised(fit, test)
    kernel, across = x @ x.T, y @ x.T
    penalty = best_penalty(kernel, labels, objects, seed=seed)
    return np.asarray(_machine(penalty).fit(kernel, labels).predict(across))


def best_penalty(
    kernel: np.ndarray, labels: np.ndarray, objects: np.ndarray, *, seed: int = 0
) -> float:
    """The penalty with the most right answers in cross-validation over objects.

    Args:
        kernel: (presentation, presentation) inner products.
        labels, objects: of the rows.
        seed: of the folds.

    Raises:
        OptionError: if a label has one object only.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    fewest = min(len(set(objects[labels == label].tolist())) for label in set(labels.tolist()))
    if fewest < 2:
        raise OptionError(
            "Choosing a penalty by cross-validation over objects needs two objects of each label "
            f"to fit on at least; of one label there is {fewest}."
        )
    count = min(FOLDS, fewest)
    right = np.zeros(len(PENALTIES), int)
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    for train, held in folds.split(kernel, labels, objects):
        for k, penalty in enumerate(PENALTIES):
            machine = _machine(penalty).fit(kernel[np.ix_(train, train)], labels[train])
            answers = machine.predict(kernel[np.ix_(held, train)])
            right[k] += int((answers == labels[held]).sum())
    return PENALTIES[int(right.argmax())]


def _machine(penalty: float) -> Any:
    from sklearn.svm import SVC

    return SVC(C=penalty, kernel="precomputed")
