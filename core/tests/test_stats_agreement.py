"""Where statistics are those of scipy or rsatoolbox, numbers are, to 1e-6."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rsatoolbox.util.inference_util import extract_variances, t_tests
from scipy import stats

from corteval.intervals import (
    Replicates,
    corrected_replicates,
    degrees_of_freedom,
    interval_of,
    student_over_normal,
)
from corteval.score import Estimate, Score
from corteval.stats.board import Board, means
from corteval.stats.paired import compare, sign_flip_test
from corteval.stats.ranks import holm, paired_p_values, ranks
from corteval.stats.relations import correlation_replicates
from corteval.stats.resampling import correlation, draw, replicates

#: All draws of five out of five, each as likely: what a bootstrap tends to.
EVERY_DRAW = np.array([*itertools.product(range(5), repeat=5)])


def every_replicate(values, scope="subjects"):
    drawn = np.asarray(values)[EVERY_DRAW].mean(axis=1)
    return Replicates(scope=scope, sizes=(5,), values=tuple(drawn.tolist()))


def standard_error(replicated):
    """Of the corrected replicates, without what Student's t adds."""
    freedom = degrees_of_freedom(replicated)
    corrected = corrected_replicates(0.0, replicated)
    return corrected.std() / student_over_normal(0.025, freedom)


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=5, unique=True))
def test_the_error_over_subjects_is_that_of_scipys_sem_and_of_rsatoolbox(values):
    found = [every_replicate(values)]
    assert degrees_of_freedom(found) == 4
    error = standard_error(found)
    assert error == pytest.approx(stats.sem(values), rel=1e-6)
    of_models, _, _ = extract_variances(
        np.array([[np.var(found[0].values)]]), nc_included=False, n_rdm=5
    )
    assert error**2 == pytest.approx(of_models.item(), rel=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_paired_tests_of_ranks_are_scipys_and_rsatoolboxs_t_tests(seed):
    """Of three models on five subjects."""
    rng = np.random.default_rng(seed)
    of_subjects = rng.standard_normal(5) + 0.5 * rng.standard_normal((3, 5)) + [[0.0], [0.5], [1.0]]
    values = of_subjects.mean(axis=1)
    draws = np.stack([every_replicate(row).values for row in of_subjects])
    # as `corrected_replicates` stretches them, whose factor is the same for all models
    stretched = values[:, None] + (draws - values[:, None]) * np.sqrt(5 / 4) * student_over_normal(
        0.025, 4.0
    )
    ours = paired_p_values(values, stretched, np.full(3, 4.0))
    _, of_differences, _ = extract_variances(np.cov(draws, ddof=0), nc_included=False, n_rdm=5)
    theirs = t_tests(values[None], of_differences, dof=4)
    for i, j in itertools.combinations(range(3), 2):
        scipys = stats.ttest_rel(of_subjects[i], of_subjects[j]).pvalue
        assert ours[i, j] == pytest.approx(scipys, abs=1e-6)
        assert ours[i, j] == pytest.approx(theirs[i, j], abs=1e-6)


def dual(seed, medians=False):
    """Replicates of the mean of a table in draws of its rows, of its columns, and of both."""
    rng = np.random.default_rng(seed)
    # noise enough that none of rsatoolbox's bounds is met
    table = rng.standard_normal((20, 1)) + rng.standard_normal(30) + rng.normal(0, 3, (20, 30))
    found = []
    for way in draw(
        stimulus_ids=[f"s{n:02d}" for n in range(30)],
        subjects=[f"h{n:02d}" for n in range(20)],
        resamples=2000,
        seed=seed,
    ):
        rows = np.ones((1, 20)) if way.neuroids is None else way.neuroids
        columns = np.ones((1, 30)) if way.stimuli is None else way.stimuli
        drawn = ((rows @ table) * columns).sum(axis=1) / table.size
        found.append(replicates(way, drawn, median=medians))
    return found


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("medians", [False, True])
def test_the_variance_over_two_factors_is_that_of_rsatoolbox(seed, medians):
    """With and without its small-sample factors; its bounds differ, see `interval_of`."""
    found = dual(seed, medians)
    of_stimuli, of_subjects, of_both = (np.var(r.values) for r in found)
    variances = np.array([of_both, of_subjects, of_stimuli])[:, None, None]
    sizes = {} if medians else {"n_rdm": 20, "n_pattern": 30}
    (theirs,), _, _ = extract_variances(variances, nc_included=False, **sizes)
    assert max(of_subjects, of_stimuli) < theirs < of_both  # none of its bounds holds
    # the sum of both factors' replicates has the shape, and the variance is set
    assert standard_error(found) ** 2 == pytest.approx(theirs, rel=1e-6)


def test_the_interval_over_all_draws_of_symmetric_values_is_near_students():
    """Its shape is that of the draws; width and centre are Student's up to that."""
    values = np.array([-1.1, -0.4, 0.0, 0.4, 1.1]) + 3
    ours = interval_of(3.0, [every_replicate(values)])
    student = stats.ttest_1samp(values, 0).confidence_interval()
    assert ours.low + ours.high == pytest.approx(6, abs=1e-6)
    assert ours.high - ours.low == pytest.approx(student.high - student.low, rel=0.03)


@settings(max_examples=30)
@given(st.lists(st.integers(-20, 20), min_size=2, max_size=8))
def test_flipping_few_signs_is_scipys_exact_permutation_test(values):
    differences = np.array(values) / 10
    expected = stats.permutation_test(
        (differences, np.zeros(len(values))),
        lambda a, b, axis: np.sum(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    ).pvalue
    assert sign_flip_test(differences) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closure_of_bonferronis_tests(p_values):
    """p of one hypothesis is the largest of all sets that hold it: size times the smallest p."""
    found = holm(dict(enumerate(p_values)))
    numbers = range(len(p_values))
    for n in numbers:
        sets = (
            chosen
            for size in range(1, len(p_values) + 1)
            for chosen in itertools.combinations(numbers, size)
            if n in chosen
        )
        expected = max(min(1.0, len(s) * min(p_values[i] for i in s)) for s in sets)
        assert found[n] == pytest.approx(expected, abs=1e-12)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=8))
def test_ranks_are_those_of_scipy(values):
    scores = [
        Score(value=float(v), raw=Estimate(value=float(v)), model=f"m{n}", benchmark="b")
        for n, v in enumerate(values)
    ]
    found = {r.model: r.rank for r in ranks(means(Board.of(scores), {"b": 1.0}, resamples=2))}
    expected = stats.rankdata(-np.array(values), method="min").astype(int)
    assert [found[f"m{n}"] for n in range(len(values))] == expected.tolist()


def test_bootstrap_errors_are_those_of_scipys_bootstrap():
    """Both draw at random, so to the error of 20,000 replicates."""
    x, y = np.random.default_rng(0).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 40).T
    theirs = stats.bootstrap(
        (x, y),
        lambda a, b, axis: np.arctanh(stats.pearsonr(a, b, axis=axis).statistic),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method="percentile",
        rng=1,
    )
    ours = np.array(correlation_replicates(x, y, resamples=20_000).values)
    assert ours.std(ddof=1) == pytest.approx(theirs.standard_error, rel=0.02)
    bounds = theirs.confidence_interval
    np.testing.assert_allclose(np.quantile(ours, [0.025, 0.975]), [*bounds], atol=0.02)


def test_correlations_are_those_of_scipy():
    x, y = np.random.default_rng(2).standard_normal((2, 30, 5))
    expected = stats.pearsonr(x, y, axis=0).statistic
    np.testing.assert_allclose(correlation(x, y), expected, atol=1e-12)


def test_a_paired_comparison_of_scores_is_the_one_sample_interval_of_differences():
    """Of five subjects, over all draws."""
    first, second = np.random.default_rng(3).standard_normal((2, 5))
    scores = [
        Score(value=x.mean(), raw=Estimate(value=x.mean(), replicates=(every_replicate(x),)))
        for x in (first, second)
    ]
    found = compare(*scores)
    expected = interval_of((first - second).mean(), [every_replicate(first - second)])
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )
