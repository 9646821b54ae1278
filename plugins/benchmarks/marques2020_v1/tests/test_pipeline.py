import numpy as np
import pandas as pd
import pytest

import corteval
from corteval.errors import UndefinedScore
from corteval_marques2020.histograms import HISTOGRAMS
from corteval_marques2020_v1 import rates
from corteval_marques2020_v1.properties import conditions
from corteval_marques2020_v1.receptive_fields import centres_degrees

ORIENTATION = "Marques2020.V1-preferred_orientation"
FREQUENCY = "Marques2020.V1-peak_spatial_frequency"


def test_the_gabor_filter_bank_scores_high_and_at_one_orientation_low():
    bank, oblique = (
        corteval.score(m, ORIENTATION) for m in ("gabor-filterbank", "gabor-45-degrees")
    )
    assert bank.raw.value > 0.9
    assert oblique.value <= 0.40
    # every unit in one bin: the closed-form similarity of that bin
    assert oblique.raw.value == pytest.approx(0.3447099, abs=1e-6)


def test_a_bank_at_one_frequency_scores_the_closed_form_of_its_bin():
    score = corteval.score("gabor-2.4-cpd", FREQUENCY)
    assert score.raw.value == pytest.approx(0.486, abs=0.01)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_chance_is_the_score_of_a_flat_distribution_or_of_having_the_property(name, reference):
    oracle = reference("marques2020.json")["ks"][name]
    binary = name in {"spatial_frequency_selective", "strongly_suppressed"}
    expected = oracle["one_bin"][1] if binary else oracle["flat"]
    chance = corteval.benchmarks.card(f"Marques2020.V1-{name}").chance
    assert chance == pytest.approx(expected / oracle["ceiling_20000_draws"], abs=0.006)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_ceilings_equal_long_simulations(name, reference):
    oracle = reference("marques2020.json")["ks"][name]
    ceiling = corteval.benchmarks.create(f"Marques2020.V1-{name}").ceiling()
    # 1,000 draws of a mean whose long run is the oracle
    assert ceiling.value == pytest.approx(
        oracle["ceiling_20000_draws"], abs=4 * oracle["ceiling_sd"] / np.sqrt(1000)
    )
    assert ceiling.error == pytest.approx(oracle["ceiling_sd"], rel=0.1)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("preferred_orientation", 0.962),
        ("peak_spatial_frequency", 0.967),
        ("spatial_frequency_selective", 0.963),
        ("spatial_frequency_bandwidth", 0.933),
        ("surround_suppression_index", 0.958),
        ("grating_summation_field", 0.956),
        ("surround_diameter", 0.955),
    ],
)
def test_ceilings_equal_the_published_ones(name, published):
    """Spec ``marques2020`` section 5; the tolerance is the publishers' own."""
    ceiling = corteval.benchmarks.create(f"Marques2020.V1-{name}").ceiling()
    assert ceiling.value == pytest.approx(published, abs=0.005)


def test_a_subject_that_looks_elsewhere_is_undefined_with_a_reason():
    score = corteval.score("pixels", ORIENTATION)
    assert score.status == "undefined"
    assert "0.15 degrees" in score.reason


def test_filtering_units_by_place_does_not_change_the_score(monkeypatch):
    from corteval.requests import Between, UnitFilter
    from corteval_marques2020_v1 import receptive_fields

    few = {"orientations_degrees": (0.0, 60.0, 120.0), "spatial_frequencies_cpd": (2.0,)}
    near = corteval.score(corteval.models.create("gabor-filterbank", **few), ORIENTATION)
    everywhere = UnitFilter((Between("receptive_field_x_degrees", -10, 10),))
    monkeypatch.setattr(receptive_fields, "NEAR_CENTRE", everywhere)
    again = corteval.score(corteval.models.create("gabor-filterbank", **few), ORIENTATION)
    assert again.raw.value == near.raw.value
    assert "15 units mapped" not in again.notes[-1]


def test_a_centre_of_mass_ignores_weak_positions():
    positions = np.array([-1.0, 0.0, 1.0])
    drive = np.zeros((3, 3, 2))
    drive[1, 2, 0] = 10.0
    drive[0, 0, 0] = 0.4  # below 5 % of the maximum
    centres = centres_degrees(drive, positions, positions)
    assert centres[:, 0] == pytest.approx([0.0, 1.0])
    assert np.isnan(centres[:, 1]).all()


def test_rates_give_the_population_the_published_medians():
    rng = np.random.default_rng(0)
    blank = np.full(51, 0.3)
    orientation = rng.random((3, 4, 12, 8, 51)) * np.linspace(1, 3, 51) + 0.3
    rate = rates.fit(orientation, blank)
    maxima = orientation.mean(axis=3).reshape(-1, 51).max(axis=0)
    assert np.median(rate(maxima)) == pytest.approx(33.8)
    assert rate(blank)[0] == pytest.approx(0.82)
    assert rate(np.array([-5.0]))[0] >= 0


def test_a_silent_population_is_undefined():
    with pytest.raises(UndefinedScore, match="drive no unit"):
        rates.fit(np.zeros((3, 4, 12, 8, 5)), np.zeros(5))


def test_conditions_are_found_by_parameters_not_by_row():
    table = pd.DataFrame({"a": [1, 0, 1, 0], "b": [5, 7, 7, 5]})
    responses = np.array([[15.0], [7.0], [17.0], [5.0]])
    array, values = conditions(responses, table, ("a", "b"))
    np.testing.assert_array_equal(array[:, :, 0], [[5, 7], [15, 17]])
    assert list(values["b"]) == [5, 7]
