"""Ranks, groups of ties, the chance to be best and means over suites on models of known merit."""

import numpy as np
import pytest
from scipy import stats

from corteval.intervals import Replicates
from corteval.score import Estimate, Score
from corteval.stats.board import Board, Mean, means
from corteval.stats.ranks import ranks
from corteval.stats.resampling import draw_counts

REPLICATES = 400

#: True values in units of the standard error of a score.
MERITS = {
    "all but equal": np.arange(10) * 0.01,
    "close": np.arange(10) * 0.3,
    "apart": np.arange(10) * 1.0,
    "many, close": np.arange(40) * 0.3,
}


def at_most(share, count, nominal=0.05):
    """Whether `share` of `count` rounds may be of a chance of `nominal`."""
    return share <= stats.binom.ppf(0.9995, count, nominal) / count


def ranked(truth, rng, shared=0.5):
    """Of models whose errors, of variance 1, have half in common, and so have replicates."""
    models = len(truth)

    def noise(times):
        common, own = rng.standard_normal((1, times)), rng.standard_normal((models, times))
        return np.sqrt(shared) * common + np.sqrt(1 - shared) * own

    values = truth + noise(1)[:, 0]
    draws = values[:, None] + noise(REPLICATES)
    rows = [
        Mean(model=f"m{n:02d}", value=float(v), low=0, high=0, lacking=(), draws=d)
        for n, (v, d) in enumerate(zip(values, draws, strict=True))
    ]
    found = {rank.model: rank for rank in ranks(rows)}
    return [found[f"m{n:02d}"] for n in range(models)]


@pytest.mark.slow
@pytest.mark.parametrize("name", MERITS)
def test_rank_intervals_hold_each_true_rank_and_the_best_model_is_among_the_best(
    name, record_testsuite_property
):
    truth = MERITS[name]
    true_ranks = np.arange(len(truth), 0, -1)
    count = 300
    held, excluded, width = np.zeros(len(truth)), 0, 0.0
    for seed in range(count):
        found = ranked(truth, np.random.default_rng(seed))
        lows, highs = (np.array([getattr(r, end) for r in found]) for end in ("low", "high"))
        held += (lows <= true_ranks) & (true_ranks <= highs)
        excluded += found[-1].group != 1
        width += (highs - lows + 1).mean()
    record_testsuite_property(f"rank intervals, {name}: least coverage", held.min() / count)
    record_testsuite_property(f"rank intervals, {name}: mean width", width / count)
    record_testsuite_property(f"rank intervals, {name}: best excluded", excluded / count)
    assert at_most(1 - held.min() / count, count)
    assert at_most(excluded / count, count)


def board_of_subjects(truth, subjects, rng, seed, benchmarks=("a",)):
    """Scores are means over subjects, who differ in what they share and in each model."""
    scores = []
    for number, benchmark in enumerate(benchmarks):
        counts = draw_counts([f"h{n}" for n in range(subjects)], REPLICATES, [seed, number])
        common = rng.standard_normal(subjects)
        for model, value in enumerate(truth):
            of_subjects = value + common + rng.standard_normal(subjects)
            drawn = Replicates(
                scope="subjects",
                sizes=(subjects,),
                values=tuple((counts @ of_subjects / subjects).tolist()),
                draw=benchmark,
            )
            raw = Estimate(value=float(of_subjects.mean()), replicates=(drawn,))
            name = f"m{model:02d}"
            scores.append(Score(value=raw.value, raw=raw, model=name, benchmark=benchmark))
    return Board.of(scores)


@pytest.mark.slow
@pytest.mark.parametrize("subjects", [6, 16])
def test_few_subjects_do_not_make_thirty_equal_models_differ(subjects, record_testsuite_property):
    """Any difference is an error. Normal tails in place of Student's would err far more often."""
    count, truth = 200, np.zeros(30)
    wrong, by_normal = np.zeros(len(truth)), 0.0
    for seed in range(count):
        board = board_of_subjects(truth, subjects, np.random.default_rng(seed), seed)
        rows = means(board, {"a": 1.0}, resamples=REPLICATES)
        found = {r.model: r for r in ranks(rows)}
        certain = [Mean(**{**vars(row), "freedom": np.inf}) for row in rows]
        wrong += [(r.low, r.high) != (1, 30) for _, r in sorted(found.items())]
        by_normal += np.mean([(r.low, r.high) != (1, 30) for r in ranks(certain)])
    share = wrong.mean() / count
    record_testsuite_property(f"models told apart though equal, {subjects} subjects", share)
    record_testsuite_property(f"the same by normal tails, {subjects}", by_normal / count)
    # per model at most .05; which of the equal models it is does not matter
    assert at_most(wrong.max() / count, count)
    assert share <= 0.05
    if subjects == 6:
        assert by_normal / count > 0.15


@pytest.mark.slow
def test_means_over_benchmarks_are_covered(record_testsuite_property):
    """Weights .5, .3, .2; eight subjects in each, others in every one."""
    count, covered = 500, np.zeros(4)
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    for seed in range(count):
        rng = np.random.default_rng([seed, 1])
        board = board_of_subjects(np.zeros(4), 8, rng, seed, tuple(weights))
        covered += [m.low <= 0 <= m.high for m in means(board, weights, resamples=REPLICATES)]
    record_testsuite_property("coverage of means over suites", covered.mean() / count)
    for share in covered / count:
        low, high = stats.binom.ppf([0.0005, 0.9995], count, 0.95) / count
        assert low <= share <= high


def chances(spread, seed):
    """Chance to be best that is given to models whose merits vary, and whether they are."""
    given, true = [], []
    for number in range(300):
        rng = np.random.default_rng([number, seed])
        truth = spread * rng.standard_normal(8)
        given += [r.probability_best for r in ranked(truth, rng)]
        true += [n == int(truth.argmax()) for n in range(8)]
    return np.array(given), np.array(true)


def test_the_chance_to_be_best_is_as_often_right_where_models_differ_widely():
    """Merits that vary three times as much as errors: of those given 60 to 90 %, as many are."""
    chance, is_best = chances(3, 2)
    for low, high in ((0.05, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 1.0)):
        inside = (chance > low) & (chance <= high)
        error = np.sqrt(chance[inside].mean() * (1 - chance[inside].mean()) / inside.sum())
        assert is_best[inside].mean() == pytest.approx(chance[inside].mean(), abs=3 * error + 0.02)


def test_the_chance_to_be_best_is_too_bold_where_models_are_all_but_equal():
    """As the docstring of `ranks` says."""
    chance, is_best = chances(0.3, 5)
    inside = (chance > 0.6) & (chance <= 0.9)
    assert inside.sum() > 30
    assert is_best[inside].mean() < chance[inside].mean() - 0.1
