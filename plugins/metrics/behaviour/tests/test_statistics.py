"""Intervals hold what they promise, over new subjects and new stimuli."""

import numpy as np
import pytest
import xarray as xr

from corteval.intervals import interval_of
from corteval_behaviour import AccuracyDistance, ErrorConsistency, HumanErrorConsistency

SUBJECTS, STIMULI, DRAWS = 12, 60, 120


def trials(right):
    right = np.atleast_2d(right)
    names = np.repeat([f"h{n:02d}" for n in range(len(right))], right.shape[1])
    ids = np.tile([f"s{n:04d}" for n in range(right.shape[1])], len(right))
    return xr.DataArray(
        right.ravel().astype(float),
        dims=["presentation"],
        coords={"stimulus_id": ("presentation", ids), "subject": ("presentation", names)},
    )


def world(seed, subjects, stimuli):
    """Answers of a model and of subjects that share the difficulty of stimuli."""
    generator = np.random.default_rng(seed)
    difficulty = generator.normal(0, 1.5, stimuli)
    skill = generator.normal(1, 0.7, (subjects + 1, 1))
    chance = 1 / (1 + np.exp(difficulty - skill))
    chance[0] = 1 / (1 + np.exp(difficulty - 0.5))
    right = generator.random(chance.shape) < chance
    return trials(right[0]).drop_vars("subject"), trials(right[1:])


@pytest.mark.slow
@pytest.mark.parametrize("kind", [ErrorConsistency, AccuracyDistance, HumanErrorConsistency])
def test_intervals_cover_the_value_of_all_subjects_and_stimuli(kind):
    def raw(source, target, resamples):
        metric = kind(resamples=resamples)
        if kind is HumanErrorConsistency:
            return metric(target)
        return metric(source, target).raw

    # the value of a sample of this size, over new samples
    truth = np.mean([raw(*world(5000 + n, SUBJECTS, STIMULI), 0).value for n in range(1500)])
    inside = 0
    for n in range(DRAWS):
        estimate = raw(*world(n, SUBJECTS, STIMULI), 300)
        interval = interval_of(estimate.value, estimate.replicates)
        inside += interval.low <= truth <= interval.high
    assert 0.89 <= inside / DRAWS <= 0.995
