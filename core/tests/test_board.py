"""Boards, means over suites, ranks: against plain loops, closed forms and simulated truth."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corteval.errors import OptionError
from corteval.intervals import Interval, Replicates
from corteval.score import Estimate, Score
from corteval.stats.board import Board, means
from corteval.stats.ranks import holm, paired_p_values, ranks

WEIGHTS = {"a": 0.5, "b": 0.25, "c": 0.25}


def score(model, benchmark, value, spread=0.05, seed=0, draws=400):
    """A score whose replicates are normal; those of one benchmark share half of their noise."""
    common = np.random.default_rng([seed, sum(map(ord, benchmark))]).standard_normal(draws)
    own = np.random.default_rng([seed, sum(map(ord, model + benchmark))]).standard_normal(draws)
    values = value + spread * (common + own) / np.sqrt(2)
    replicates = Replicates(scope="stimuli", sizes=(10_000,), values=tuple(values), median=True)
    raw = Estimate(value=value, replicates=(replicates,))
    return Score(value=value, raw=raw, model=model, benchmark=benchmark)


def board(table, **options):
    return Board.of(
        score(model, benchmark, value, **options)
        for model, row in table.items()
        for benchmark, value in row.items()
    )


FULL = {
    "m1": {"a": 0.9, "b": 0.5, "c": 0.1},
    "m2": {"a": 0.2, "b": 0.4, "c": 0.6},
    "m3": {"a": 0.1, "b": 0.1, "c": 0.2},
}


def test_a_mean_is_the_weighted_sum():
    found = {m.model: m.value for m in means(board(FULL), WEIGHTS)}
    assert found["m1"] == pytest.approx(0.5 * 0.9 + 0.25 * 0.5 + 0.25 * 0.1)
    assert found["m2"] == pytest.approx(0.35)


def test_the_spread_of_a_mean_is_that_of_independent_benchmarks():
    (mean, *_) = means(board(FULL), WEIGHTS, resamples=4000)
    expected = 0.05 * np.sqrt(0.5**2 + 2 * 0.25**2)
    assert mean.draws.std() == pytest.approx(expected, rel=0.1)
    assert (mean.high - mean.low) / 2 == pytest.approx(1.96 * expected, rel=0.12)


def test_replicates_that_are_all_the_same_leave_no_doubt():
    (mean, *_) = means(board(FULL, spread=0), WEIGHTS)
    assert mean.low == mean.high == pytest.approx(mean.value)


def bare(made, interval=None):
    """A score without replicates, as that on private data is told."""
    return replace(made, raw=Estimate(value=made.value), interval=interval)


def test_of_a_score_without_interval_nobody_knows_the_rank():
    known = [score(m, b, FULL[m][b]) for m in ("m1", "m3") for b in "abc"]
    unknown = [bare(score("m2", b, FULL["m2"][b])) for b in "abc"]
    found = {m.model: m for m in means(Board.of([*known, *unknown]), WEIGHTS)}
    assert found["m2"].exact == ("a", "b", "c") and np.isnan(found["m2"].low)
    of = {r.model: r for r in ranks([*found.values()])}
    assert (of["m2"].rank, of["m2"].low, of["m2"].high, of["m2"].group) == (2, 1, 3, 0)
    assert np.isnan(of["m2"].probability_best) and of["m1"].group == 1


def test_a_score_with_an_interval_only_is_as_uncertain_as_that_says():
    interval = Interval(
        low=0.4, high=0.6, level=0.95, method="m", scope="stimuli", resamples=9, seed=0
    )
    made = [bare(score(m, "a", 0.5), interval) for m in ("m1", "m2")]
    found = means(Board.of(made), {"a": 1.0})
    for mean in found:
        assert (mean.low, mean.high) == (pytest.approx(0.4, abs=0.01), pytest.approx(0.6, abs=0.01))
    assert {r.group for r in ranks(found)} == {1}
    assert {r.high for r in ranks(found)} == {2}


LACKING = {**FULL, "m2": {"a": 0.2, "c": 0.6}}


def test_a_model_that_lacks_a_benchmark_is_not_ranked_unless_asked_for():
    found = {m.model: m for m in means(board(LACKING), WEIGHTS)}
    assert np.isnan(found["m2"].value) and found["m2"].lacking == ("b",)
    assert [r.model for r in ranks([*found.values()])] == ["m1", "m3"]


def test_bounds_hold_whatever_the_missing_score_may_be():
    found = {m.model: m for m in means(board(LACKING, spread=0), WEIGHTS, missing="bounds")}
    known = 0.5 * 0.2 + 0.25 * 0.6
    assert found["m2"].low == pytest.approx(known + 0.25 * 0.1)
    assert found["m2"].high == pytest.approx(known + 0.25 * 0.5)


def test_zero_counts_what_lacks_as_nothing_and_clips():
    table = {**LACKING, "m3": {"a": -0.5, "b": 1.5, "c": 0.0}}
    found = {m.model: m.value for m in means(board(table, spread=0), WEIGHTS, missing="zero")}
    assert found["m2"] == pytest.approx(0.5 * 0.2 + 0.25 * 0.6)
    assert found["m3"] == pytest.approx(0.25)


def test_pairwise_is_the_share_of_models_beaten():
    found = {m.model: m.value for m in means(board(FULL, spread=0), WEIGHTS, missing="pairwise")}
    rates = {
        model: sum(
            WEIGHTS[b] * np.mean([FULL[model][b] > FULL[o][b] for o in FULL if o != model])
            for b in WEIGHTS
        )
        for model in FULL
    }
    assert found == pytest.approx(rates)
    lacking = {
        m.model: m.value for m in means(board(LACKING, spread=0), WEIGHTS, missing="pairwise")
    }
    # m2 on a: beats m3 of (m1, m3); on c: beats both
    assert lacking["m2"] == pytest.approx((0.5 * 0.5 + 0.25 * 1.0) / 0.75)


def test_an_unknown_policy_is_refused():
    with pytest.raises(OptionError, match="not-ranked, bounds, pairwise, zero"):
        means(board(FULL), WEIGHTS, missing="ignore")


def test_ranks_of_models_far_apart_are_certain():
    found = ranks(means(board(FULL, spread=0.01), WEIGHTS))
    assert [(r.model, r.rank, r.low, r.high, r.group) for r in found] == [
        ("m1", 1, 1, 1, 1),
        ("m2", 2, 2, 2, 2),
        ("m3", 3, 3, 3, 3),
    ]
    assert found[0].probability_best == 1


def test_models_alike_share_a_group_and_the_chance_to_be_best():
    table = {f"m{n}": dict.fromkeys("abc", 0.5) for n in range(4)}
    found = ranks(means(board(table, spread=0), WEIGHTS))
    assert {(r.rank, r.low, r.high, r.group) for r in found} == {(1, 1, 1, 1)}
    assert [r.probability_best for r in found] == [0.25] * 4
    noisy = ranks(means(board(table), WEIGHTS, resamples=4000))
    assert {r.group for r in noisy} == {1}
    assert {r.high for r in noisy} == {4}
    assert sum(r.probability_best for r in noisy) == pytest.approx(1)


@given(st.permutations(["m1", "m2", "m3"]), st.permutations(["a", "b", "c"]))
def test_the_order_in_which_scores_are_given_changes_nothing(models, benchmarks):
    cells = [(m, b) for m, b in itertools.product(models, benchmarks)]
    given_ = Board.of(score(m, b, FULL[m][b], draws=40) for m, b in cells)
    first = means(board(FULL, draws=40), WEIGHTS, resamples=100)
    again = means(given_, WEIGHTS, resamples=100)
    assert [(m.model, m.value, m.low, m.high) for m in first] == [
        (m.model, m.value, m.low, m.high) for m in again
    ]


def test_holm_is_as_its_author_has_it():
    assert holm({}) == {}
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_no_correction_and_bonferronis(p_values):
    named = {str(n): p for n, p in enumerate(p_values)}
    adjusted = holm(named)
    for name, p in named.items():
        assert p <= adjusted[name] <= min(1, len(p_values) * p) + 1e-12
    order = sorted(named, key=named.get)
    assert [adjusted[n] for n in order] == sorted(adjusted.values())


def test_paired_p_values_are_those_of_students_t():
    """Replicates as `corrected_replicates` leaves them: wider by t / z than their error."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal(4000)
    own = rng.standard_normal(4000)
    own = (own - own.mean()) / own.std()
    stretch = stats.t.ppf(0.975, 7) / stats.norm.ppf(0.975)
    draws = np.array([shared + 0.1 * stretch * own + 0.2, shared, shared])
    found = paired_p_values(np.array([0.2, 0.0, 0.0]), draws, np.array([np.inf, 7.0, np.inf]))
    assert found[0, 1] == pytest.approx(2 * stats.t.sf(2, 7), rel=1e-9)
    assert found[0, 2] == pytest.approx(2 * stats.norm.sf(2 / stretch), rel=1e-9)
    np.testing.assert_array_equal(found, found.T)
    assert found[1, 2] == found[0, 0] == 1


def test_many_models_far_apart_are_told_apart():
    """More than replicates could tell by counting: 2 / 401 times 59 is above .05."""
    table = {f"m{n:02d}": {"a": n / 10} for n in range(60)}
    found = ranks(means(board(table, spread=0.01), {"a": 1.0}))
    assert [(r.low, r.high, r.group) for r in found] == [(n, n, n) for n in range(1, 61)]


@pytest.mark.slow
def test_rank_intervals_hold_the_true_rank_as_often_as_they_say():
    """True values .50, .52, .60; estimates with normal error, replicates with the same spread."""
    truth = {"m1": 0.50, "m2": 0.52, "m3": 0.60}
    true_rank = {"m3": 1, "m2": 2, "m1": 3}
    rng = np.random.default_rng(1)
    held = dict.fromkeys(truth, 0)
    best_errs = 0
    rounds = 400
    for number in range(rounds):
        noise = {m: 0.03 * rng.standard_normal() for m in truth}
        table = {m: {"a": truth[m] + noise[m]} for m in truth}
        seeded = Board.of(
            Score(
                value=row["a"],
                raw=Estimate(
                    value=row["a"],
                    replicates=(
                        Replicates(
                            scope="stimuli",
                            sizes=(10_000,),
                            median=True,
                            values=tuple(
                                row["a"]
                                + 0.03 * np.random.default_rng([number, n]).standard_normal(300)
                            ),
                        ),
                    ),
                ),
                model=model,
                benchmark="a",
            )
            for n, (model, row) in enumerate(table.items())
        )
        found = {r.model: r for r in ranks(means(seeded, {"a": 1.0}, resamples=300))}
        for model in truth:
            held[model] += found[model].low <= true_rank[model] <= found[model].high
        best_errs += found["m3"].group != 1
    for count in held.values():
        assert count / rounds >= 0.93
    # m3 is truly best: it is put below the first group in at most about alpha of the rounds
    assert best_errs / rounds <= 0.05 + 0.015
