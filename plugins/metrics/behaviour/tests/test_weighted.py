import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from corteval_behaviour.halves import (
    chosen_halves,
    complemented_halves,
    shuffled_halves,
)
from corteval_behaviour.weighted import tally, totals, weighted_correlation, weighted_mean

NUMBERS = st.floats(-100, 100, width=32)


def test_correlation_is_scipys():
    x, y = np.random.default_rng(0).standard_normal((2, 50))
    assert weighted_correlation(x, y) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-14)


def test_counts_are_repetitions_of_pairs():
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((2, 30))
    counts = generator.integers(0, 4, size=(5, 30))
    expected = [stats.pearsonr(np.repeat(x, c), np.repeat(y, c))[0] for c in counts]
    np.testing.assert_allclose(weighted_correlation(x, y, counts), expected, atol=1e-13)


def test_pairs_with_nan_are_left_out():
    x, y = np.random.default_rng(2).standard_normal((2, 20))
    x[3], y[7] = np.nan, np.nan
    kept = np.isfinite(x) & np.isfinite(y)
    expected = stats.pearsonr(x[kept], y[kept])[0]
    assert weighted_correlation(x, y) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 / 3])
def test_a_constant_correlates_with_nothing(constant):
    assert np.isnan(weighted_correlation(np.full(7, constant), np.arange(7.0)))


def test_two_pairs_have_no_correlation():
    assert np.isnan(weighted_correlation(np.array([1.0, 2]), np.array([3.0, 5])))


@given(arrays(np.float64, (2, 12), elements=NUMBERS), st.floats(0.1, 10), NUMBERS)
def test_correlation_does_not_change_with_scale_and_origin(pair, scale, origin):
    x, y = pair
    r, moved = weighted_correlation(x, y), weighted_correlation(scale * x + origin, y)
    if np.ptp(x) > 1e-3 and np.ptp(y) > 1e-3:
        assert moved == pytest.approx(r, abs=1e-5)


def test_means_are_numpys():
    generator = np.random.default_rng(3)
    values, weights = generator.standard_normal((4, 9)), generator.random((4, 9))
    expected = [np.average(v, weights=w) for v, w in zip(values, weights, strict=True)]
    np.testing.assert_allclose(weighted_mean(values, weights), expected)
    assert np.isnan(weighted_mean(values, np.zeros((4, 9)))).all()


def test_totals_are_sums_over_the_trials_of_each_group():
    generator = np.random.default_rng(4)
    row, group = generator.integers(5, size=40), generator.integers(3, size=40)
    columns = generator.standard_normal((2, 40))
    weights = generator.integers(0, 3, size=(6, 5)).astype(float)
    found = totals(weights, tally(row, group, columns, (5, 3)), 2)
    for c in range(2):
        for b in range(6):
            for g in range(3):
                here = group == g
                expected = (weights[b, row] * columns[c])[here].sum()
                assert found[c, b, g] == pytest.approx(expected)


@pytest.mark.parametrize("draw", [shuffled_halves, chosen_halves])
@pytest.mark.parametrize("count", [10, 11])
def test_halves_are_disjoint_and_complete(draw, count):
    halves = draw(count, 4, 0)
    assert (halves.sum(axis=1) == 1).all()
    assert set(halves.sum(axis=2).ravel()) == {count // 2, count - count // 2}


def test_shuffled_halves_are_those_of_a_shuffled_list():
    state = np.random.RandomState(0)
    for half, other in shuffled_halves(9, 3, 0):
        indices = list(range(9))
        state.shuffle(indices)
        assert set(np.flatnonzero(half)) == set(indices[:4])
        assert set(np.flatnonzero(other)) == set(indices[4:])


def test_the_published_mistake_shares_14_of_100_rows_and_misses_40():
    half, other = complemented_halves(100, 1, 0)[0] > 0
    assert (half & other).sum() == 14
    assert (~half & ~other).sum() == 40
