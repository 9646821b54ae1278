import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, ShuffleSplit

from corteval.errors import AssemblyError, OptionError
from corteval_regression import banded_ridge_cv, pooled_r2, ridgecv_cv, variance_partition
from corteval_regression.metric import banded_ridge
from corteval_regression.variance import UniqueVariance, example


def bands(seed=0, stimuli=50, first=8, second=5, targets=3, noise=1.0):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((stimuli, first)), 5 * rng.standard_normal((stimuli, second))
    y = a @ rng.standard_normal((first, targets)) + 0.3 * b @ rng.standard_normal((second, targets))
    return a, b, y + noise * rng.standard_normal(y.shape)


def exhaustive(a, b, y, train, test, alphas):
    """Every pair of penalties, every stimulus left out in turn."""
    best, found = np.inf, None
    for first in [*alphas, np.inf]:
        for second in [*alphas, np.inf]:
            if np.isinf(first) and np.isinf(second):
                continue
            x = np.hstack([a / np.sqrt(first), b / np.sqrt(second)])
            error = 0.0
            for left in train:
                rest = train[train != left]
                error += (Ridge(alpha=1).fit(x[rest], y[rest]).predict(x[[left]])[0] - y[left]) ** 2
            if error < best - 1e-9:
                best, found = error, Ridge(alpha=1).fit(x[train], y[train]).predict(x[test])
    return found


@pytest.mark.parametrize("sizes", [(8, 5), (60, 20)])
def test_penalties_of_two_bands_are_the_best_of_all_pairs(sizes):
    a, b, y = bands(first=sizes[0], second=sizes[1], targets=2)
    splits = list(ShuffleSplit(1, train_size=0.8, random_state=1).split(a))
    alphas = [0.5, 4.0, 64.0]
    fits = banded_ridge_cv([a, b], y, splits, alphas=alphas)
    same = banded_ridge_cv(
        [torch.as_tensor(a), torch.as_tensor(b)], torch.as_tensor(y), splits, alphas=alphas
    )
    for target in range(2):
        expected = exhaustive(a, b, y[:, target], *splits[0], alphas)
        np.testing.assert_allclose(fits.predictions[0][:, target], expected, atol=1e-10)
        np.testing.assert_allclose(same.predictions[0][:, target], expected, atol=1e-10)


def test_a_band_of_noise_is_penalised_away():
    a, _, y = bands(noise=0.2)
    y = a @ np.random.default_rng(1).standard_normal((8, 3))
    noise = np.random.default_rng(2).standard_normal((50, 30))
    splits = list(KFold(5).split(a))
    fits = banded_ridge_cv([a, noise], y, splits)
    assert (fits.alphas[:, 1] > 1000 * fits.alphas[:, 0]).all()


def test_three_bands_are_searched_at_random_with_a_seed():
    a, b, y = bands()
    parts = [a[:, :4], a[:, 4:], b]
    splits = list(KFold(5).split(a))
    first, again, other = (
        banded_ridge_cv(parts, y, splits, candidates=20, seed=s).predictions for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))
    assert np.abs(np.concatenate(first) - np.concatenate(other)).max() > 0
    assert (pooled_r2(first, y, splits) > 0.5).all()


def test_parts_of_variance_add_up():
    a, b, y = bands(stimuli=80)
    splits = list(KFold(5, shuffle=True, random_state=0).split(a))
    part = variance_partition(a, b, y, splits)
    np.testing.assert_allclose(part.unique_first + part.unique_second + part.shared, part.joint)
    alone = ridgecv_cv(a, y, splits, alphas=2.0 ** np.arange(-5, 20), alpha_per="target")
    residual = np.zeros(3)
    total = np.zeros(3)
    for predicted, (train, test) in zip(alone.predictions, splits, strict=True):
        residual += ((y[test] - predicted) ** 2).sum(axis=0)
        total += ((y[test] - y[train].mean(axis=0)) ** 2).sum(axis=0)
    np.testing.assert_allclose(part.first, 1 - residual / total)


def test_unrelated_and_equal_bands_share_nothing_and_everything():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 400, 5))
    y = a @ rng.standard_normal((5, 2)) + b @ rng.standard_normal((5, 2))
    splits = list(KFold(5).split(a))
    apart, same = variance_partition(a, b, y, splits), variance_partition(a, a, y, splits)
    np.testing.assert_allclose(apart.shared, 0, atol=0.05)
    np.testing.assert_allclose(apart.omega, 0, atol=0.1)
    np.testing.assert_allclose(same.unique_first, 0, atol=1e-3)
    np.testing.assert_allclose(same.omega, 1, atol=1e-2)


def test_the_metric_reports_every_part():
    source, target, _ = example()
    score = UniqueVariance(resamples=20)(source, target)
    assert float(score.samples.sel(part="unique_first").median()) == pytest.approx(score.value)
    assert score.raw.quantity == "variance"


def test_bands_must_be_named():
    source, target, _ = example()
    with pytest.raises(AssemblyError, match="coordinate 'band'"):
        banded_ridge()(source.drop_vars("band"), target)
    with pytest.raises(AssemblyError, match="two are needed"):
        banded_ridge()(source.isel(neuroid=slice(3)), target)
    with pytest.raises(OptionError, match="No band 'gpt2'; the source has model, nuisance"):
        UniqueVariance(band="gpt2")(source, target)
    with pytest.raises(OptionError, match="at least two bands"):
        banded_ridge_cv([np.ones((9, 2))], np.ones((9, 1)), [])
