import itertools

import numpy as np
import pytest
from scipy import stats

from corteval.errors import OptionError, UndefinedScore
from corteval.intervals import Replicates
from corteval.score import Estimate, Score
from corteval.stats.paired import compare, sign_flip_test


def scored(value, values, benchmark="Data.V4-ridge", seed=0):
    found = Replicates(scope="stimuli", sizes=(500,), values=tuple(values), seed=seed)
    return Score(value=value, raw=Estimate(value=value, replicates=(found,)), benchmark=benchmark)


def test_what_both_models_share_cancels():
    rng = np.random.default_rng(0)
    shared, own = rng.normal(0, 0.2, 2000), rng.normal(0, 0.01, 2000)
    result = compare(scored(0.55, 0.55 + shared + own), scored(0.5, 0.5 + shared))
    assert result.difference == pytest.approx(0.05)
    assert result.interval.high - result.interval.low == pytest.approx(2 * 1.96 * 0.01, rel=0.1)
    assert result.p_value == pytest.approx(2 / 2001)


def test_the_p_value_is_near_that_of_the_normal_distribution():
    values = stats.norm.ppf((np.arange(5000) + 0.5) / 5000)
    result = compare(scored(1.5, 1.5 + values), scored(0.0, np.zeros(5000)))
    assert result.p_value == pytest.approx(2 * stats.norm.sf(1.5), abs=0.005)


def test_equal_models_do_not_differ():
    values = np.random.default_rng(0).normal(0.5, 0.1, 1000)
    assert compare(scored(0.5, values), scored(0.5, values)).p_value == 1


def test_a_score_without_raw_estimate_or_reason_is_refused_in_words():
    whole = scored(0.5, np.linspace(0.4, 0.6, 100))
    bare = Score(value=0.5, model="imported", benchmark=whole.benchmark)
    with pytest.raises(UndefinedScore, match="imported has a score without its raw estimate"):
        compare(bare, whole)
    silent = Score.unscored("not-applicable", "", model="deaf", benchmark=whole.benchmark)
    with pytest.raises(UndefinedScore, match=r"deaf has no score: it is not applicable$"):
        compare(whole, silent)


def test_scores_that_do_not_belong_together_are_refused():
    a = scored(0.5, np.ones(100))
    with pytest.raises(OptionError, match="cannot be compared"):
        compare(a, scored(0.5, np.ones(100), benchmark="Other.IT-pls"))
    with pytest.raises(OptionError, match="different seeds"):
        compare(a, scored(0.5, np.ones(100), seed=1))
    with pytest.raises(OptionError, match="different numbers of replicates"):
        compare(a, scored(0.5, np.ones(90)))
    with pytest.raises(UndefinedScore, match="has no score: too few"):
        compare(a, Score.unscored("undefined", "too few"))
    bare = Score(value=0.1, raw=Estimate(value=0.1), benchmark="Data.V4-ridge")
    with pytest.raises(UndefinedScore, match="too few bootstrap replicates"):
        compare(bare, bare)


def test_few_units_try_every_sign():
    values = np.array([0.3, 0.1, -0.2, 0.5, 0.4])
    sums = [abs(np.dot(s, values)) for s in itertools.product([-1, 1], repeat=5)]
    expected = np.mean(np.array(sums) >= abs(values.sum()) - 1e-12)
    assert sign_flip_test(values) == pytest.approx(expected)


def test_many_units_agree_with_scipys_permutation_test():
    values = np.random.default_rng(1).normal(0.25, 1, 40)
    expected = stats.permutation_test(
        (values, np.zeros(40)),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(0),
    ).pvalue
    assert sign_flip_test(values, resamples=20_000) == pytest.approx(expected, abs=0.02)
    assert sign_flip_test(values, seed=3) == sign_flip_test(values, seed=3)


def test_one_unit_tells_nothing():
    with pytest.raises(UndefinedScore, match="1 differences"):
        sign_flip_test(np.array([0.3, np.nan]))
