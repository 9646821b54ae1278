"""Oracles of spec `marques2020` section 6: closed-form curves, measured by independent code."""

import numpy as np
import pytest

from corteval_marques2020_v1 import tuning

ORIENTATIONS = 15.0 * np.arange(12)
FREQUENCIES = 2 ** (-1.375 + 0.25 * np.arange(22))
RADII = 0.5 * 2 ** (-2.25 + 0.5 * np.arange(12))


def orientation_curve(mu, k, b=0.0):
    return np.exp(k * (np.cos(2 * np.deg2rad(ORIENTATIONS - mu)) - 1))[:, None] + b


def frequency_curve(mu, s):
    return np.exp(-((np.log2(FREQUENCIES) - mu) ** 2) / (2 * s**2))[:, None]


def size_curve(s1, a, s2):
    return ((1 - np.exp(-(RADII**2) / s1**2)) - a * (1 - np.exp(-(RADII**2) / s2**2)))[:, None]


def test_a_curve_at_40_degrees_has_the_published_properties():
    curve = orientation_curve(40, 2.0)
    assert tuning.preferred_orientation(curve) == [40]
    assert tuning.orientation_bandwidth(curve) == [20.0]
    assert tuning.circular_variance(curve) == pytest.approx([0.302225], abs=1e-6)
    assert tuning.orthogonal_preferred_ratio(curve) == pytest.approx([0.019463], abs=1e-6)


def test_a_curve_at_2_cycles_per_degree_has_the_published_properties():
    curve = frequency_curve(1.0, 0.6)
    assert tuning.peak_spatial_frequency(curve, FREQUENCIES) == pytest.approx([2.015816], abs=1e-6)
    width = tuning.spatial_frequency_bandwidth(curve, FREQUENCIES)
    assert width == pytest.approx([47.943], abs=1e-3)


def test_a_suppressed_size_curve_has_the_published_properties():
    curve = size_curve(0.4, 0.5, 1.5)
    assert tuning.grating_summation_field(curve, RADII) == pytest.approx([1.189207], abs=1e-6)
    assert tuning.surround_diameter(curve, RADII) == pytest.approx([6.727171], abs=1e-6)
    assert tuning.surround_suppression(curve) == pytest.approx([0.413891], abs=1e-6)


def test_all_orientation_oracles(reference):
    for o in reference("marques2020.json")["orientation_curves"]:
        curve = orientation_curve(o["mu"], o["k"], o["b"])
        assert tuning.preferred_orientation(curve) == [o["pref_smooth"]] or (
            o["pref_smooth"] >= 157.5
            and tuning.preferred_orientation(curve) == [o["pref_smooth"] - 180]
        )
        assert tuning.orientation_bandwidth(curve) == [o["bw_hanning_707_half"]]
        assert tuning.circular_variance(curve) == pytest.approx([o["circular_variance"]])
        assert tuning.orthogonal_preferred_ratio(curve) == pytest.approx([o["orth_pref_ratio"]])


def test_all_frequency_oracles(reference):
    for o in reference("marques2020.json")["sf_curves"]:
        curve = frequency_curve(o["mu"], o["s"])
        peak = tuning.peak_spatial_frequency(curve, FREQUENCIES)
        assert peak == pytest.approx([o["peak"]], rel=1e-9)
        width = tuning.spatial_frequency_bandwidth(curve, FREQUENCIES)
        assert width == pytest.approx(
            [np.nan if o["bw_ratio"] is None else o["bw_ratio"]], nan_ok=True
        )
        selective = tuning.spatial_frequency_selective(curve, FREQUENCIES)
        assert selective == [o["bw_ratio"] is not None]


def test_all_size_oracles(reference):
    for o in reference("marques2020.json")["size_curves"]:
        curve = size_curve(o["s1"], o["a"], o["s2"])
        for name, value in (
            ("gsf", tuning.grating_summation_field(curve, RADII)),
            ("surround_diameter", tuning.surround_diameter(curve, RADII)),
            ("ssi", tuning.surround_suppression(curve)),
        ):
            assert value == pytest.approx([np.nan if o[name] is None else o[name]], nan_ok=True)
        assert tuning.strongly_suppressed(curve) == [o["ssi"] >= 0.1]
        ratio = np.nan if o["gsf"] is None else o["surround_diameter"] / o["gsf"]
        assert tuning.surround_ratio(curve, RADII) == pytest.approx([ratio], nan_ok=True)


def test_suppression_above_one_is_a_plateau_below_the_spontaneous_rate():
    curve = np.array([1.0, 4.0, 2.0, -0.4, -0.4])[:, None]
    assert tuning.surround_suppression(curve) == pytest.approx([1.1])
    assert tuning.surround_diameter(curve, RADII[:5]) == [2 * RADII[3]]


def test_modulation_separates_mean_and_first_harmonic():
    phases = np.arange(8) * np.pi / 4
    cycle = (3 + 2 * np.cos(phases - 1))[:, None]
    mean, first = tuning.modulation(cycle, axis=0)
    assert mean == pytest.approx([3])
    assert first == pytest.approx([2])


def test_a_population_is_measured_as_its_units_one_by_one():
    rng = np.random.default_rng(0)
    curves = rng.random((12, 30))
    together = tuning.orientation_bandwidth(curves)
    alone = [tuning.orientation_bandwidth(curves[:, [n]])[0] for n in range(30)]
    np.testing.assert_array_equal(together, alone)
