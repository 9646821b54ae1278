"""How often intervals of regression over time cover and their paired test errs."""

import numpy as np
import pytest
from scipy import stats

from corteval.assembly import neural
from corteval.intervals import interval_of
from corteval.requests import TimeBin
from corteval.stats.paired import compare
from corteval_regression.spantime import spantime_ridge

ROUNDS, FEATURES = 150, 8
BINS = [TimeBin(70 + 20 * n, 90 + 20 * n) for n in range(3)]
FOUR_FOLDS = {"folds": "kfold", "count": 4}


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


def sample(seed, stimuli, neuroids, subjects):
    """Latents that rise and fall in time, two models of them, and neuroids that mix them."""
    rng = np.random.default_rng([seed, stimuli, neuroids])
    shape = (stimuli, FEATURES, len(BINS))
    latent = rng.standard_normal(shape[:2] + (1,)) * [0.5, 1.0, 0.7]
    latent = latent + 0.3 * rng.standard_normal(shape)
    gain = np.exp(0.3 * rng.standard_normal(neuroids))
    names = {"neuroid_id": [f"n{n:02d}" for n in range(neuroids)]}
    if subjects:
        of_neuroid = np.arange(neuroids) * subjects // neuroids
        gain *= np.exp(0.5 * rng.standard_normal(subjects))[of_neuroid]
        names["subject"] = [f"s{n}" for n in of_neuroid]
    mixed = np.einsum("ift,fn->int", latent, rng.standard_normal((FEATURES, neuroids)) * gain)
    noise = rng.standard_normal((stimuli, neuroids, 1)) + rng.standard_normal(mixed.shape)
    ids = [f"i{n:03d}" for n in range(stimuli)]
    units = {"neuroid_id": [f"u{n}" for n in range(FEATURES)]}
    models = [
        neural(latent + 0.7 * rng.standard_normal(shape), ids, units, time_bins=BINS)
        for _ in range(2)
    ]
    target = neural(mixed / np.sqrt(FEATURES) + 0.7 * noise, ids, names, time_bins=BINS)
    return models, target


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "folds", "scope", "nominal"),
    [
        ((120, 30, 0), FOUR_FOLDS, "stimuli×neuroids", 0.94),
        ((60, 24, 6), FOUR_FOLDS, "stimuli×subjects", 0.945),
        ((120, 30, 0), None, "stimuli×neuroids", 0.925),
    ],
    ids=["neuroids", "subjects", "default splits"],
)
def test_intervals_over_time_cover_and_the_paired_test_errs_no_more_than_it_says(
    shape, folds, scope, nominal, record_testsuite_property
):
    """Fits are held fixed; the default tests ten tenths drawn at random, some stimuli never."""
    pairs = []
    for seed in range(ROUNDS):
        metric = spantime_ridge(cross_validation=folds, resamples=250, seed=seed)
        models, target = sample(seed, *shape)
        pairs.append([metric(model, target) for model in models])
    truth = np.mean([score.value for pair in pairs for score in pair])
    intervals = [interval_of(pair[0].value, pair[0].raw.replicates) for pair in pairs]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    rejected = np.mean([compare(*pair).p_value <= 0.05 for pair in pairs])
    record_testsuite_property(f"spantime, {scope}, {folds}: coverage", covered)
    record_testsuite_property(f"spantime, {scope}, {folds}: type I error", rejected)
    assert intervals[0].scope == scope
    assert among_chance(covered, nominal)
    assert rejected <= stats.binom.ppf(0.9995, ROUNDS, 0.05) / ROUNDS
