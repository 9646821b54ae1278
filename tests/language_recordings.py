"""Language recordings of known origin, and what plain numpy and scikit-learn make of them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import GroupKFold, ShuffleSplit

from corteval import registry
from corteval.assembly import neural
from corteval.testing.subjects import ReplaySubject

#: Forms of the benchmarks that fit, and those of them that take the median over all neuroids.
FITTED = ("ridge", "linear", "ridge-legacy", "ridge-shuffle", "linear-shuffle")
POOLED = ("ridge-legacy", "linear-shuffle")
ALPHAS = [10.0**power for power in range(-3, 4)]


@dataclass(frozen=True, kw_only=True)
class Responses:
    """What a file was made from. Recordings of groups add how stimuli belong together.

    Args:
        ids, text: (stimulus).
        causes: (stimulus, cause) that responses are linear in.
        values: (stimulus, neuroid), or (stimulus) of a single one.
    """

    ids: np.ndarray
    text: np.ndarray
    causes: np.ndarray
    values: np.ndarray

    units: ClassVar = 20

    def replay(self, features, identifier="features"):
        """A subject with these (stimulus, unit) responses."""
        names = {"neuroid_id": [f"unit-{n:03d}" for n in range(features.shape[1])]}
        return ReplaySubject(
            responses=neural(features, self.ids.tolist(), names), identifier=identifier
        )

    def generator(self):
        return self.replay(self.causes, "generator")

    def model(self, units=None):
        """Knows the causes in part."""
        rng = np.random.default_rng(3)
        weights = rng.standard_normal((self.causes.shape[1], units or self.units))
        x = np.tanh(self.causes @ weights)
        return self.replay(x + 0.5 * rng.standard_normal(x.shape))


def quick(identifier, **ceiling_options):
    """The benchmark without intervals, which take most of the time."""
    card = registry.benchmarks.card(identifier)
    if identifier.endswith("pnas2021"):
        return registry.benchmarks.create(identifier)
    few = {"metric_options": {**card.options.get("metric_options", {}), "resamples": 0}}
    if card.ceiling is not None:
        of_card = card.options.get("ceiling_options", {})
        few["ceiling_options"] = {**of_card, "resamples": 0, **ceiling_options}
    return registry.benchmarks.create(identifier, **few)


def correlations(x, y, splits, fit=LinearRegression):
    """(split, neuroid) of plain scikit-learn."""
    found = []
    for train, test in splits:
        predicted = fit().fit(x[train], y[train]).predict(x[test])
        pairs = zip(predicted.T, y[test].T, strict=True)
        found.append([np.corrcoef(a, b)[0, 1] for a, b in pairs])
    return np.array(found)


def splits_of(form, x, groups, folds):
    """(train, test) of a form that fits: random ones if it is shuffled, else groups apart."""
    if "shuffle" in form:
        return list(ShuffleSplit(10, train_size=0.9, random_state=1).split(x))
    return list(GroupKFold(folds, shuffle=True, random_state=1234).split(x, groups=groups))


def raw_of(form, x, y, subject, splits):
    """Raw score of a form that fits: medians over neuroids, means over people and splits."""
    fit = LinearRegression if form.startswith("linear") else (lambda: RidgeCV(alphas=ALPHAS))
    r = correlations(x, y, splits, fit)
    if form in POOLED:
        return np.median(r, axis=1).mean()
    medians = [np.median(r[:, subject == name], axis=1) for name in np.unique(subject)]
    return np.mean(medians, axis=0).mean()


def rdm(values):
    """Correlation distances of all pairs of stimuli."""
    return (1 - np.corrcoef(values))[np.triu_indices(len(values), 1)]


def rdm_score_of(x, y, subject):
    """Spearman correlation with the RDM of each person, mean over people."""
    people = [rdm(y[:, subject == name]) for name in np.unique(subject)]
    return np.mean([spearmanr(rdm(x), of_person).statistic for of_person in people])
