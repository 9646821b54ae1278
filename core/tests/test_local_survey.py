"""Facts about responses, neuroid by neuroid, against loops and numpy."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ShuffleSplit

from corteval.local import survey as module
from corteval.local.survey import halves_of_trials, reliability, survey


def assembly(values, *dims):
    values = np.asarray(values)
    return xr.DataArray(
        values,
        dims=["presentation", "neuroid", *dims],
        coords={"neuroid_id": ("neuroid", [f"n{n}" for n in range(values.shape[1])])},
    )


def reliability_by_loops(values):
    """Halves of trials, means where there is a trial, numpy's correlation, 2r / (1 + r), mean."""
    stimuli, neuroids, trials = values.shape
    splitter = ShuffleSplit(10, train_size=0.5, random_state=1)
    result = []
    for neuroid in range(neuroids):
        of_splits = []
        for halves in splitter.split(range(trials)):
            pairs = []
            for stimulus in range(stimuli):
                means = []
                for half in halves:
                    there = [values[stimulus, neuroid, t] for t in half]
                    there = [value for value in there if not np.isnan(value)]
                    means.append(sum(there) / len(there) if there else np.nan)
                if not np.isnan(means).any():
                    pairs.append(means)
            x, y = np.array(pairs).T
            r = np.corrcoef(x, y)[0, 1]
            of_splits.append(2 * r / (1 + r))
        result.append(np.mean(of_splits))
    return np.array(result)


@pytest.mark.parametrize("trials", [2, 3, 7])
@pytest.mark.parametrize("ragged", [False, True])
def test_reliability_is_that_of_a_plain_loop(trials, ragged):
    generator = np.random.default_rng(trials)
    values = generator.normal(size=(30, 4, 1)) + generator.normal(size=(30, 4, trials))
    if ragged:
        values[generator.random(values.shape) < 0.15] = np.nan
    found = reliability(values, halves_of_trials(trials))
    np.testing.assert_allclose(found, reliability_by_loops(values), rtol=1e-10)


def test_reliability_approaches_that_of_signal_and_noise():
    """Signal and noise of equal variance: n trials have reliability n / (n + 1)."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(4000, 6, 1)) + generator.normal(size=(4000, 6, 8))
    found = reliability(values, halves_of_trials(8))
    np.testing.assert_allclose(found, 8 / 9, atol=0.02)


def test_reliability_of_a_constant_neuroid_is_unknown():
    values = np.random.default_rng(0).normal(size=(20, 3, 4))
    values[:, 1] = 0.1
    found = reliability(values, halves_of_trials(4))
    assert np.isnan(found).tolist() == [False, True, False]


def test_one_trial_has_no_reliability():
    found = survey(assembly(np.random.default_rng(0).normal(size=(9, 2, 1)), "trial"))
    assert found.neuroids["reliability"].isna().all()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(100, 20_000))
def test_blocks_do_not_change_what_is_found(seed, block):
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(12, 7, 2, 3)).astype(np.float32)
    values[generator.random(values.shape) < 0.2] = np.nan
    values[generator.random(values.shape) < 0.02] = np.inf
    whole = survey(assembly(values, "time_bin", "trial"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", block)
        parts = survey(assembly(values, "time_bin", "trial"))
    np.testing.assert_allclose(parts.neuroids, whole.neuroids, rtol=1e-12)
    assert parts.infinite == whole.infinite
    assert parts.infinite_count == whole.infinite_count == np.isinf(values).sum()
    np.testing.assert_array_equal(parts.unanswered, whole.unanswered)
    np.testing.assert_array_equal(parts.constant, whole.constant)


def test_counts_are_those_of_numpy():
    generator = np.random.default_rng(0)
    values = generator.normal(size=(12, 5, 4))
    values[generator.random(values.shape) < 0.3] = np.nan
    values[3, 2] = np.nan
    found = survey(assembly(values, "trial"))
    np.testing.assert_allclose(found.neuroids["missing"], np.isnan(values).mean(axis=(0, 2)))
    np.testing.assert_allclose(
        found.neuroids["trials"], (~np.isnan(values)).sum(axis=2).mean(axis=0)
    )
    with np.errstate(invalid="ignore"), pytest.warns(RuntimeWarning, match="empty slice"):
        means = np.nanmean(values, axis=2)
    np.testing.assert_allclose(found.neuroids["spread"], np.nanstd(means, axis=0))
    np.testing.assert_array_equal(found.unanswered, np.isnan(means))
    assert (found.low, found.high) == (np.nanmin(values), np.nanmax(values))
    most = (~np.isnan(values)).sum(axis=2).max(axis=1)
    assert (found.fewest, found.most) == (most.min(), most.max())


def test_the_assembly_is_not_changed():
    values = np.array([[[1.0, np.inf]], [[np.nan, 2.0]]])
    given_values = values.copy()
    survey(assembly(values, "trial"))
    np.testing.assert_array_equal(values, given_values)
