"""How often intervals of ceilings and of noise bounds hold their mean over new samples."""

import numpy as np
import pytest
from scipy import stats

from corteval.assembly import neural
from corteval.intervals import interval_of
from corteval_ceilings import RSANoiseCeiling
from corteval_ceilings.internal_consistency import InternalConsistency
from corteval_ceilings.ncsnr import NoiseCeilingSNR

ROUNDS, RESAMPLES = 200, 300


def recording(seed, *, stimuli, neuroids, trials, subjects=0):
    """Trials of neuroids that mix latent features; subjects differ in how strong signals are."""
    rng = np.random.default_rng([seed, stimuli])
    latent = rng.standard_normal((stimuli, 10))
    gain = np.exp(0.3 * rng.standard_normal(neuroids))
    of_neuroid = np.arange(neuroids) * max(subjects, 1) // neuroids
    names = {"neuroid_id": [f"n{n:03d}" for n in range(neuroids)]}
    if subjects:
        gain *= np.exp(0.5 * rng.standard_normal(subjects))[of_neuroid]
        names["subject"] = [f"s{n}" for n in of_neuroid]
    signal = latent @ rng.standard_normal((10, neuroids)) / np.sqrt(10) * gain
    values = signal[:, :, None] + 1.5 * rng.standard_normal((stimuli, neuroids, trials))
    return neural(values, [f"i{n:03d}" for n in range(stimuli)], names)


def patterns(seed, subjects):
    """Subjects that share what stimuli are like, some more than others."""
    rng = np.random.default_rng([seed, subjects])
    latent = rng.standard_normal((40, 5))
    values = [
        gain * latent @ rng.standard_normal((5, 15)) + 1.5 * rng.standard_normal((40, 15))
        for gain in np.exp(0.4 * rng.standard_normal(subjects))
    ]
    names = {
        "neuroid_id": [f"n{n:03d}" for n in range(15 * subjects)],
        "subject": np.repeat([f"s{n}" for n in range(subjects)], 15),
    }
    return neural(np.hstack(values), [f"i{n:02d}" for n in range(40)], names)


def coverage(estimates):
    """Scope of the intervals, and the share that hold the mean of all estimates."""
    truth = np.mean([estimate.value for estimate in estimates])
    intervals = [interval_of(e.value, e.replicates) for e in estimates]
    return intervals[0].scope, np.mean([i.low <= truth <= i.high for i in intervals])


def among_chance(share, nominal):
    """Whether 999 of 1000 sets of rounds have a share so near to `nominal`."""
    low, high = stats.binom.ppf([0.0005, 0.9995], ROUNDS, nominal) / ROUNDS
    return low <= share <= high


FEW = {"stimuli": 60, "neuroids": 24, "trials": 5, "subjects": 6}
MANY = {"stimuli": 100, "neuroids": 30, "trials": 5}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "options", "scope"),
    [
        (NoiseCeilingSNR, MANY, "stimuli×neuroids"),
        (NoiseCeilingSNR, FEW, "stimuli×subjects"),
        (InternalConsistency, FEW, "stimuli×subjects"),
    ],
)
def test_intervals_of_ceilings_cover(kind, options, scope, record_testsuite_property):
    found = [
        kind(resamples=RESAMPLES, seed=seed)(recording(seed, **options)) for seed in range(ROUNDS)
    ]
    of, covered = coverage(found)
    record_testsuite_property(f"{kind.__name__}, {scope}: coverage", covered)
    assert of == scope
    assert among_chance(covered, 0.945)


@pytest.mark.slow
@pytest.mark.parametrize("bound", ["lower", "upper"])
@pytest.mark.parametrize("subjects", [5, 8])
def test_intervals_of_noise_bounds_cover(bound, subjects, record_testsuite_property):
    """The mean over new subjects and stimuli of the bound of as many."""
    found = [
        RSANoiseCeiling(bound=bound, resamples=RESAMPLES, seed=seed)(patterns(seed, subjects))
        for seed in range(ROUNDS)
    ]
    scope, covered = coverage(found)
    record_testsuite_property(f"{bound} bound, {subjects} subjects: coverage", covered)
    assert scope == "stimuli×subjects"
    assert among_chance(covered, 0.94)
