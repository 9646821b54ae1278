import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_regression.metric import pls, ridge


def assembly(values, prefix="n", **presentation):
    ids = [f"s{i:03d}" for i in range(len(values))]
    units = [f"{prefix}{i:03d}" for i in range(values.shape[1])]
    return neural(values, ids, {"neuroid_id": units}, presentation=presentation)


def linear_data(seed=0, stimuli=80, features=15, neuroids=6, noise=0.5):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((stimuli, features))
    signal = x @ rng.standard_normal((features, neuroids)) / np.sqrt(features)
    return x, signal + noise * rng.standard_normal(signal.shape)


def plain(x, y, splits, make):
    """The definition, neuroid by neuroid, with numpy's own correlation."""
    medians = []
    for train, test in splits:
        predicted = make().fit(x[train], y[train]).predict(x[test])
        r = [np.corrcoef(predicted[:, n], y[test][:, n])[0, 1] for n in range(y.shape[1])]
        medians.append(np.median(r))
    return np.mean(medians), np.std(medians) / np.sqrt(len(medians))


@pytest.mark.parametrize(
    ("metric", "make"),
    [
        (ridge, lambda: Ridge(alpha=1)),
        (pls, lambda: PLSRegression(n_components=10, scale=False)),
    ],
)
@pytest.mark.parametrize("shape", [(80, 15), (40, 200)])
def test_scores_equal_plain_scikit_learn(metric, make, shape):
    x, y = linear_data(stimuli=shape[0], features=shape[1])
    options = {"components": 10} if metric is pls else {}
    score = metric(resamples=10, **options)(assembly(x), assembly(y))
    splits = ShuffleSplit(10, train_size=0.9, random_state=1).split(x)
    value, error = plain(x, y, splits, make)
    assert score.raw.value == pytest.approx(value, abs=1e-9)
    assert score.raw.error == pytest.approx(error, abs=1e-9)


def test_stratified_splits_are_scikit_learns():
    x, y = linear_data()
    labels = ["cat", "dog"] * 40
    score = ridge(stratify_by="object_name", resamples=10)(
        assembly(x), assembly(y, object_name=labels)
    )
    splits = StratifiedShuffleSplit(10, train_size=0.9, random_state=1).split(x, labels)
    assert score.raw.value == pytest.approx(plain(x, y, splits, lambda: Ridge(alpha=1))[0])


@settings(deadline=None, max_examples=10)
@given(st.permutations(list(range(80))))
def test_the_order_of_the_models_rows_does_not_matter(order):
    x, y = linear_data()
    metric = ridge(resamples=20)
    shuffled = assembly(x).isel(presentation=order)
    assert metric(shuffled, assembly(y)) == metric(assembly(x), assembly(y))


@settings(deadline=None, max_examples=10)
@given(st.permutations(list(range(6))))
def test_the_order_of_neuroids_does_not_matter(order):
    x, y = linear_data()
    metric = ridge(resamples=20)
    first, second = (metric(assembly(x), t) for t in (assembly(y), assembly(y).isel(neuroid=order)))
    assert second.raw.value == pytest.approx(first.raw.value, abs=1e-12)
    np.testing.assert_allclose(second.raw.replicates, first.raw.replicates, atol=1e-9)


def test_noise_lowers_the_score_and_shuffling_takes_it_to_chance():
    x, y = linear_data(stimuli=200, noise=0.1)
    _, noisy = linear_data(stimuli=200, noise=2.0)
    rng = np.random.default_rng(1)
    clear, blurred, shuffled = (
        ridge(resamples=10)(assembly(x), assembly(t)).raw.value
        for t in (y, noisy, rng.permuted(y, axis=0))
    )
    assert clear > 0.9 > blurred > 0.3
    assert abs(shuffled) < 0.2


def test_samples_hold_r_of_every_split_and_neuroid():
    x, y = linear_data()
    score = ridge(resamples=10)(assembly(x), assembly(y))
    assert dict(score.samples.sizes) == {"split": 10, "neuroid": 6}
    assert float(score.samples.median("neuroid").mean()) == pytest.approx(score.raw.value)


def test_bootstrap_spread_is_near_the_true_sampling_spread():
    """Scores of many new test samples from the same generator, against one sample's bootstrap."""
    values = []
    spreads = []
    for seed in range(30):
        x, y = linear_data(seed=seed, stimuli=150, features=5, neuroids=20, noise=1.0)
        raw = ridge(resamples=200, splits=5)(assembly(x), assembly(y)).raw
        values.append(raw.value)
        spreads.append(np.std(raw.replicates))
    assert np.mean(spreads) == pytest.approx(np.std(values), rel=0.6)


def test_constant_neuroids_are_left_out_and_all_constant_is_undefined():
    x, y = linear_data()
    some = y.copy()
    some[:, 0] = 3.0
    score = ridge(resamples=10)(assembly(x), assembly(some))
    assert np.isfinite(score.raw.value)
    assert np.isnan(score.samples.values[:, 0]).all()
    with pytest.raises(UndefinedScore, match="constant"):
        ridge(resamples=10)(assembly(x), assembly(np.ones_like(y)))


@pytest.mark.parametrize("metric", [ridge, pls])
def test_constant_features_predict_nothing_and_say_so(metric):
    _, y = linear_data()
    with pytest.raises(UndefinedScore, match="predicts nothing"):
        metric(resamples=10)(assembly(np.ones((80, 3))), assembly(y))


def test_a_model_with_one_feature_has_a_pls_score():
    x, y = linear_data(features=1)
    assert pls(resamples=10)(assembly(x), assembly(y)).raw.value > 0.5


def test_missing_stimuli_and_missing_values_are_refused():
    x, y = linear_data()
    with pytest.raises(AssemblyError, match="No response to 1 stimuli: s079"):
        ridge()(assembly(x[:79]), assembly(y))
    x[4, 2] = np.nan
    with pytest.raises(AssemblyError, match="not finite: s004"):
        ridge()(assembly(x), assembly(y))


def test_too_few_stimuli_are_undefined():
    x, y = linear_data(stimuli=12)
    with pytest.raises(UndefinedScore, match="at least 3 stimuli"):
        ridge()(assembly(x), assembly(y))


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="positive"):
        ridge(alpha=0)
    with pytest.raises(OptionError, match="training share of 2"):
        ridge(train_size=2)
    x, y = linear_data()
    with pytest.raises(OptionError, match="No coordinate 'object_name'"):
        ridge(stratify_by="object_name")(assembly(x), assembly(y))
