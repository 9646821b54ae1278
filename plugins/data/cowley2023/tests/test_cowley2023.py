"""Session 210325: single trials of 50 neurons."""

import numpy as np
import pytest

from corteval import registry

pytestmark = pytest.mark.usefixtures("mirror")


@pytest.fixture(scope="module")
def data(mirror):
    return registry.data.create("Cowley2023")


@pytest.fixture(scope="module")
def numbers(reference):
    return reference("real_data_numbers.json")["cowley_v4_210325"]


def test_there_are_640_images_and_50_neurons_with_six_to_ten_trials(data, numbers):
    assembly = data.assembly()
    assert dict(assembly.sizes) == {"presentation": 640, "neuroid": 50, "trial": 10}
    assert (numbers["n_images"], numbers["n_neurons"]) == (640, 50)
    trials = assembly.notnull().sum("trial")
    found = [int(trials.min()), int(trials.median()), int(trials.max())]
    assert found == numbers["repeats_min_median_max"] == [6, 8, 10]


def test_images_and_responses_are_in_one_order(data):
    stimuli = data.stimuli()
    assert stimuli.stimulus_ids == list(data.assembly()["stimulus_id"].values)
    assert stimuli.image("image0001.jpg").shape == (112, 112, 3)


def test_trial_means_equal_the_published_averages(data, mirror):
    published = next(mirror.rglob("responses_repeat_averaged/responses_210325.npy"))
    means = data.assembly().mean("trial").transpose("neuroid", "presentation")
    np.testing.assert_array_equal(means.values, np.load(published))


def test_signal_to_noise_is_the_authors(data, numbers):
    """Pospisil and Bair's: variance of mean responses over images, less its noise, over noise.

    (1/m sum_i (mean_i - mean)² - (m - 1)/m s²/n) / s²,  s² = mean_i of the variance over trials,
    m images, n trials of the median image. Found by trying definitions; the authors' code may
    write it in another way.
    """
    trials = data.assembly().values
    images, n = len(trials), np.median(np.isfinite(trials[:, 0]).sum(axis=1))
    noise = np.nanvar(trials, axis=2, ddof=1).mean(axis=0)
    signal = np.nanmean(trials, axis=2).var(axis=0) - (images - 1) / images * noise / n
    for name, of in (("median", np.median), ("mean", np.mean), ("min", np.min), ("max", np.max)):
        assert of(signal / noise) == pytest.approx(numbers[f"snr_{name}"], abs=1e-9), name


def test_split_half_reliability_is_as_published(data, numbers):
    """Over all trials, 100 random halves: the check of spec `real-data` 2.1, computed plainly."""
    published = numbers["own_split_half_spearman_brown_all_repeats_100_random_splits"]
    trials = data.assembly().values
    rng = np.random.default_rng(0)
    reliability = []
    for _ in range(20):
        noise = np.where(np.isnan(trials), np.inf, rng.random(trials.shape[2]))
        rank = np.argsort(np.argsort(noise, axis=2), axis=2)
        half = np.isfinite(trials).sum(axis=2, keepdims=True) // 2
        a = np.nanmean(np.where(rank < half, trials, np.nan), axis=2)
        b = np.nanmean(np.where(rank >= half, trials, np.nan), axis=2)
        r = [np.corrcoef(a[:, n], b[:, n])[0, 1] for n in range(a.shape[1])]
        reliability.append(2 * np.array(r) / (1 + np.array(r)))
    of_neurons = np.mean(reliability, axis=0)
    assert np.median(of_neurons) == pytest.approx(published["median"], abs=0.01)
    assert np.percentile(of_neurons, [25, 75]) == pytest.approx(published["iqr"], abs=0.01)
    assert of_neurons.min() > 0.3


def test_internal_consistency_of_six_trials_is_what_independent_code_gave(data, reference):
    published = reference("real_data_numbers.json")["brainscore_metrics_on_these_data"]
    published = published["V4_210325|internal_consistency_first6reps"]
    ceiling = registry.metrics.create("internal_consistency", resamples=0)
    estimate = ceiling(data.assembly().isel(trial=slice(0, 6)))
    assert estimate.value == pytest.approx(published["score"], abs=1e-9)
    assert estimate.error == pytest.approx(published["error"], abs=1e-9)
