"""Fits on standardised features, and variance that only one band explains."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from corteval import registry
from corteval.assembly import neural
from corteval.stats.splits import CrossValidation
from corteval_regression import ridgecv_cv
from corteval_regression.standardised import each_split, standardised

ALPHAS = tuple(10.0 ** (half / 2) for half in range(-6, 13))


def assemblies(x, y, bands=None):
    ids = [f"s{i:04d}" for i in range(len(x))]
    columns = {"neuroid_id": [f"u{i}" for i in range(x.shape[1])]}
    if bands is not None:
        columns["band"] = bands
    names = {"neuroid_id": [f"n{i}" for i in range(y.shape[1])]}
    return neural(x, ids, columns), neural(y, ids, names)


def test_each_neuroid_has_what_scikit_learn_gives_it_on_scaled_features():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((90, 30)) * np.logspace(-3, 3, 30)
    y = x[:, :3] / x[:, :3].std(0) @ rng.standard_normal((3, 2)) + rng.standard_normal((90, 2))
    source, target = assemblies(x, y)
    division = {"folds": "kfold", "count": 5, "seed": 3}
    score = registry.metrics.create("ridgecv_zscored", cross_validation=division)(source, target)
    for fold, (train, test) in enumerate(KFold(5, shuffle=True, random_state=3).split(x)):
        for n in range(2):
            fit = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(x[train], y[train, n])
            r = np.corrcoef(fit.predict(x[test]), y[test, n])[0, 1]
            assert score.samples.values[fold, n] == pytest.approx(r, abs=1e-9)


def test_pooled_r2_is_one_minus_squared_errors_over_squares_about_the_training_mean():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 4))
    y = x @ rng.standard_normal((4, 1)) + rng.standard_normal((60, 1))
    source, target = assemblies(x, y)
    division = {"folds": "kfold", "count": 4, "seed": 1}
    score = registry.metrics.create("ridgecv_zscored", cross_validation=division)(source, target)
    left = total = 0.0
    for train, test in KFold(4, shuffle=True, random_state=1).split(x):
        fit = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(x[train], y[train, 0])
        left += ((y[test, 0] - fit.predict(x[test])) ** 2).sum()
        total += ((y[test, 0] - y[train, 0].mean()) ** 2).sum()
    assert score.further["pooled R2"].value == pytest.approx(1 - left / total, abs=1e-9)


@settings(max_examples=20)
@given(scale=st.floats(1e-6, 1e6), shift=st.floats(-1e3, 1e3), seed=st.integers(0, 100))
def test_scale_and_mean_of_features_do_not_matter(scale, shift, seed):
    x = np.random.default_rng(seed).standard_normal((20, 3))
    train = np.arange(15)
    other = standardised(x * scale + shift * scale, train).values
    np.testing.assert_allclose(standardised(x, train).values, other, atol=1e-6)


def test_features_that_are_constant_in_training_predict_nothing():
    rng = np.random.default_rng(2)
    blocks = np.eye(8)[np.arange(64) // 8] + 0.1
    y = rng.standard_normal((64, 1))
    split = (np.arange(56), np.arange(56, 64))
    fits = each_split([blocks], [split], lambda f, s: ridgecv_cv(f[0], y, s, alphas=ALPHAS))
    assert np.ptp(fits[0][0]) < 1e-12
    nothing = standardised(np.ones((10, 3)), np.arange(8))
    assert not nothing.values.any()


def test_penalties_at_the_edge_of_their_grid_are_told():
    rng = np.random.default_rng(3)
    source, target = assemblies(rng.standard_normal((60, 5)), rng.standard_normal((60, 1)))
    metric = registry.metrics.create("ridgecv_zscored", alphas=(1e-3, 1e-2))
    assert any("edge of its grid" in note for note in metric(source, target).notes)


def shares(seed=0, stimuli=4000):
    """y = 2 m + 1.5 s + n + 1.5 e, in which both bands hold s: closed form of every share."""
    rng = np.random.default_rng(seed)
    m, s, n, e = rng.standard_normal((4, stimuli))
    x = np.stack([m, s, n, s], axis=1)
    y = (2 * m + 1.5 * s + n + 1.5 * e)[:, None]
    total = 4 + 2.25 + 1 + 2.25
    return x, y, {"joint": 7.25 / total, "model": 6.25 / total, "rest": 3.25 / total}


def test_unique_and_shared_variance_are_those_of_the_closed_form():
    x, y, known = shares()
    source, target = assemblies(x * [1, 100, 1e-3, 1], y, ["model", "model", "other", "other"])
    metric = registry.metrics.create(
        "unique_variance",
        standardise=True,
        alphas=tuple(2.0**p for p in range(-5, 20, 4)),
        cross_validation={"folds": "kfold", "count": 4},
        resamples=300,
    )
    score = metric(source, target)
    assert score.raw.value == pytest.approx(known["joint"] - known["rest"], abs=0.02)
    assert score.further["R2 of all bands"].value == pytest.approx(known["joint"], abs=0.02)
    assert score.further["R2 of model"].value == pytest.approx(known["model"], abs=0.02)
    omega = 1 - (known["joint"] - known["rest"]) / known["model"]
    assert score.further["omega"].value == pytest.approx(omega, abs=0.02)


def test_its_interval_is_that_of_a_bootstrap_over_stimuli():
    x, y, _ = shares(stimuli=300)
    source, target = assemblies(x, y, ["model", "model", "other", "other"])
    options = {"standardise": True, "alphas": (0.1, 1.0, 10.0), "resamples": 400}
    division = {"folds": "kfold", "count": 5}
    metric = registry.metrics.create("unique_variance", cross_validation=division, **options)
    (draws,) = metric(source, target).raw.replicates
    assert (draws.scope, draws.median) == ("stimuli", False)
    # the same by loops: errors of scikit-learn's fits, drawn with replacement
    gain, total = np.zeros(300), np.zeros(300)
    for train, test in CrossValidation.of(division).over(target):
        errors = []
        for columns in ([0, 1, 2, 3], [2, 3]):
            fit = make_pipeline(StandardScaler(), RidgeCV((0.1, 1.0, 10.0)))
            fit.fit(x[train][:, columns], y[train, 0])
            errors.append((y[test, 0] - fit.predict(x[test][:, columns])) ** 2)
        gain[test] = errors[1] - errors[0]
        total[test] = (y[test, 0] - y[train, 0].mean()) ** 2
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, 300, 300) for _ in range(2000)]
    expected = np.std([gain[d].sum() / total[d].sum() for d in drawn])
    assert np.std(draws.values) == pytest.approx(expected, rel=0.15)
