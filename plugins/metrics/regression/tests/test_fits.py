"""Fits on plain arrays against scikit-learn and the definitions, in numpy and in torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.model_selection import KFold, ShuffleSplit

from corteval.errors import OptionError
from corteval_regression import (
    LANGUAGE_ALPHAS,
    VISION_ALPHAS,
    Features,
    linear_cv,
    neuron_to_neuron_cv,
    penalties,
    pls_cv,
    ridge_cv,
    ridgecv_cv,
)

#: stimuli, features, targets: n >> p, p > n, p >> n, many targets, one target, p between the sizes
#: of the training set and of all stimuli.
SHAPES = [
    (120, 15, 6),
    (60, 90, 6),
    (40, 400, 5),
    (50, 80, 200),
    (60, 20, 90),
    (80, 30, 1),
    (50, 47, 4),
]


def problem(shape, seed=0, noise=1.0):
    n, p, q = shape
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * np.arange(1, p + 1) ** -0.5 + 3
    signal = x @ rng.standard_normal((p, q))
    y = signal + noise * signal.std() * rng.standard_normal((n, q)) - 2
    return x, y, list(ShuffleSplit(3, train_size=0.9, random_state=1).split(x))


def one_by_one(make, x, y, splits):
    return [
        make(len(train)).fit(x[train], y[train]).predict(x[test]).reshape(len(test), -1)
        for train, test in splits
    ]


def best_units(x, y, splits):
    found = []
    for train, test in splits:
        r = np.corrcoef(x[train].T, y[train].T)[: x.shape[1], x.shape[1] :]
        found.append(x[test][:, np.nanargmax(r, axis=0)])
    return found


def equal(ours, reference, rtol=1e-9):
    for a, b in zip(ours, reference, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * np.abs(b).max())


FITS = {
    "pls": (
        lambda x, y, s: pls_cv(x, y, s, components=10),
        lambda x, y, s: one_by_one(
            lambda n: PLSRegression(min(10, n, x.shape[1]), scale=False), x, y, s
        ),
    ),
    "ridge": (ridge_cv, lambda x, y, s: one_by_one(lambda n: Ridge(alpha=1), x, y, s)),
    "linear": (linear_cv, lambda x, y, s: one_by_one(lambda n: LinearRegression(), x, y, s)),
    "neuron_to_neuron": (neuron_to_neuron_cv, best_units),
    "ridgecv": (
        lambda x, y, s: ridgecv_cv(x, y, s, alphas=VISION_ALPHAS).predictions,
        lambda x, y, s: one_by_one(lambda n: RidgeCV(alphas=VISION_ALPHAS), x, y, s),
    ),
    "ridgecv per target": (
        lambda x, y, s: ridgecv_cv(x, y, s, alphas=LANGUAGE_ALPHAS, alpha_per="target").predictions,
        lambda x, y, s: one_by_one(
            lambda n: RidgeCV(alphas=LANGUAGE_ALPHAS, alpha_per_target=True), x, y, s
        ),
    ),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FITS)
def test_predictions_equal_the_independent_fit(name, shape):
    ours, reference = FITS[name]
    x, y, splits = problem(shape)
    expected = reference(x, y, splits)
    equal(ours(x, y, splits), expected)
    equal(ours(torch.as_tensor(x), torch.as_tensor(y), splits), expected)


@pytest.mark.parametrize("name", FITS)
def test_k_folds_and_test_sets_smaller_than_what_is_left_out(name):
    ours, reference = FITS[name]
    x, y, _ = problem((60, 20, 3))
    folds = [(train, test[:4]) for train, test in KFold(5).split(x)]
    equal(ours(x, y, folds), reference(x, y, folds))


@pytest.mark.parametrize("name", FITS)
def test_float32_features_are_computed_with_in_float64(name):
    ours, reference = FITS[name]
    x, y, splits = problem((60, 90, 4))
    single = x.astype(np.float32)
    equal(ours(single, y, splits), reference(single.astype(np.float64), y, splits), rtol=1e-8)


@pytest.mark.parametrize("name", FITS)
def test_blocks_of_features_and_splits_change_nothing(name, monkeypatch):
    ours, _ = FITS[name]
    x, y, splits = problem((50, 70, 60))
    whole = ours(x, y, splits)
    monkeypatch.setattr("corteval_regression.features.BUDGET", 4000)
    monkeypatch.setattr("corteval_regression.penalties.BUDGET", 4000)
    monkeypatch.setattr("corteval_regression.pls.BATCH", 1)
    equal(ours(x, y, splits), whole, rtol=1e-11)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["ridge", "linear", "ridgecv", "pls"]))
def test_rotating_and_shifting_features_changes_no_prediction(seed, name):
    ours, _ = FITS[name]
    x, y, splits = problem((40, 12, 4), seed)
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    equal(ours(x @ rotation + 100 * rng.standard_normal(12), y, splits), ours(x, y, splits), 1e-7)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([n for n in FITS if n != "neuron_to_neuron"]))
def test_predictions_follow_scale_and_offset_of_the_responses(seed, name):
    ours, _ = FITS[name]
    x, y, splits = problem((40, 60, 4), seed)
    equal(ours(x, -3 * y + 7, splits), [-3 * p + 7 for p in ours(x, y, splits)], 1e-8)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1), st.sampled_from(list(FITS)))
def test_the_order_of_stimuli_changes_no_prediction(seed, name):
    ours, _ = FITS[name]
    x, y, splits = problem((40, 60, 3), seed)
    order = np.random.default_rng(seed).permutation(40)
    place = np.argsort(order)
    moved = [(place[train], place[test]) for train, test in splits]
    equal(ours(x[order], y[order], moved), ours(x, y, splits), 1e-8)


def test_the_smaller_problem_is_the_same_as_the_larger_one():
    # per training set, or all from one factorisation
    x, y, splits = problem((60, 90, 7))
    groups = np.arange(7)
    alphas = np.array(VISION_ALPHAS)
    one = penalties._one_factor(Features.of(x), y, splits, alphas, groups)
    each = ridgecv_cv(x, y, splits, alphas=alphas, alpha_per="target")
    np.testing.assert_array_equal(one.alphas, each.alphas)
    equal(one.predictions, each.predictions)


def test_one_factorisation_bears_features_of_low_rank_and_tiny_penalties():
    x, y, splits = problem((60, 8, 7))
    wide = x @ np.random.default_rng(1).standard_normal((8, 90))
    alphas = np.array([1e-10, 1e-2, 10.0])
    one = penalties._one_factor(Features.of(wide), y, splits, alphas, np.zeros(7, int))
    equal(
        one.predictions,
        one_by_one(lambda n: RidgeCV(alphas=alphas), wide, y, splits),
        rtol=1e-5,
    )


@pytest.mark.parametrize("alpha_per", ["all", "target"])
def test_penalties_are_scikit_learns(alpha_per):
    x, y, splits = problem((60, 90, 7), noise=3.0)
    fits = ridgecv_cv(x, y, splits, alpha_per=alpha_per)
    for (train, _), alphas in zip(splits, fits.alphas, strict=True):
        model = RidgeCV(alphas=VISION_ALPHAS, alpha_per_target=alpha_per == "target")
        np.testing.assert_array_equal(model.fit(x[train], y[train]).alpha_, alphas)


def test_a_penalty_per_subject_is_that_of_the_subject_alone():
    x, y, splits = problem((60, 20, 9), noise=2.0)
    subjects = np.array(list("aabbbbccc"))
    together = ridgecv_cv(x, y, splits, alpha_per="subject", subjects=subjects)
    for name in "abc":
        columns = subjects == name
        alone = ridgecv_cv(x, y[:, columns], splits)
        np.testing.assert_array_equal(together.alphas[:, columns], alone.alphas)
        equal([p[:, columns] for p in together.predictions], alone.predictions)


def test_converged_weights_do_not_depend_on_the_order_of_targets():
    x, y, splits = problem((80, 30, 20))
    forward = pls_cv(x, y, splits, exact=True)
    backward = pls_cv(x, y[:, ::-1], splits, exact=True)
    equal([p[:, ::-1] for p in backward], forward)


def test_converged_weights_are_singular_vectors_of_the_covariance():
    x, y, splits = problem((80, 30, 6))
    (train, test), *_ = splits
    a, b = x[train] - x[train].mean(0), y[train] - y[train].mean(0)
    w = np.linalg.svd(a.T @ b)[0][:, 0]
    t = a @ w
    expected = np.outer((x[test] - x[train].mean(0)) @ w, b.T @ t / (t @ t)) + y[train].mean(0)
    np.testing.assert_allclose(pls_cv(x, y, splits, components=1, exact=True)[0], expected)


def test_collinear_and_constant_features_are_left_to_singular_values():
    x, y, splits = problem((60, 10, 3))
    doubled = np.hstack([x, x, np.ones((60, 2))])
    equal(linear_cv(doubled, y, splits), linear_cv(x, y, splits), 1e-8)
    equal(ridge_cv(doubled, y, splits, alpha=2.0), ridge_cv(x, y, splits, alpha=1.0), 1e-8)
    wide = np.hstack([x] * 10)
    equal(linear_cv(wide, y, splits), linear_cv(x, y, splits), 1e-8)
    equal(pls_cv(doubled, y, splits), pls_cv(x * np.sqrt(2), y, splits), 1e-6)


def test_a_target_that_is_constant_is_predicted_as_that():
    x, y, splits = problem((60, 10, 3))
    y[:, 0] = 4.0
    for ours, _ in (FITS[n] for n in ("pls", "ridge", "linear", "ridgecv")):
        for predicted in ours(x, y, splits):
            np.testing.assert_allclose(predicted[:, 0], 4.0)


def test_constant_units_are_never_the_best():
    x, y, splits = problem((60, 10, 3))
    x[:, 2] = 5.0
    equal(neuron_to_neuron_cv(x, y, splits), best_units(np.delete(x, 2, axis=1), y, splits))
    for predicted in neuron_to_neuron_cv(np.ones((60, 2)), y, splits):
        assert np.isnan(predicted).all()


def test_products_are_computed_once_for_many_uses():
    x, y, splits = problem((60, 90, 3))
    features = Features.of(x)
    ridge_cv(features, y, splits)
    gram = features.gram
    equal(pls_cv(features, y[:, :2], splits), pls_cv(x, y[:, :2], splits))
    assert features.gram is gram


@pytest.mark.parametrize("alpha", [1e-12, 1e-6, 1e6])
@pytest.mark.parametrize("shape", [(60, 90, 3), (60, 15, 3)])
def test_any_penalty_can_be_asked(alpha, shape):
    x, y, splits = problem(shape)
    expected = one_by_one(lambda n: Ridge(alpha=alpha, solver="svd"), x, y, splits)
    equal(ridge_cv(x, y, splits, alpha=alpha), expected, 1e-6)


def test_wrong_shapes_and_splits_are_refused():
    x, y, splits = problem((60, 10, 3))
    with pytest.raises(OptionError, match="60 stimuli in the features, responses of shape"):
        ridge_cv(x, y[:50], splits)
    with pytest.raises(OptionError, match="stimuli x features"):
        ridge_cv(x[0], y, splits)
    with pytest.raises(OptionError, match="trains and tests on the same"):
        ridge_cv(x, y, [(np.arange(50), np.arange(40, 60))])
    with pytest.raises(OptionError, match="no training stimulus"):
        ridge_cv(x, y, [(np.array([], int), np.arange(60))])
    with pytest.raises(OptionError, match="positions of stimuli from 0 to 59"):
        ridge_cv(x, y, [(np.arange(50, 70), np.arange(9))])
    gap = x.copy()
    gap[3, 2] = np.nan
    with pytest.raises(OptionError, match="Features hold NaN"):
        pls_cv(gap, y, splits)
    with pytest.raises(OptionError, match="Responses hold NaN"):
        pls_cv(x, np.where(y > 0, np.nan, y), splits)
    with pytest.raises(OptionError, match="positive and finite"):
        ridgecv_cv(x, y, splits, alphas=[1, -1])
    with pytest.raises(OptionError, match="per all, subject or target"):
        ridgecv_cv(x, y, splits, alpha_per="neuroid")
    with pytest.raises(OptionError, match="needs the subject of each target"):
        ridgecv_cv(x, y, splits, alpha_per="subject")
