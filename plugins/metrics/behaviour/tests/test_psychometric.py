import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import norm

from corteval.errors import OptionError, UndefinedScore
from corteval_behaviour import Psychometric, fit_psychometric, psychometric_threshold
from corteval_behaviour.psychometric import SLOPES, rising_levels, threshold_influence

LEVELS = np.arange(5.0, 105.0, 5.0)
COUNT = np.full(20, 200.0)


def answers(truth, count=COUNT, levels=LEVELS, seed=None):
    chance = truth.accuracy(levels)
    if seed is None:
        return chance * count
    return np.random.default_rng(seed).binomial(count.astype(int), chance).astype(float)


def loss(parameters, levels, right, count):
    """The definition, by scipy.stats."""
    slope, location, lapse = parameters
    p = 0.5 + (0.5 - lapse) * norm.cdf(slope * (levels - location))
    return -(right * np.log(p) + (count - right) * np.log(1 - p)).sum()


def test_accuracy_runs_from_guessing_to_lapses():
    function = Psychometric(slope=0.1, location=40, lapse=0.05, guess=0.5)
    np.testing.assert_allclose(function.accuracy(np.array([-1e9, 40, 1e9])), [0.5, 0.725, 0.95])
    assert function.accuracy(np.array(function.level(0.75))) == pytest.approx(0.75)
    assert np.isnan(function.level(0.95)) and np.isnan(function.level(0.5))


@settings(max_examples=8, deadline=None)
@given(st.floats(20, 70), st.floats(0.05, 0.3), st.floats(0.03, 0.15))
def test_fits_recover_the_function_that_made_the_answers(location, slope, lapse):
    truth = Psychometric(slope, location, lapse, 0.5)
    threshold, _, kept = psychometric_threshold(LEVELS, answers(truth), COUNT)
    assert threshold == pytest.approx(truth.level(0.75), rel=2e-3)
    assert kept == 20


def test_thresholds_of_noisy_answers_scatter_around_the_true_one():
    truth = Psychometric(0.1, 40, 0.03, 0.5)
    found = [psychometric_threshold(LEVELS, answers(truth, seed=s), COUNT)[0] for s in range(12)]
    assert np.mean(found) == pytest.approx(truth.level(0.75), abs=3 * np.std(found) / np.sqrt(12))


def test_ten_starts_find_what_all_starts_find():
    right = answers(Psychometric(0.08, 50, 0.06, 0.5), np.full(20, 30.0), seed=0)
    count = np.full(20, 30.0)
    few = fit_psychometric(LEVELS, right, count)
    best = min(
        minimize(
            loss,
            [slope, location, 0.03],
            args=(LEVELS, right, count),
            method="L-BFGS-B",
            bounds=[(1e-9, None), (None, None), (0.03, 0.5)],
        ).fun
        for slope in SLOPES[::7]
        for location in LEVELS[::3]
    )
    assert loss(few[:3], LEVELS, right, count) <= best + 1e-4


def test_levels_after_a_reversal_are_left_out():
    assert rising_levels(np.array([0.5, 0.7, 0.9, 1.0, 0.6, 0.5])) == 4
    assert rising_levels(np.array([0.5, 0.7, 0.9, 1.0, 0.6, 0.99])) == 6
    assert rising_levels(np.array([0.5, 0.7, 0.9, 1.0])) == 4


def test_a_reversal_does_not_move_the_threshold():
    truth = Psychometric(0.15, 30, 0.03, 0.5)
    right = answers(truth)
    right[14:] = 0.5 * COUNT[14:]
    right[13] = 0.98 * COUNT[13]
    threshold, _, kept = psychometric_threshold(LEVELS, right, COUNT)
    assert kept == 14
    assert threshold == pytest.approx(truth.level(0.75), rel=0.02)


@pytest.mark.parametrize(
    ("accuracy", "message"),
    [
        (np.full(20, 0.55), "right in 55.0%, less than 60%"),
        (np.r_[0.6, 0.9, np.full(18, 0.6)], "Only 2 of 20 levels"),
        (np.tile([0.9, 0.5], 10), "less than 40% of the variance"),
        (np.full(20, 0.9), "right in 90.0% at every level: .* lies below the lowest level"),
        (np.ones(20), "right in 100.0% at every level: .* lies below the lowest level"),
        (np.full(20, 0.7), "less than 40% of the variance|Only 1 of 20 levels"),
        (np.linspace(0.55, 0.7, 20), "highest shown was 100"),
    ],
)
def test_answers_without_threshold_are_undefined(accuracy, message):
    with pytest.raises(UndefinedScore, match=message):
        psychometric_threshold(LEVELS, accuracy * COUNT, COUNT)


def test_influence_predicts_the_threshold_of_a_refit():
    count = np.full(20, 60.0)
    right = answers(Psychometric(0.08, 40, 0.1, 0.5), count, seed=4)
    threshold, function, _ = psychometric_threshold(LEVELS, right, count)
    level = np.repeat(LEVELS, 60)
    hit = (np.tile(np.arange(60), 20) < np.repeat(right, 60)).astype(float)
    influence = threshold_influence(function, level, hit)
    generator = np.random.default_rng(5)
    exact, linear = [], []
    for _ in range(15):
        drawn = generator.multinomial(1200, np.full(1200, 1 / 1200))
        shape = 20, 60
        again = ((drawn * hit).reshape(shape).sum(axis=1), drawn.reshape(shape).sum(axis=1))
        exact.append(psychometric_threshold(LEVELS, again[0], again[1].astype(float))[0])
        linear.append(threshold + (drawn - 1) @ influence)
    assert np.corrcoef(exact, linear)[0, 1] > 0.85
    assert np.std(linear) == pytest.approx(np.std(exact), rel=0.25)


def test_options_that_no_fit_takes_are_refused():
    with pytest.raises(OptionError, match="chance level of at most"):
        fit_psychometric(LEVELS, COUNT, COUNT, guess=0.6)
