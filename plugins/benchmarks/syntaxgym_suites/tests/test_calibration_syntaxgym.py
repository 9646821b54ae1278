"""How often intervals over items hold the true accuracy and the paired test errs."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from corteval import registry
from corteval.intervals import NO_WIDTH
from corteval.stats.paired import compare

RESAMPLES = 300


def among_chance(share, count, nominal):
    """Whether 999 of 1000 sets of `count` rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], count, nominal) / count
    return low <= share <= high


def known_items(benchmark):
    return [(suite.name, f"{suite.name}.{item.number}") for suite, item in benchmark._items()]


def scored(benchmark, chances, rng):
    """Score of a subject that is right about each item with its chance."""
    suites, items = np.transpose(known_items(benchmark))
    outcomes = xr.DataArray(
        rng.random(len(items)) < chances,
        dims=["item"],
        coords={"item": items, "suite": ("item", suites)},
    )
    return benchmark.of_outcomes(outcomes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "count"), [("SyntaxGym-mean", 80), ("SyntaxGym-center_embed", 200)]
)
def test_intervals_over_items_cover_and_the_paired_test_errs_as_often_as_it_says(
    name, count, mirror, record_testsuite_property
):
    """Items are right with a chance of their suite, .4 to .9, apart from each other."""
    benchmark = registry.benchmarks.create(name, resamples=RESAMPLES)
    suites = np.array([suite for suite, _ in known_items(benchmark)])
    names, of_item = np.unique(suites, return_inverse=True)
    chances = np.random.default_rng(1).uniform(0.4, 0.9, len(names))
    covered, rejected = 0, 0
    for seed in range(count):
        rng = np.random.default_rng([seed, 4])
        pair = [scored(benchmark, chances[of_item], rng) for _ in range(2)]
        interval = pair[0].interval
        covered += interval.low <= chances.mean() <= interval.high
        rejected += compare(*pair).p_value <= 0.05
    record_testsuite_property(f"{name}: coverage", covered / count)
    record_testsuite_property(f"{name}: type I error", rejected / count)
    assert among_chance(covered / count, count, 0.94)
    assert among_chance(rejected / count, count, 0.055)


@pytest.mark.slow
def test_intervals_of_few_items_nearly_always_right_miss_where_they_have_no_width_and_say_so(
    mirror, record_testsuite_property
):
    """All 28 items are right in 24 % of rounds; then nothing tells how often one would not be."""
    benchmark = registry.benchmarks.create("SyntaxGym-center_embed", resamples=RESAMPLES)
    count, chance = 200, 0.95
    intervals = [
        scored(benchmark, chance, np.random.default_rng([seed, 5])).interval
        for seed in range(count)
    ]
    wide = [i for i in intervals if i.low < i.high]
    covered = np.mean([i.low <= chance <= i.high for i in wide])
    record_testsuite_property("items right by .95: share without width", 1 - len(wide) / count)
    record_testsuite_property("items right by .95: coverage of the others", covered)
    items = len(known_items(benchmark))
    assert among_chance(1 - len(wide) / count, count, chance**items)
    assert covered >= 0.95
    assert all((NO_WIDTH in i.method) is (i.low == i.high) for i in intervals)
