import dataclasses

import numpy as np
import pytest

from corteval.errors import OptionError
from corteval_vonenet.gabors import gabors, sample, shipped

#: Options of `sample` by the name of the recorded draw; names of the recorded columns.
DRAWS = {
    "seed0_sfcorr.75_sfmax9_sfmin0 (VOneNet defaults)": {"seed": 0},
    "seed0_sfcorr.75_sfmax6_sfmin0 (train.py default)": {"seed": 0, "sf_max_cpd": 6},
    "seed1_sfcorr0_sfmax9": {"seed": 1, "correlation": 0},
    "seed0_uniform": {"seed": 0, "rand_param": True},
}
COLUMNS = {
    "theta_degrees": "theta_deg",
    "phase_degrees": "phase_deg",
    "nx": "nx",
    "ny": "ny",
    "spatial_frequency_cpd": "sf_cpd",
}


@pytest.mark.parametrize("sf_max_cpd", [9.0, 6.0])
def test_the_shipped_parameters_are_what_sampling_gives(sf_max_cpd):
    drawn, stored = sample(0, sf_max_cpd=sf_max_cpd), shipped(sf_max_cpd)
    assert len(stored) == 512
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(stored, name), getattr(drawn, name), rtol=0, atol=1e-12)


def test_the_shipped_parameters_are_the_published_ones(reference):
    recorded = reference("models.json")["vonenet"]["gabor_params"]
    full = recorded["seed0_sfcorr.75_sfmax9_sfmin0 (VOneNet defaults)"]["full"]
    for name, column in COLUMNS.items():
        np.testing.assert_allclose(getattr(shipped(), name), full[column], rtol=0, atol=1e-12)


@pytest.mark.parametrize("draw", DRAWS)
def test_sampling_follows_the_published_draws(draw, reference, deviation):
    drawn = sample(**DRAWS[draw])
    for name, column in COLUMNS.items():
        recorded = reference("models.json")["vonenet"]["gabor_params"][draw][column]
        assert deviation(getattr(drawn, name), recorded) < 1e-12


def test_the_global_generator_is_neither_used_nor_moved():
    before = np.random.get_state(legacy=False)["state"]["pos"]  # noqa: NPY002 it is the point
    drawn = sample(3, count=40)
    assert np.random.get_state(legacy=False)["state"]["pos"] == before  # noqa: NPY002
    again = sample(3, count=40)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(drawn, name), getattr(again, name))


@pytest.mark.parametrize("correlation", [-0.8, 0.3, 1.0])
def test_cycles_and_frequency_are_correlated_as_asked(correlation):
    """Gaussian copula: Spearman's ρ_s = 6/π arcsin(ρ/2)."""
    from scipy.stats import spearmanr

    drawn = sample(5, count=20_000, correlation=correlation)
    expected = 6 / np.pi * np.arcsin(correlation / 2)
    found = spearmanr(drawn.nx, drawn.spatial_frequency_cpd).statistic
    assert found == pytest.approx(expected, abs=0.03)


def test_orientations_and_frequencies_follow_their_histograms():
    drawn = sample(6, count=50_000)
    theta = np.where(drawn.theta_degrees > 157.5, drawn.theta_degrees - 180, drawn.theta_degrees)
    shares = np.histogram(theta, [-22.5, 22.5, 67.5, 112.5, 157.5])[0] / len(drawn)
    np.testing.assert_allclose(shares, np.array([66, 49, 77, 54]) / 246, atol=0.01)
    edges = [0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8]
    shares = np.histogram(drawn.spatial_frequency_cpd, edges)[0] / len(drawn)
    np.testing.assert_allclose(shares, np.array([4, 4, 8, 25, 32, 26, 28, 12]) / 139, atol=0.01)


def test_limits_of_frequency_cut_whole_bins():
    drawn = sample(0, sf_min_cpd=1.2, sf_max_cpd=5)
    assert drawn.spatial_frequency_cpd.min() >= 1.4
    assert drawn.spatial_frequency_cpd.max() <= 4


def test_options_that_are_not_shipped_are_drawn():
    assert not np.allclose(gabors(1).phase_degrees, gabors(0).phase_degrees)
    everything = {"seed": 0, "rand_param": True}
    for field in dataclasses.fields(sample(**everything)):
        np.testing.assert_array_equal(
            getattr(gabors(**everything), field.name), getattr(sample(**everything), field.name)
        )


@pytest.mark.parametrize(
    "options", [{"sf_max_cpd": 0.6}, {"correlation": 2}, {"count": 0}, {"seed": -1}]
)
def test_impossible_options_are_refused(options):
    with pytest.raises(OptionError):
        gabors(**options)
