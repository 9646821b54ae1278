import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval_regression.metric import linear, neuron_to_neuron, pls, ridge, ridgecv


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
    score = ridge(cross_validation={"stratify_by": "object_name"}, resamples=10)(
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
    for one, other in zip(first.raw.replicates, second.raw.replicates, strict=True):
        np.testing.assert_allclose(other.values, one.values, atol=1e-6)


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
        ridge(cross_validation={"train_size": 2})
    x, y = linear_data()
    with pytest.raises(OptionError, match="No coordinate 'object_name'"):
        ridge(cross_validation={"stratify_by": "object_name"})(assembly(x), assembly(y))
    with pytest.raises(OptionError, match=r"Cross-validation: .*'shuffles'"):
        ridge(cross_validation={"shuffles": 3})
    with pytest.raises(OptionError, match="aggregate is neuroids or subjects"):
        ridge(aggregate="voxels")
    with pytest.raises(OptionError, match="device='no-such'"):
        ridge(device="no-such")(assembly(x), assembly(y))


def with_subjects(y, names):
    return assembly(y).assign_coords(subject=("neuroid", list(names)))


def test_subjects_first_is_the_mean_over_subjects_of_their_medians():
    x, y = linear_data()
    score = ridge(aggregate="subjects", resamples=10)(assembly(x), with_subjects(y, "aabbbb"))
    r = score.samples.values
    expected = (np.median(r[:, :2], axis=1) + np.median(r[:, 2:], axis=1)) / 2
    assert score.raw.value == pytest.approx(expected.mean())
    with pytest.raises(AssemblyError, match="coordinate 'subject'"):
        ridge(aggregate="subjects")(assembly(x), assembly(y))


def test_from_five_subjects_on_the_interval_speaks_for_subjects():
    x, y = linear_data()
    score = ridge(resamples=10)(assembly(x), with_subjects(y, "abcdef"))
    assert [r.scope for r in score.raw.replicates] == ["stimuli", "subjects", "stimuli×subjects"]
    few = ridge(resamples=10)(assembly(x), with_subjects(y, "aaabbb"))
    assert few.raw.replicates[-1].scope == "stimuli×neuroids"


def test_the_order_of_the_datas_rows_does_not_matter_either():
    x, y = linear_data()
    order = np.random.default_rng(0).permutation(80)
    metric = ridge(resamples=20)
    moved = metric(assembly(x), assembly(y).isel(presentation=order))
    straight = metric(assembly(x), assembly(y))
    assert moved.raw.value == pytest.approx(straight.raw.value, abs=1e-12)
    assert moved.raw.splits == straight.raw.splits


def test_groups_are_never_divided_unless_asked():
    """A slow drift is predicted from the neighbours that random splits leave in training."""
    rng = np.random.default_rng(0)
    story = np.repeat(np.arange(12), 10).astype(str)
    drift = np.cumsum(rng.standard_normal((120, 4)), axis=0)
    position = np.exp(-((np.arange(120)[:, None] - np.arange(0, 120, 2)) ** 2) / 20)
    source, target = assembly(position), assembly(drift, story=story)
    honest = ridge(resamples=0)(source, target).raw
    leaky = ridge(resamples=0, cross_validation={"allow_leaky": True})(source, target).raw
    assert honest.splits != leaky.splits
    assert leaky.value > honest.value + 0.3
    with pytest.raises(OptionError, match="allow_leaky=True"):
        ridge(cross_validation={"folds": "shuffle"})(source, target)


def test_one_fixed_split_has_no_standard_error():
    x, y = linear_data()
    target = assembly(y, split=["train"] * 60 + ["test"] * 20)
    raw = ridge(cross_validation={"folds": "fixed"}, resamples=10)(assembly(x), target).raw
    predicted = Ridge(alpha=1).fit(x[:60], y[:60]).predict(x[60:])
    r = [np.corrcoef(predicted[:, n], y[60:, n])[0, 1] for n in range(6)]
    assert raw.value == pytest.approx(np.median(r))
    assert raw.error is None and "fixed split" in raw.method


def test_reverse_predicts_the_model_from_the_data():
    x, y = linear_data()
    score = pls(components=3, reverse=True, resamples=10)(assembly(x, "unit"), assembly(y))
    forward = pls(components=3, resamples=10)(assembly(y), assembly(x, "unit"))
    assert score.raw.value == pytest.approx(forward.raw.value)
    assert score.samples["neuroid_id"].values[0] == "unit000"


def test_least_squares_that_interpolates_says_so():
    x, y = linear_data(features=100)
    assert "interpolates" in linear(resamples=0)(assembly(x), assembly(y)).notes[0]


def test_a_penalty_at_the_edge_of_its_grid_is_noted():
    x, y = linear_data()
    score = ridgecv(alphas=[1e4, 1e5], resamples=0)(assembly(x), assembly(y))
    assert "at the edge of its grid in 100% of fits" in score.notes[0]
    assert not ridgecv(resamples=0)(*map(assembly, linear_data(noise=3.0))).notes


def test_constant_predictions_count_as_zero_only_by_name():
    x, y = linear_data()
    target = y.copy()
    target[:, :4] = 1.0
    options = {"resamples": 0}
    assert ridge(**options)(assembly(x), assembly(target)).raw.value > 0.5
    assert ridge(constant="zero", **options)(assembly(x), assembly(target)).raw.value == 0.0


@pytest.mark.parametrize("make", [pls, ridge, linear, ridgecv, neuron_to_neuron])
def test_torch_scores_what_numpy_scores(make):
    x, y = linear_data()
    first, second = (
        make(device=device, resamples=5)(assembly(x), assembly(y)) for device in ("cpu", "torch")
    )
    assert second.raw.value == pytest.approx(first.raw.value, abs=1e-12)


@pytest.mark.parametrize("make", [pls, ridge, linear, ridgecv, neuron_to_neuron])
def test_one_neuroid_is_enough(make):
    x, y = linear_data(neuroids=1)
    assert np.isfinite(make(resamples=10)(assembly(x), assembly(y)).raw.value)


def test_the_public_functions_need_no_registry():
    import corteval_regression

    for name in corteval_regression.__all__:
        assert getattr(corteval_regression, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'lasso'"):
        corteval_regression.lasso  # noqa: B018


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ridge", {"alfa": 1}, "'alfa'.*options are alpha, cross_validation"),
        ("ridge", {"alpha": "big"}, "positive and finite, not 'big'"),
        ("ridgecv", {"alphas": 3}, "several penalties, not 3"),
        ("pls", {"components": 2.5}, "whole number, 1 or more, not 2.5"),
        ("pls", {"resamples": -1}, "resamples is a whole number, 0 or more, not -1"),
        ("linear", {"seed": None}, "seed is a whole number, 0 or more, not None"),
    ],
)
def test_wrong_options_are_answered_with_the_right_ones(name, options, message):
    from corteval import registry

    with pytest.raises(OptionError, match=message):
        registry.metrics.create(name, **options)


def test_splits_that_divide_groups_leave_a_note():
    x, y = linear_data()
    target = assembly(y, story=np.repeat(np.arange(8), 10).astype(str))
    honest = ridge(resamples=0)(assembly(x), target)
    leaky = ridge(resamples=0, cross_validation={"allow_leaky": True})(assembly(x), target)
    ignored = ridge(resamples=0, cross_validation={"group_by": None})(assembly(x), target)
    assert not honest.notes
    assert leaky.notes[0].startswith("leaky: 10 of 10 splits divide a story")
    assert ignored.notes[0].startswith("leaky")


def test_inputs_that_are_no_assemblies_are_refused():
    x, y = linear_data()
    with pytest.raises(AssemblyError, match="not ndarray"):
        ridge()(x, assembly(y))
    with pytest.raises(AssemblyError, match="'stimulus_id' along presentation is missing"):
        ridge()(assembly(x).drop_vars("stimulus_id"), assembly(y))
    with pytest.raises(AssemblyError, match=r"No response to 80 stimuli: s000.*source has other0"):
        ridge()(
            assembly(x).assign_coords(
                stimulus_id=("presentation", [f"other{i}" for i in range(80)])
            ),
            assembly(y),
        )
