"""How often intervals over articles of unequal length hold the share over all articles."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from corteval.intervals import interval_of
from corteval.score import Estimate, Score
from corteval.stats.paired import compare
from corteval_wikitext2_language.articles import ratio, ratio_replicates

ROUNDS = 500


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


def articles(rng, count):
    """Words of each, and how likely each of them is told; long articles are harder."""
    words = np.exp(rng.normal(7, 1, count)).astype(int) + 50
    log_odds = -1 + 0.3 * rng.standard_normal(count) - 0.1 * (np.log(words) - 7)
    return words, 1 / (1 + np.exp(-log_odds))


@pytest.mark.slow
@pytest.mark.parametrize("count", [12, 60])
def test_intervals_over_articles_cover_and_the_paired_test_errs_as_often_as_it_says(
    count, record_testsuite_property
):
    """Lengths spread by a factor of e, more than those of WikiText-2: a few articles weigh most."""
    everywhere = articles(np.random.default_rng(3), 1_000_000)
    truth = np.average(everywhere[1], weights=everywhere[0])
    covered, rejected = np.zeros(2), 0
    for seed in range(ROUNDS):
        rng = np.random.default_rng([seed, count])
        words, chance = articles(rng, count)
        pair = []
        for _ in range(2):
            own = np.clip(chance * np.exp(0.1 * rng.standard_normal(count)), 0, 1)
            told = rng.binomial(words, own)
            drawn = ratio_replicates(np.arange(count), told, words, resamples=300, seed=seed)
            raw = Estimate(value=ratio(told, words), replicates=drawn)
            pair.append(Score(value=raw.value, raw=raw))
        raw = pair[0].raw
        plain = [replace(r, sizes=(count,)) for r in raw.replicates]
        for n, replicates in enumerate((raw.replicates, plain)):
            interval = interval_of(raw.value, replicates)
            covered[n] += interval.low <= truth <= interval.high
        rejected += compare(*pair).p_value <= 0.05
    record_testsuite_property(f"{count} articles: coverage", covered[0] / ROUNDS)
    record_testsuite_property(f"{count} articles, plain number: coverage", covered[1] / ROUNDS)
    record_testsuite_property(f"{count} articles: type I error", rejected / ROUNDS)
    assert among_chance(covered[0] / ROUNDS, 0.93)
    assert covered[0] > covered[1]
    assert among_chance(rejected / ROUNDS, 0.045)
