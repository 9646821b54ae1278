import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.stats import correlation, draw_neuroids, draw_stimuli, median_correlation_replicates
from corteval.stats.resampling import Held, median

IDS = [f"s{n:02d}" for n in range(12)]


@given(st.permutations(list(range(12))), st.integers(0, 5))
def test_draws_belong_to_ids_not_to_rows(order, seed):
    shuffled = [IDS[i] for i in order]
    counts = draw_stimuli(IDS, 20, seed)
    np.testing.assert_array_equal(draw_stimuli(shuffled, 20, seed), counts[:, order])
    drawn = np.array(IDS)[draw_neuroids(IDS, 20, seed)]
    np.testing.assert_array_equal(np.array(shuffled)[draw_neuroids(shuffled, 20, seed)], drawn)


def test_every_resample_draws_as_many_as_there_are():
    assert (draw_stimuli(IDS, 50, 0).sum(axis=1) == 12).all()
    assert draw_neuroids(IDS, 50, 0).shape == (50, 12)


def test_correlation_is_numpys():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 30, 4)) + 1e6
    expected = [np.corrcoef(x[:, n], y[:, n])[0, 1] for n in range(4)]
    np.testing.assert_allclose(correlation(x, y), expected, atol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_weighted_correlation_is_that_of_repeated_rows(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 15, 3))
    counts = rng.multinomial(15, np.full(15, 1 / 15))
    rows = np.repeat(np.arange(15), counts)
    expected = correlation(x[rows], y[rows])
    np.testing.assert_allclose(
        correlation(x, y, counts[None].astype(float))[0], expected, atol=1e-9
    )


def test_constants_have_no_correlation():
    x = np.ones((10, 2))
    x[:, 1] = np.arange(10)
    assert np.isnan(correlation(x, np.random.default_rng(0).random((10, 2)))[0])
    assert correlation(x, x)[1] == pytest.approx(1)


@given(st.lists(st.floats(-10, 10) | st.just(np.nan), min_size=1, max_size=9))
def test_median_is_numpys_nanmedian(values):
    array = np.array(values)
    expected = np.nan if np.isnan(array).all() else np.nanmedian(array)
    np.testing.assert_allclose(median(array), expected)


def test_replicates_do_not_depend_on_the_size_of_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 5))
    split = Held(x, x + rng.standard_normal(x.shape), np.arange(12))
    options = {"resamples": 40, "seed": 1}
    whole = median_correlation_replicates([split], IDS, list("abcde"), **options)
    monkeypatch.setattr("corteval.stats.resampling._BUDGET", 1)
    np.testing.assert_allclose(
        median_correlation_replicates([split], IDS, list("abcde"), **options), whole, atol=1e-12
    )


def test_a_resample_that_misses_a_split_uses_the_others():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 3))
    splits = [Held(x[rows], x[rows], rows) for rows in (np.arange(2), np.arange(12))]
    replicates = median_correlation_replicates(splits, IDS, list("abc"), resamples=200, seed=0)
    np.testing.assert_allclose(replicates, 1)
