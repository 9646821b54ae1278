import numpy as np
import pytest

from corteval.assembly import neural
from corteval.errors import OptionError, UndefinedScore
from corteval_ceilings import PredictorConsistency


def ragged(seed=0, stimuli=60, neuroids=5, noise=1.0, most=9, fewest=2):
    """Trials at the front, missing ones behind."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((stimuli, neuroids, 1)) + noise * rng.standard_normal(
        (stimuli, neuroids, most)
    )
    counts = rng.integers(fewest, most + 1, stimuli)
    values[np.broadcast_to(np.arange(most) >= counts[:, None, None], values.shape)] = np.nan
    return values


def assembly(values):
    ids = [f"s{i:04d}" for i in range(len(values))]
    return neural(values, ids, {"neuroid_id": [f"n{i}" for i in range(values.shape[1])]})


def test_it_equals_the_definition_computed_plainly():
    values = ragged()
    rng = np.random.default_rng(0)
    keys = rng.random((10, 60, 9))
    per_split = []
    for split in range(10):
        halves = np.empty((2, 60, 5))
        for stimulus in range(60):
            trials = np.flatnonzero(~np.isnan(values[stimulus, 0]))
            order = trials[np.argsort(keys[split, stimulus, trials])]
            middle = len(trials) // 2
            halves[0, stimulus] = values[stimulus][:, order[:middle]].mean(axis=1)
            halves[1, stimulus] = values[stimulus][:, order[middle:]].mean(axis=1)
        r = np.array([np.corrcoef(halves[0, :, n], halves[1, :, n])[0, 1] for n in range(5)])
        per_split.append(np.median(2 * r / (1 + r)))
    estimate = PredictorConsistency(resamples=0)(assembly(values))
    assert estimate.value == pytest.approx(np.mean(per_split), abs=1e-12)
    assert estimate.quantity == "reliability"


def test_it_approaches_the_true_reliability_of_equal_trials():
    estimate = PredictorConsistency(resamples=0)(
        assembly(ragged(stimuli=4000, neuroids=9, noise=2.0, most=10, fewest=10))
    )
    assert estimate.value == pytest.approx(1 / (1 + 4 / 10), abs=0.01)


def test_the_order_of_stimuli_does_not_matter():
    whole = assembly(ragged())
    shuffled = whole.isel(presentation=np.random.default_rng(1).permutation(60))
    metric = PredictorConsistency(resamples=0)
    assert metric(shuffled).value == pytest.approx(metric(whole).value, abs=1e-12)


def test_stimuli_of_one_trial_are_left_out():
    values = ragged()
    lone = values.copy()
    lone[:20, :, 1:] = np.nan
    metric = PredictorConsistency(resamples=20)
    estimate = metric(assembly(lone))
    assert estimate.replicates[0].sizes == (40,)


def test_nine_stimuli_of_two_trials_are_too_few():
    values = ragged()
    values[9:, :, 1:] = np.nan
    with pytest.raises(UndefinedScore, match="10 stimuli; there are 9"):
        PredictorConsistency()(assembly(values))


def test_a_neuroid_that_lacks_a_half_makes_it_undefined():
    values = ragged(most=2)
    values[3, 2, 0] = np.nan
    with pytest.raises(UndefinedScore, match="1 stimuli have no trial left"):
        PredictorConsistency()(assembly(values))


def test_wrong_options_are_refused():
    with pytest.raises(OptionError, match="at least one split"):
        PredictorConsistency(splits=0)
