"""How often intervals of object solution times cover and their paired test errs."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from corteval.assembly import neural
from corteval.intervals import interval_of
from corteval.requests import TimeBin
from corteval.stats.paired import compare
from corteval_temporal.metric import ObjectSolutionTimes

ROUNDS, STIMULI, OBJECTS, NEUROIDS = 90, 90, 3, 30
BINS = [TimeBin(70 + 20 * n, 90 + 20 * n) for n in range(4)]


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


def sample(seed):
    """Images whose onset two models and the primates know equally well, to 12 ms."""
    rng = np.random.default_rng([seed, STIMULI])
    start_ms = np.array([b.start_ms for b in BINS])
    onset_ms = rng.uniform(40, start_ms[-1] - 25, STIMULI)
    truth = np.arange(STIMULI) % OBJECTS
    patterns = np.random.default_rng(1).standard_normal((OBJECTS, NEUROIDS))
    ids = [f"i{n:02d}" for n in range(STIMULI)]
    names = {"neuroid_id": [f"n{n:02d}" for n in range(NEUROIDS)]}
    models = []
    for _ in range(2):
        own_ms = onset_ms + rng.normal(0, 12, STIMULI)
        ramp = np.maximum(0, start_ms - own_ms[:, None])[:, None, :] / 40
        values = ramp * patterns[truth][:, :, None] + rng.normal(0, 0.1, (STIMULI, NEUROIDS, 1))
        models.append(neural(values, ids, names, time_bins=BINS))
    target = xr.DataArray(
        onset_ms + rng.normal(0, 12, STIMULI),
        dims=["presentation"],
        coords={
            "stimulus_id": ("presentation", ids),
            "truth": ("presentation", [f"o{n}" for n in truth]),
            "i1": ("presentation", np.full(STIMULI, 1.0)),
        },
    )
    return models, target


@pytest.mark.slow
def test_intervals_of_solution_times_cover_and_the_paired_test_errs_no_more_than_it_says(
    record_testsuite_property,
):
    """Readouts are held fixed."""
    pairs = []
    for seed in range(ROUNDS):
        metric = ObjectSolutionTimes(
            readout="converged",
            cross_validation={"folds": "kfold", "count": 2},
            resamples=250,
            seed=seed,
        )
        models, target = sample(seed)
        pairs.append([metric(model, target) for model in models])
    truth = np.mean([score.value for pair in pairs for score in pair])
    intervals = [interval_of(pair[0].value, pair[0].raw.replicates) for pair in pairs]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    rejected = np.mean([compare(*pair).p_value <= 0.05 for pair in pairs])
    record_testsuite_property("solution times: coverage", covered)
    record_testsuite_property("solution times: type I error", rejected)
    assert intervals[0].scope == "stimuli"
    assert among_chance(covered, 0.95)
    assert rejected <= stats.binom.ppf(0.9995, ROUNDS, 0.05) / ROUNDS
