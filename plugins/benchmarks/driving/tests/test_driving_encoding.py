"""The encoding model, against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.model_selection import LeaveOneGroupOut

from corteval.errors import OptionError, UndefinedScore
from corteval_driving.encoding import ALPHAS, at_the_edge, fit


def problem(stimuli, features, seed=0):
    rng = np.random.default_rng([seed, stimuli, features])
    x = rng.standard_normal((stimuli, features)) * rng.exponential(size=features) + 3
    y = x @ rng.standard_normal((features, 4)) * [0, 0.1, 0.3, 1] + rng.standard_normal(
        (stimuli, 4)
    )
    return x, y


def standardised(x, like):
    return (x - like.mean(axis=0)) / like.std(axis=0)


@pytest.mark.parametrize("shape", [(60, 15), (40, 90)], ids=["more stimuli", "more features"])
def test_it_is_ridgecv_on_standardised_features(shape):
    x, y = problem(*shape)
    new, _ = problem(12, shape[1], seed=1)
    ours = fit(x, y)
    theirs = RidgeCV(alphas=ALPHAS, alpha_per_target=True).fit(standardised(x, x), y)
    np.testing.assert_allclose(ours.alphas, theirs.alpha_, rtol=1e-12)
    np.testing.assert_allclose(ours(new), theirs.predict(standardised(new, x)), atol=1e-8)


@pytest.mark.parametrize("shape", [(30, 6), (20, 30)], ids=["more stimuli", "more features"])
def test_copies_of_a_stimulus_are_left_out_together(shape):
    """The penalty is that of leaving groups out, in fits to the rows laid out."""
    x, y = problem(*shape)
    counts = np.random.default_rng(4).multinomial(len(x), np.full(len(x), 1 / len(x)))
    rows = np.repeat(np.arange(len(x)), counts)
    z, t, grid = standardised(x[rows], x[rows]), y[rows], np.logspace(-1, 4, 6)
    errors = [
        sum(
            ((Ridge(alpha=a).fit(z[train], t[train]).predict(z[test]) - t[test]) ** 2).sum(axis=0)
            for train, test in LeaveOneGroupOut().split(z, t, rows)
        )
        for a in grid
    ]
    expected = grid[np.argmin(errors, axis=0)]
    ours = fit(x, y, counts=counts, alphas=grid)
    np.testing.assert_array_equal(ours.alphas, expected)
    predicted = [Ridge(alpha=a).fit(z, t[:, n]).predict(z) for n, a in enumerate(expected)]
    np.testing.assert_allclose(ours(x[rows]), np.transpose(predicted), atol=1e-8)


def test_without_signal_the_mean_response_is_predicted():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((100, 5)), rng.standard_normal((100, 1))
    model = fit(x, y, alphas=[1e12])
    np.testing.assert_allclose(model(x), y.mean(), atol=1e-6)


def test_constant_features_predict_nothing():
    x, y = problem(40, 5)
    more = np.hstack([x, np.full((40, 1), 0.1)])
    np.testing.assert_allclose(fit(more, y)(more), fit(x, y)(x), atol=1e-9)
    new = more + [0, 0, 0, 0, 0, 7.0]
    np.testing.assert_allclose(fit(more, y)(new), fit(x, y)(x), atol=1e-9)


@settings(max_examples=25)
@given(scale=st.floats(1e-4, 1e4), shift=st.floats(-100, 100), seed=st.integers(0, 999))
def test_neither_units_of_features_nor_the_order_of_stimuli_matter(scale, shift, seed):
    x, y = problem(30, 6)
    order = np.random.default_rng(seed).permutation(30)
    moved = fit(x[order] * scale + shift * scale, y[order])
    np.testing.assert_allclose(moved(x * scale + shift * scale), fit(x, y)(x), atol=1e-5)


def test_a_penalty_at_the_lower_edge_is_told():
    x = np.random.default_rng(0).standard_normal((40, 3))
    model = fit(x, x[:, :1])
    assert at_the_edge(model.alphas, ALPHAS) == (
        "the penalty is the smallest of its grid, 0.001, in 100% of fits",
    )
    assert at_the_edge(np.array([1.0]), ALPHAS) == ()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"alphas": []}, OptionError, "positive and finite"),
        ({"alphas": [0.0]}, OptionError, "positive and finite"),
        ({"counts": np.ones(3)}, OptionError, "Counts of shape"),
        ({"counts": -np.ones(10)}, OptionError, "below 0"),
        ({"counts": np.eye(10)[0] + np.eye(10)[1]}, UndefinedScore, "needs three stimuli"),
    ],
)
def test_what_cannot_be_fitted_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        fit(np.eye(10), np.ones((10, 1)), **options)


def test_features_that_do_not_vary_or_fit_are_refused():
    with pytest.raises(UndefinedScore, match="constant"):
        fit(np.full((10, 2), 0.1), np.arange(10.0)[:, None])
    with pytest.raises(OptionError, match="do not fit"):
        fit(np.eye(10), np.ones((9, 1)))
