"""Properties of the preferred condition and of textures, from rates, against plain loops."""

import numpy as np
import pytest

from corteval_marques2020_v1 import tuning
from corteval_marques2020_v1.properties import PROPERTIES, TextureRates, Tuning

ORIENTATIONS = 15.0 * np.arange(12)
UNITS = 30


@pytest.fixture(scope="module")
def gratings():
    rng = np.random.default_rng(3)
    cycle = rng.gamma(1.0, 12.0, (3, 4, 12, 8, UNITS)) * rng.choice([0.02, 1.0], UNITS)
    cycle[..., -4:] = cycle[:, :, :1, :, -4:]  # untuned
    mean, first = tuning.modulation(cycle, axis=-2)
    values = {
        "cycles": np.array([2.0, 3, 4]),
        "spatial_frequency": np.array([0.77, 1.5, 3, 6]),
        "orientation": ORIENTATIONS,
    }
    spontaneous = rng.uniform(0, 3, UNITS)
    return cycle, Tuning(mean=mean, first_harmonic=first, spontaneous=spontaneous, values=values)


@pytest.fixture(scope="module")
def textures():
    rng = np.random.default_rng(4)
    rates = rng.gamma(1.0, 6.0, (2, 15, 15, UNITS)) * rng.choice([0.05, 1.0], UNITS)
    return TextureRates(rates=rates, spontaneous=np.full(UNITS, 0.8))


def preferred(cycle, unit):
    means = cycle[..., unit].mean(axis=-1)
    m, f, o = np.unravel_index(np.argmax(means), means.shape)
    return means[m, f], cycle[m, f, o, :, unit], means[m, f, o]


def test_units_are_measured_in_the_condition_that_drives_them_most(gratings):
    cycle, responses = gratings
    found = {n: PROPERTIES[n](responses) for n in ("max_dc", "modulation_ratio")}
    for unit in range(UNITS):
        _, phases, top = preferred(cycle, unit)
        harmonic = sum(r * np.exp(-2j * np.pi * k / 8) for k, r in enumerate(phases))
        assert found["max_dc"][0][unit] == pytest.approx(top)
        assert found["modulation_ratio"][0][unit] == pytest.approx(2 * abs(harmonic) / 8 / top)
        for _, responsive in found.values():
            assert responsive[unit] == (top > responses.spontaneous[unit] + 5)
    assert 0 < found["max_dc"][1].sum() < UNITS


def test_orientation_properties_are_those_of_the_curve_through_it(gratings):
    cycle, responses = gratings
    names = ["circular_variance", "orth_pref_ratio", "or_bandwidth", "or_selective"]
    cv, ratio, width, selective = (PROPERTIES[n](responses)[0] for n in names)
    for unit in range(UNITS):
        curve, _, _ = preferred(cycle, unit)
        vector = sum(
            r * np.exp(2j * np.deg2rad(t)) for r, t in zip(curve, ORIENTATIONS, strict=True)
        )
        assert cv[unit] == pytest.approx(1 - abs(vector) / curve.sum())
        best = int(np.argmax(curve))
        assert ratio[unit] == pytest.approx(curve[(best + 6) % 12] / curve[best])
    np.testing.assert_array_equal(selective, np.where(np.isnan(width), 0, 1))
    np.testing.assert_allclose(PROPERTIES["cv_bandwidth_ratio"](responses)[0], cv / width)
    np.testing.assert_allclose(PROPERTIES["opr_cv_diff"](responses)[0], ratio - cv)
    assert 0 < np.isnan(width).sum() < UNITS


def test_oracles_of_orientation_curves_hold_through_the_whole_set(reference):
    """A curve of the reference, at one of twelve conditions, the others half as strong."""
    for o in reference("marques2020.json")["orientation_curves"]:
        curve = np.exp(o["k"] * (np.cos(2 * np.deg2rad(ORIENTATIONS - o["mu"])) - 1)) + o["b"]
        mean = np.full((3, 4, 12, 1), 0.5) * 30 * curve[:, None]
        mean[1, 2] *= 2
        values = {
            "cycles": np.arange(3),
            "spatial_frequency": np.arange(4),
            "orientation": ORIENTATIONS,
        }
        unit = Tuning(mean=mean, first_harmonic=mean * 0, spontaneous=np.zeros(1), values=values)
        expected = {
            "or_bandwidth": o["bw_hanning_707_half"],
            "circular_variance": o["circular_variance"],
            "orth_pref_ratio": o["orth_pref_ratio"],
            "cv_bandwidth_ratio": o["circular_variance"] / o["bw_hanning_707_half"],
            "opr_cv_diff": o["orth_pref_ratio"] - o["circular_variance"],
            "max_dc": 30 * curve.max(),
            "or_selective": 1.0,
        }
        for name, value in expected.items():
            assert PROPERTIES[name](unit)[0] == pytest.approx([value]), name


def test_texture_properties_are_those_of_rates_above_the_spontaneous_one(textures):
    found = {n: p(textures)[0] for n, p in PROPERTIES.items() if p.stimulus_set == "texture"}
    assert len(found) == 7
    for unit in range(UNITS):
        noise, texture = textures.rates[..., unit] - 0.8
        n, t = noise.mean(axis=1), texture.mean(axis=1)
        index = np.mean([(b - a) / (b + a) for a, b in zip(n, t, strict=True)])
        spiked = np.sqrt(textures.rates[1, ..., unit] / 10)
        spiked = spiked + np.sqrt(spiked**2 + 1)
        assert found["texture_modulation_index"][unit] == pytest.approx(index)
        assert found["abs_texture_modulation_index"][unit] == pytest.approx(abs(index))
        assert found["texture_selectivity"][unit] == pytest.approx(sparse(t))
        assert found["texture_sparseness"][unit] == pytest.approx(sparse(texture))
        assert found["texture_variance_ratio"][unit] == pytest.approx(nested(spiked))
        assert found["max_texture"][unit] == texture.max()
        assert found["max_noise"][unit] == noise.max()


def test_the_largest_of_all_responses_decides_whether_a_unit_counts(textures):
    expected = [textures.rates[..., u].max() - 0.8 > 5 for u in range(UNITS)]
    assert 0 < sum(expected) < UNITS
    for prop in PROPERTIES.values():
        if prop.stimulus_set == "texture":
            np.testing.assert_array_equal(prop(textures)[1], expected)


def sparse(responses):
    r = np.ravel(responses)
    return (1 - r.mean() ** 2 / (r**2).mean()) / (1 - 1 / r.size)


def nested(s):
    within = sum((x - family.mean()) ** 2 for family in s for x in family) / (15 * 14)
    between = 15 * sum((family.mean() - s.mean()) ** 2 for family in s) / 14
    v = (between - within) / 15
    return (v / (within + v) + 0.02) / (within / (within + v) + 0.02)
