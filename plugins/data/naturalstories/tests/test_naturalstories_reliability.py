import numpy as np
import pytest
import xarray as xr

from corteval.errors import AssemblyError, UndefinedScore
from corteval_naturalstories.reliability import reliability


def reading(readers=40, words=4000, seed=0):
    """Reading times (reader, word) of words that differ, by readers of one speed."""
    rng = np.random.default_rng(seed)
    return 330 + 20 * rng.standard_normal(words) + 100 * rng.standard_normal((readers, words))


def means(times, **more):
    readers, words = times.shape
    coords = {
        "stimulus_id": ("presentation", [f"w{n}" for n in range(words)]),
        "sd_ms": ("presentation", times.std(axis=0, ddof=1)),
        "n": ("presentation", np.full(words, readers)),
        **more,
    }
    return xr.DataArray(times.mean(axis=0), dims=["presentation"], coords=coords)


def test_reliability_is_what_variances_say():
    truth = 20**2 / (20**2 + 100**2 / 40)
    assert reliability(means(reading())).value == pytest.approx(truth, abs=0.02)


def test_reliability_is_the_correlation_with_as_many_new_readers():
    times = reading(readers=80)
    r = np.corrcoef(times[:40].mean(axis=0), times[40:].mean(axis=0))[0, 1]
    assert reliability(means(times[:40])).value == pytest.approx(r, abs=0.03)


def test_reliability_agrees_with_spearman_brown_corrected_halves():
    times = reading(readers=60, seed=1)
    r = np.corrcoef(times[::2].mean(axis=0), times[1::2].mean(axis=0))[0, 1]
    assert reliability(means(times)).value == pytest.approx(2 * r / (1 + r), abs=0.02)


def test_means_of_noise_alone_are_not_reliable():
    noise = 330 + 100 * np.random.default_rng(2).standard_normal((40, 4000))
    assert reliability(means(noise)).value == pytest.approx(0, abs=0.08)


def test_the_error_is_the_spread_over_stories():
    """Over repeated experiments, the jackknife error is as large as the spread of the estimate."""
    story = ("presentation", np.repeat(np.arange(10), 40))
    estimates = [reliability(means(reading(words=400, seed=s), story=story)) for s in range(200)]
    spread = np.std([estimate.value for estimate in estimates], ddof=1)
    errors = [estimate.error for estimate in estimates if estimate.error is not None]
    assert len(errors) == 200
    assert np.mean(errors) == pytest.approx(spread, rel=0.25)


def test_without_three_stories_there_is_no_error():
    story = ("presentation", np.repeat([1, 2], 200))
    assert reliability(means(reading(words=400), story=story)).error is None
    assert reliability(means(reading(words=400))).error is None


def test_missing_counts_and_single_readers_are_named():
    assembly = means(reading(words=10))
    with pytest.raises(AssemblyError, match="there is no n"):
        reliability(assembly.drop_vars("n"))
    with pytest.raises(AssemblyError, match="1 of 10 words have fewer than two readers"):
        reliability(assembly.assign_coords(n=("presentation", [1] + [40] * 9)))


def test_words_that_do_not_vary_have_no_reliability():
    with pytest.raises(UndefinedScore, match="do not vary"):
        reliability(means(np.full((5, 10), 300.0)))
