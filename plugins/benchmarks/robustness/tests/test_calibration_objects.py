"""How often intervals over objects hold the accuracy over all objects, and the paired test errs."""

import numpy as np
import pytest
from scipy import stats

from corteval.intervals import interval_of
from corteval.score import Score
from corteval.stats.paired import compare
from corteval_robustness.accuracy import accuracy

ROUNDS = 300


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


@pytest.mark.slow
@pytest.mark.parametrize("objects", [8, 16])
def test_intervals_over_objects_cover_and_the_paired_test_errs_as_often_as_it_says(
    objects, record_testsuite_property
):
    """Objects have 3 to 11 images in four conditions; some objects are harder than others."""
    pairs = []
    for seed in range(ROUNDS):
        rng = np.random.default_rng([seed, objects])
        of_image = np.repeat(np.arange(objects), rng.integers(3, 12, objects))
        ease = 0.5 + rng.standard_normal(objects)[of_image] + rng.standard_normal(len(of_image))
        pair = []
        for _ in range(2):
            known = ease + 0.5 * rng.standard_normal(objects)[of_image]
            right = rng.random((len(known), 4)) < 1 / (1 + np.exp(-known[:, None]))
            raw = accuracy(
                right.astype(float), of_image, what="four conditions", resamples=300, seed=seed
            )
            pair.append(Score(value=raw.value, raw=raw))
        pairs.append(pair)
    truth = np.mean([score.value for pair in pairs for score in pair])
    intervals = [interval_of(pair[0].value, pair[0].raw.replicates) for pair in pairs]
    covered = np.mean([i.low <= truth <= i.high for i in intervals])
    rejected = np.mean([compare(*pair).p_value <= 0.05 for pair in pairs])
    record_testsuite_property(f"{objects} objects: coverage", covered)
    record_testsuite_property(f"{objects} objects: type I error", rejected)
    assert intervals[0].scope == "objects"
    assert among_chance(covered, 0.945)
    assert among_chance(rejected, 0.05)
