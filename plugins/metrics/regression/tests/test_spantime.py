"""Regression over time against loops over splits, bins and neuroids."""

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from corteval import registry
from corteval.assembly import neural
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.requests import TimeBin
from corteval_regression.spantime import spantime_pls, spantime_ridge

BINS = [TimeBin(70 + 10 * t, 80 + 10 * t) for t in range(4)]


def data(stimuli=60, features=12, neuroids=5, bins=4, noise=0.5, seed=0):
    """Signals whose strength changes in time, mixed by one map, with noise in every bin."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((stimuli, features, 1)) * np.linspace(0.3, 1, bins)
    x += 0.3 * rng.standard_normal((stimuli, features, bins))
    y = np.einsum("ift,fn->int", x, rng.standard_normal((features, neuroids)))
    return x, y + noise * y.std() * rng.standard_normal(y.shape)


def assembly(values, prefix="n", bins=BINS, **presentation):
    ids = [f"s{i:03d}" for i in range(len(values))]
    units = {"neuroid_id": [f"{prefix}{i:03d}" for i in range(values.shape[1])]}
    return neural(values, ids, units, time_bins=bins, presentation=presentation)


def plain(x, y, splits, make):
    """The definition: rows are listed one by one, r is numpy's, neuroid by neuroid."""
    bins, scores = x.shape[2], []
    for train, test in splits:
        rows = [(i, t) for i in train for t in range(bins)]
        fit = make().fit(np.array([x[i, :, t] for i, t in rows]),
                         np.array([y[i, :, t] for i, t in rows]))  # fmt: skip
        of_bins = []
        for t in range(bins):
            predicted = fit.predict(x[test, :, t])
            r = [np.corrcoef(predicted[:, n], y[test, n, t])[0, 1] for n in range(y.shape[1])]
            of_bins.append(np.median(r))
        scores.append(np.mean(of_bins))
    return np.mean(scores), np.std(scores) / np.sqrt(len(scores))


@pytest.mark.parametrize(
    ("metric", "make"),
    [
        (spantime_ridge, lambda: Ridge(alpha=1)),
        (spantime_pls, lambda: PLSRegression(n_components=10, scale=False)),
    ],
)
@pytest.mark.parametrize("features", [12, 400])  # fewer and more than 54 stimuli x 4 bins
def test_scores_equal_a_plain_loop_with_scikit_learn(metric, make, features):
    x, y = data(features=features)
    options = {"components": 10} if metric is spantime_pls else {}
    score = metric(resamples=10, **options)(assembly(x, "unit"), assembly(y))
    splits = ShuffleSplit(10, train_size=0.9, random_state=1).split(x)
    value, error = plain(x, y, splits, make)
    assert score.raw.value == pytest.approx(value, abs=1e-9)
    assert score.raw.error == pytest.approx(error, abs=1e-9)


def test_stratified_splits_are_scikit_learns():
    x, y = data()
    labels = ["cat", "dog", "cow"] * 20
    metric = spantime_ridge(cross_validation={"stratify_by": "object_name"}, resamples=0)
    score = metric(assembly(x), assembly(y, object_name=labels))
    splits = StratifiedShuffleSplit(10, train_size=0.9, random_state=1).split(x, labels)
    assert score.value == pytest.approx(plain(x, y, splits, lambda: Ridge(alpha=1))[0], abs=1e-9)


def test_no_bin_of_a_test_stimulus_is_trained_on():
    """Features that only name the stimulus predict its other bins, and nothing of new stimuli."""
    rng = np.random.default_rng(1)
    y = rng.standard_normal((60, 5, 1)) + 0.1 * rng.standard_normal((60, 5, 4))
    name = np.repeat(np.eye(60)[:, :, None], 4, axis=2) + 1e-3 * rng.standard_normal((60, 60, 4))
    assert abs(spantime_ridge(resamples=0)(assembly(name), assembly(y)).value) < 0.25


def test_what_all_stimuli_share_in_time_counts_for_nothing():
    rng = np.random.default_rng(2)
    course = np.array([0.0, 5.0, 3.0, 1.0])
    x, y = (rng.standard_normal((60, k, 4)) + course for k in (6, 5))
    assert abs(spantime_ridge(resamples=0)(assembly(x), assembly(y)).value) < 0.25


def test_bins_are_matched_by_their_edges():
    x, y = data()
    metric = spantime_pls(components=5, resamples=10)
    source, target = assembly(x, "unit"), assembly(y)
    assert metric(source.isel(time_bin=[2, 0, 3, 1]), target) == metric(source, target)
    with pytest.raises(AssemblyError, match=r"source's time bins are 70-80, .*give both the same"):
        metric(source.isel(time_bin=[0, 1]), target)


def test_rows_are_matched_by_stimulus_and_trials_averaged():
    x, y = data()
    metric = spantime_ridge(resamples=10)
    straight = metric(assembly(x), assembly(y))
    order = np.random.default_rng(3).permutation(60)
    assert metric(assembly(x).isel(presentation=order), assembly(y)) == straight
    trials = np.stack([y - 1, y + 1], axis=-1)
    again = metric(assembly(x), assembly(trials))
    assert again.value == pytest.approx(straight.value, abs=1e-12)


def test_samples_and_replicates_are_of_all_bins():
    x, y = data()
    score = spantime_ridge(resamples=200)(assembly(x), assembly(y))
    assert dict(score.samples.sizes) == {"split": 10, "time_bin": 4, "neuroid": 5}
    assert score.samples["time_bin_start_ms"].values.tolist() == [70, 80, 90, 100]
    assert float(score.samples.median("neuroid").mean()) == pytest.approx(score.raw.value)
    scopes = [r.scope for r in score.raw.replicates]
    assert scopes == ["stimuli", "neuroids", "stimuli×neuroids"]
    for replicates in score.raw.replicates:
        assert np.mean(replicates.values) == pytest.approx(score.raw.value, abs=0.05)
        assert np.std(replicates.values) > 0


def test_subjects_are_averaged_if_asked():
    x, y = data()
    target = assembly(y).assign_coords(subject=("neuroid", list("aabbb")))
    score = spantime_ridge(aggregate="subjects", resamples=5)(assembly(x), target)
    r = score.samples.values
    expected = (np.median(r[..., :2], axis=-1) + np.median(r[..., 2:], axis=-1)) / 2
    assert score.raw.value == pytest.approx(expected.mean())


def test_a_bin_without_responses_is_named():
    x, y = data()
    y[:, :, 1] = 0.0
    with pytest.raises(UndefinedScore, match=r"1 of 4 time bins \(80-90 ms\)"):
        spantime_ridge(resamples=0)(assembly(x), assembly(y))


def test_responses_without_time_or_values_are_refused():
    x, y = data()
    flat = assembly(y).isel(time_bin=0, drop=True)
    metric = spantime_pls(components=5, resamples=0)
    with pytest.raises(AssemblyError, match="The target has no time bins"):
        metric(assembly(x), flat)
    with pytest.raises(AssemblyError, match=r"The source has no time bins.* without spantime_"):
        metric(assembly(x).isel(time_bin=0, drop=True), assembly(y))
    x[7, 2, 1] = np.nan
    with pytest.raises(AssemblyError, match="source to 1 stimuli are not finite, such as s007"):
        metric(assembly(x), assembly(y))


def test_wrong_options_are_answered_with_the_right_ones():
    with pytest.raises(OptionError, match=r"'component'.*options are components"):
        registry.metrics.create("spantime_pls", component=3)
    with pytest.raises(OptionError, match="reverse=True is not made"):
        registry.metrics.create("spantime_pls", reverse=True)


def test_torch_scores_what_numpy_scores():
    x, y = data()
    first, second = (
        spantime_pls(components=5, device=device, resamples=0)(assembly(x), assembly(y)).value
        for device in ("cpu", "torch")
    )
    assert second == pytest.approx(first, abs=1e-12)
