import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from scipy.stats import norm, spearmanr

from corteval_temporal import i1, solution_times, spearman

finite = st.floats(-6, 6)


def i1_by_definition(logits, truth, normalized=False):
    """Image by image and distractor by distractor."""
    p = softmax(logits, axis=1)
    images, objects = p.shape
    alarm = np.full(p.shape, np.nan)
    for i in range(images):
        for k in range(objects):
            if k != truth[i]:
                alarm[i, k] = p[i, k] / (p[i, k] + p[i, truth[i]])
    d = np.full(p.shape, np.nan)
    for i in range(images):
        for k in range(objects):
            of_k = [alarm[j, truth[i]] for j in range(images) if truth[j] == k]
            if k != truth[i] and of_k:
                d[i, k] = norm.ppf(1 - alarm[i, k]) - norm.ppf(np.mean(of_k))
    d = np.clip(d, -5, 5)
    if normalized:
        raw = d.copy()
        for i in range(images):
            d[i] -= [
                np.nanmean([*raw[truth == truth[i], k], np.nan]) if not np.isnan(raw[i, k]) else 0
                for k in range(objects)
            ]
    return np.nanmean(d, axis=1)


@pytest.mark.parametrize("normalized", [False, True])
@given(arrays(np.float64, (7, 3), elements=finite), st.permutations([0, 1, 2, 0, 1, 2, 1]))
def test_performance_is_its_definition_in_a_loop(normalized, logits, truth):
    truth = np.array(truth)
    expected = i1_by_definition(logits, truth, normalized)
    np.testing.assert_allclose(i1(logits, truth, normalized=normalized), expected, atol=1e-7)


@given(arrays(np.float64, (6, 3), elements=finite), arrays(np.float64, 6, elements=finite))
def test_performance_takes_logits_up_to_a_constant(logits, constant):
    truth = np.array([0, 1, 2, 0, 1, 2])
    np.testing.assert_allclose(i1(logits + constant[:, None], truth), i1(logits, truth), atol=1e-6)


def test_time_bins_are_measured_as_one_by_one():
    logits = np.random.default_rng(0).standard_normal((4, 9, 3))
    truth = np.arange(9) % 3
    np.testing.assert_array_equal(i1(logits, truth), [i1(one, truth) for one in logits])


def test_certainty_is_capped_and_never_infinite():
    right = 1e4 * np.eye(3)[np.arange(6) % 3]
    assert (i1(right, np.arange(6) % 3) == 5).all()
    assert (i1(right, (np.arange(6) + 1) % 3) <= 0).all()
    assert np.isfinite(i1(-right, np.arange(6) % 3)).all()


def test_distractors_without_images_are_left_out():
    logits = np.random.default_rng(1).standard_normal((6, 3))
    truth = np.array([0, 1, 0, 1, 0, 1])
    np.testing.assert_allclose(i1(logits, truth), i1(logits[:, :2], truth), atol=1e-12)


def test_an_unknown_object_has_no_performance_and_changes_no_other():
    logits = np.random.default_rng(2).standard_normal((7, 3))
    truth = np.array([0, 1, 2, 0, 1, 2, -1])
    found = i1(logits, truth)
    assert np.isnan(found[-1])
    np.testing.assert_allclose(found[:-1], i1(logits[:-1], truth[:-1]))


def times_by_definition(performance, threshold, time):
    """Bin after bin, as the definition reads."""
    found = []
    for image in range(performance.shape[1]):
        best, when = None, np.inf
        for bin_, value in enumerate(performance[:, image]):
            if value >= threshold[image]:
                if best is None:
                    when = time[bin_]
                else:
                    line = np.polyfit(
                        [performance[best, image], value], [time[best], time[bin_]], 1
                    )
                    when = np.polyval(line, threshold[image])
                break
            if value < threshold[image] and (best is None or value > performance[best, image]):
                best = bin_
        found.append(when)
    return np.array(found)


eighths = st.integers(-16, 16).map(lambda n: n / 8) | st.just(np.nan)


@given(arrays(np.float64, (5, 4), elements=eighths), arrays(np.float64, 4, elements=finite))
def test_solution_times_are_their_definition_in_a_loop(performance, threshold):
    threshold = np.round(threshold) / 4 + 1 / 16  # apart from all performances: a line has a slope
    time = np.array([70.0, 80, 90, 120, 130])
    expected = times_by_definition(performance, threshold, time)
    np.testing.assert_allclose(solution_times(performance, threshold, time), expected, atol=1e-6)


def test_a_performance_that_meets_its_threshold_solves():
    found = solution_times(np.array([[0.0, 1], [1, 2]]), np.array([1.0, 1]), np.array([70.0, 80]))
    assert list(found) == [80, 70]


@given(st.lists(st.floats(71, 149), min_size=1, max_size=8), st.floats(0.01, 3))
def test_a_linear_ramp_is_solved_when_it_crosses(crossings, slope):
    time = np.arange(70.0, 160, 10)
    ramps = slope * (time[:, None] - np.array(crossings))
    found = solution_times(ramps, np.zeros(len(crossings)), time)
    np.testing.assert_allclose(found, crossings, atol=1e-6)


def test_the_line_starts_at_the_best_bin_before_not_at_the_last():
    # best before is 0.5 at 70 ms; the dip at 80 ms does not count
    found = solution_times(
        np.array([[0.5], [0.0], [1.5]]), np.array([1.0]), np.array([70.0, 80, 90])
    )
    assert found == pytest.approx([80])


def test_what_no_bin_solves_takes_forever():
    found = solution_times(
        np.array([[0.0, np.nan], [0.5, np.nan]]), np.ones(2), np.array([70.0, 80])
    )
    assert (found == np.inf).all()


few = st.integers(0, 4)


@given(arrays(np.int64, 12, elements=few), arrays(np.int64, 12, elements=few), st.integers(0, 99))
def test_spearman_of_counted_rows_is_scipys_of_repeated_rows(x, y, seed):
    counts = np.random.default_rng(seed).multinomial(12, np.full(12, 1 / 12), size=3)
    for row, rho in zip(counts, spearman(x, y, counts), strict=True):
        a, b = np.repeat(x, row), np.repeat(y, row)
        if len(set(a)) == 1 or len(set(b)) == 1:
            assert np.isnan(rho)
        else:
            assert rho == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)


def test_spearman_is_scipys():
    x, y = np.random.default_rng(0).standard_normal((2, 40))
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)
