"""How often the interval of unique variance holds its mean over new samples."""

import numpy as np
import pytest
from scipy import stats

from corteval.assembly import neural
from corteval.intervals import interval_of
from corteval_regression.variance import UniqueVariance

ROUNDS, STIMULI, NEUROIDS = 150, 80, 24


def sample(seed, subjects):
    """Two correlated bands of features, both of which make the responses."""
    rng = np.random.default_rng([seed, 9])
    x = rng.standard_normal((STIMULI, 10))
    x[:, 5:] += 0.5 * x[:, :5]
    weights = rng.standard_normal((10, NEUROIDS))
    names = {"neuroid_id": [f"n{n:02d}" for n in range(NEUROIDS)]}
    if subjects:
        of_neuroid = np.arange(NEUROIDS) * subjects // NEUROIDS
        weights *= np.exp(0.5 * rng.standard_normal(subjects))[of_neuroid]
        names["subject"] = [f"s{n}" for n in of_neuroid]
    y = x @ weights / 3 + rng.standard_normal((STIMULI, NEUROIDS))
    ids = [f"i{n:02d}" for n in range(STIMULI)]
    bands = {
        "neuroid_id": [f"u{n}" for n in range(10)],
        "band": ["model"] * 5 + ["rest"] * 5,
    }
    return neural(x, ids, bands), neural(y, ids, names)


@pytest.mark.slow
@pytest.mark.parametrize(("subjects", "scope"), [(0, "stimuli×neuroids"), (6, "stimuli×subjects")])
def test_intervals_of_unique_variance_cover(subjects, scope, record_testsuite_property):
    """Fits are held fixed, which with 80 stimuli for 10 features costs no coverage."""
    scores = [
        UniqueVariance(resamples=300, seed=seed, alphas=(1.0, 10.0))(*sample(seed, subjects))
        for seed in range(ROUNDS)
    ]
    truth = np.mean([score.value for score in scores])
    intervals = [interval_of(score.value, score.raw.replicates) for score in scores]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    record_testsuite_property(f"unique variance over {scope}: coverage", covered)
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, 0.955) / ROUNDS
    assert intervals[0].scope == scope
    assert low <= covered <= high
