"""The contrast between both ends, against plain loops and closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from corteval.errors import OptionError
from corteval_driving.contrast import check_share, contrast, extremes


def test_it_is_the_mean_of_the_highest_and_of_the_lowest():
    rng = np.random.default_rng(0)
    by, of = rng.standard_normal((2, 80))
    order = np.argsort(by)
    high, low = extremes(by, of, 0.1)
    assert (high, low) == pytest.approx((of[order[-8:]].mean(), of[order[:8]].mean()))


def test_a_stimulus_at_the_border_counts_in_part():
    of = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    high, low = extremes(of, of, 0.25)  # two and a half of ten
    assert (high, low) == pytest.approx(((9 + 8 + 3.5) / 2.5, (0 + 1 + 1) / 2.5))


def test_one_stimulus_at_least_is_chosen():
    of = np.array([3.0, 1.0, 2.0])
    assert extremes(of, of, 0.1) == (3.0, 1.0)


def test_ties_are_broken_in_all_ways():
    """Mean over every order of the tied stimuli, each chosen by a stable sort."""
    from itertools import permutations

    by, of = np.array([1.0, 1, 1, 0, 0, 0]), np.array([5.0, 2, 1, 4, 3, 9])
    found = []
    for order in permutations(range(6)):
        place = np.argsort(by[list(order)], kind="stable")
        values = of[list(order)][place]
        found.append((values[-2:].mean(), values[:2].mean()))
    assert extremes(by, of, 1 / 3) == pytest.approx(tuple(np.mean(found, axis=0)))


def test_predictions_that_differ_by_rounding_are_tied():
    by = np.array([0.1 + 0.2, 0.3, 0.3, 5.0])
    of = np.array([1.0, 2, 3, 4])
    assert extremes(by, of, 0.25)[1] == pytest.approx(2.0)


def test_constant_predictions_choose_nothing():
    of = np.arange(10.0)
    assert extremes(np.full(10, 0.1), of, 0.2) == pytest.approx((4.5, 4.5))


def test_draws_are_as_if_rows_were_laid_out():
    rng = np.random.default_rng(1)
    by, of = np.round(rng.standard_normal(50), 1), rng.standard_normal(50)
    counts = rng.multinomial(50, np.full(50, 0.02), size=20)
    high, low = extremes(by, of, 0.13, counts)
    for row, up, down in zip(counts, high, low, strict=True):
        rows = np.repeat(np.arange(50), row)
        assert (up, down) == pytest.approx(extremes(by[rows], of[rows], 0.13))


def test_a_draw_without_any_stimulus_has_no_contrast():
    counts = np.array([[0, 0, 0], [1, 1, 1]])
    high, _ = extremes(np.arange(3.0), np.arange(3.0), 0.1, counts)
    assert np.isnan(high).tolist() == [True, False]


def test_neuroids_are_contrasted_each_by_its_own_predictions():
    by, of = np.random.default_rng(2).standard_normal((2, 60, 3))
    expected = [np.subtract(*extremes(by[:, n], of[:, n], 0.2)) for n in range(3)]
    np.testing.assert_allclose(contrast(by, of, 0.2), expected)


@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 0.5), scale=st.floats(0.01, 100))
def test_neither_order_nor_monotone_scale_matters_and_no_choice_beats_that_by_itself(
    seed, share, scale
):
    rng = np.random.default_rng(seed)
    by, of = rng.standard_normal((2, 30))
    order = rng.permutation(30)
    here = extremes(by, of, share)
    assert extremes(by[order] * scale + 1, of[order], share) == pytest.approx(here)
    assert np.subtract(*here) <= np.subtract(*extremes(of, of, share)) + 1e-12
    assert extremes(-by, of, share) == pytest.approx(here[::-1])


def expected_extreme(count, chosen):
    """Mean of the expected `chosen` largest of `count` standard normal values, by quadrature."""

    def order_statistic(k):
        density = stats.beta(k, count - k + 1).pdf
        return integrate.quad(lambda u: stats.norm.ppf(u) * density(u), 0, 1, limit=200)[0]

    return np.mean([order_statistic(k) for k in range(count - chosen + 1, count + 1)])


def test_of_gaussian_values_it_is_the_mean_of_order_statistics():
    rng = np.random.default_rng(3)
    values = rng.standard_normal((4000, 60))
    measured = np.mean([np.subtract(*extremes(v, v, 0.1)) for v in values])
    assert measured == pytest.approx(2 * expected_extreme(60, 6), abs=0.02)


def test_of_jointly_gaussian_values_the_share_is_the_correlation():
    rng = np.random.default_rng(4)
    by, of = rng.multivariate_normal([0, 0], [[1, 0.4], [0.4, 1]], 60_000).T
    share = np.subtract(*extremes(by, of, 0.1)) / np.subtract(*extremes(of, of, 0.1))
    assert share == pytest.approx(0.4, abs=0.015)


@pytest.mark.parametrize("share", [0.0, -0.1, 0.51, float("nan")])
def test_shares_that_overlap_or_are_empty_are_refused(share):
    with pytest.raises(OptionError, match="at most"):
        check_share(share)
