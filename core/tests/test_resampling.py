import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corteval.errors import OptionError, UndefinedScore
from corteval.stats.resampling import (
    Held,
    central,
    correlation,
    correlation_influence,
    draw,
    draw_counts,
    median,
    median_correlation_replicates,
    spearman_brown,
)

IDS = [f"s{n:02d}" for n in range(12)]


@given(st.permutations(list(range(12))), st.integers(0, 5))
def test_draws_belong_to_ids_not_to_rows(order, seed):
    counts = draw_counts(IDS, 20, seed)
    np.testing.assert_array_equal(draw_counts([IDS[i] for i in order], 20, seed), counts[:, order])


def test_every_resample_draws_as_many_as_there_are():
    assert (draw_counts(IDS, 50, 0).sum(axis=1) == 12).all()


def test_two_factors_are_drawn_alone_and_together():
    ways = draw(stimulus_ids=IDS, neuroid_ids=list("abc"), resamples=9, seed=0)
    assert [w.scope for w in ways] == ["stimuli", "neuroids", "stimuli×neuroids"]
    assert [w.sizes for w in ways] == [(12,), (3,), (12, 3)]
    np.testing.assert_array_equal(ways[2].stimuli, ways[0].stimuli)
    np.testing.assert_array_equal(ways[2].neuroids, ways[1].neuroids)
    assert draw(stimulus_ids=IDS, resamples=0, seed=0) == []


def test_groups_of_stimuli_are_drawn_whole_and_count_as_many_as_equal_ones():
    groups = list("aaaaaabbbccc")
    (way,) = draw(stimulus_ids=IDS, stimulus_groups=groups, resamples=30, seed=0)
    for rows in (slice(0, 6), slice(6, 9), slice(9, 12)):
        assert (way.stimuli[:, rows] == way.stimuli[:, rows][:, :1]).all()
    assert (way.stimuli[:, [0, 6, 9]].sum(axis=1) == 3).all()
    assert (way.scope, way.sizes) == ("groups of stimuli", (round(144 / 54),))
    order = np.random.default_rng(0).permutation(12)
    moved = [[values[i] for i in order] for values in (IDS, groups)]
    (again,) = draw(stimulus_ids=moved[0], stimulus_groups=moved[1], resamples=30, seed=0)
    np.testing.assert_array_equal(again.stimuli, way.stimuli[:, order])
    assert again.digest == way.digest


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [("aaaaaabbbbbb", UndefinedScore, "form 2 groups"), ("abc", OptionError, "12 stimuli and")],
)
def test_groups_that_cannot_be_drawn_are_refused(groups, error, words):
    with pytest.raises(error, match=words):
        draw(stimulus_ids=IDS, stimulus_groups=list(groups), resamples=5, seed=0)


def test_from_five_subjects_on_subjects_are_drawn_with_all_their_neuroids():
    subjects = np.repeat(list("abcde"), 3)
    ids = [f"n{i}" for i in range(15)]
    ways = draw(stimulus_ids=IDS, neuroid_ids=ids, subjects=subjects, resamples=9, seed=0)
    assert ways[1].scope == "subjects" and ways[1].sizes == (5,)
    counts = ways[1].neuroids.reshape(9, 5, 3)
    assert (counts == counts[:, :, :1]).all() and (counts[:, :, 0].sum(axis=1) == 5).all()
    few = draw(neuroid_ids=ids, subjects=np.repeat(list("abc"), 5), resamples=9, seed=0)
    assert few[0].scope == "neuroids"


def test_correlation_is_numpys():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 30, 4)) + 1e6
    expected = [np.corrcoef(x[:, n], y[:, n])[0, 1] for n in range(4)]
    np.testing.assert_allclose(correlation(x, y), expected, atol=1e-9)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_the_influence_of_a_row_is_the_derivative_by_its_weight(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((2, 15, 3))
    row, step = int(rng.integers(15)), 1e-5
    influence = correlation_influence(x, y)[row]
    for n in range(3):
        moved = []
        for change in (step, -step):
            w = np.ones(15)
            w[row] += change
            c = np.cov(x[:, n], y[:, n], aweights=w)
            moved.append(c[0, 1] / np.sqrt(c[0, 0] * c[1, 1]))
        assert influence[n] / 15 == pytest.approx((moved[0] - moved[1]) / (2 * step), abs=1e-6)


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


@given(
    st.lists(st.floats(-10, 10) | st.just(np.nan), min_size=4, max_size=4, unique=True),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_a_median_of_draws_is_where_their_middles_cross_one_half(values, counts):
    drawn = sorted((v, c) for v, c in zip(values, counts, strict=True) if c and not np.isnan(v))
    if not drawn:
        assert np.isnan(median(np.array(values), np.array(counts)))
        return
    x, c = map(np.array, zip(*drawn, strict=True))
    middles = (np.cumsum(c) - c / 2) / c.sum()
    expected = np.interp(0.5, middles, x)
    np.testing.assert_allclose(median(np.array(values), np.array(counts)), expected, atol=1e-12)


def test_the_variance_of_medians_of_draws_is_that_of_medians_of_samples():
    rng = np.random.default_rng(0)
    samples = rng.standard_normal((400, 12))
    counts = rng.multinomial(12, np.full(12, 1 / 12), (400, 200))
    estimated = median(samples[:, None, :], counts).var(axis=1).mean()
    true = np.median(rng.standard_normal((20_000, 12)), axis=1).var()
    assert estimated == pytest.approx(true, rel=0.12)


def test_the_mean_over_subjects_of_their_medians():
    values, groups = np.array([1.0, 2, 9, 4, 6]), np.array(list("aaabb"))
    assert central(values, groups=groups) == (2 + 5) / 2
    counts = np.array([2, 2, 2, 1, 1])  # subject a drawn twice
    assert central(values, counts, groups) == pytest.approx((2 * 2 + 5) / 3)


def example_split(seed=0, neuroids=5):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((12, neuroids))
    return Held(x, x + rng.standard_normal(x.shape), np.arange(12))


def values_of(found):
    return np.array([r.values for r in found])


def test_replicates_do_not_depend_on_the_size_of_blocks(monkeypatch):
    draws = draw(stimulus_ids=IDS, neuroid_ids=list("abcde"), resamples=40, seed=1)
    whole = median_correlation_replicates([example_split()], draws)
    monkeypatch.setattr("corteval.stats.resampling._BUDGET", 1)
    blocks = median_correlation_replicates([example_split()], draws)
    np.testing.assert_allclose(values_of(blocks), values_of(whole), atol=1e-12)


def test_replicates_of_neuroids_are_medians_of_draws():
    split = example_split()
    draws = draw(neuroid_ids=list("abcde"), resamples=20, seed=1)
    (found,) = values_of(median_correlation_replicates([split], draws))
    r = correlation(split.predicted, split.observed)
    np.testing.assert_allclose(found, median(r, draws[0].neuroids), atol=1e-6)


def test_replicates_of_stimuli_follow_those_of_repeated_rows():
    rng = np.random.default_rng(0)
    ids = [f"s{n:03d}" for n in range(400)]
    x = rng.standard_normal((400, 5))
    split = Held(x, x + rng.standard_normal(x.shape), np.arange(400))
    draws = draw(stimulus_ids=ids, resamples=300, seed=1)
    (found,) = values_of(median_correlation_replicates([split], draws))
    rows = [np.repeat(np.arange(400), counts) for counts in draws[0].stimuli]
    recomputed = [np.median(correlation(split.predicted[i], split.observed[i])) for i in rows]
    assert np.corrcoef(found, recomputed)[0, 1] > 0.98
    assert np.std(found) == pytest.approx(np.std(recomputed), rel=0.05)


def test_spearman_brown_has_its_fixed_points():
    np.testing.assert_allclose(spearman_brown(np.array([0.0, 0.5, 1.0])), [0, 2 / 3, 1])
    assert np.isnan(spearman_brown(np.array([-1.0]))).all()
