import numpy as np
import pytest

from corteval import registry

pytestmark = pytest.mark.usefixtures("mirror")


@pytest.fixture(scope="module")
def data(mirror):
    return registry.data.create("Cowley2023")


def test_there_are_640_images_and_50_neurons_with_six_to_ten_trials(data):
    assembly = data.assembly()
    assert dict(assembly.sizes) == {"presentation": 640, "neuroid": 50, "trial": 10}
    trials = assembly.notnull().sum("trial")
    assert (int(trials.min()), int(trials.median()), int(trials.max())) == (6, 8, 10)


def test_images_and_responses_are_in_one_order(data):
    stimuli = data.stimuli()
    assert stimuli.stimulus_ids == list(data.assembly()["stimulus_id"].values)
    assert stimuli.image("image0001.jpg").shape == (112, 112, 3)


def test_trial_means_equal_the_published_averages(data, mirror):
    published = next(mirror.rglob("responses_repeat_averaged/responses_210325.npy"))
    means = data.assembly().mean("trial").transpose("neuroid", "presentation")
    np.testing.assert_array_equal(means.values, np.load(published))


def test_split_half_reliability_is_as_published(data, reference):
    """Over all trials, 100 random halves: the check of spec `real-data` 2.1, computed plainly."""
    numbers = reference("real_data_numbers.json")["cowley_v4_210325"]
    published = numbers["own_split_half_spearman_brown_all_repeats_100_random_splits"]["median"]
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
    assert np.median(np.mean(reliability, axis=0)) == pytest.approx(published, abs=0.01)
