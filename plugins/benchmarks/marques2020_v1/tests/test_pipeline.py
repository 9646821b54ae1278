import numpy as np
import pandas as pd
import pytest

import corteval
from corteval.errors import UndefinedScore
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


@pytest.mark.parametrize("identifier", [ORIENTATION, FREQUENCY])
def test_chance_is_the_score_of_a_flat_distribution(identifier, reference):
    oracle = reference("marques2020.json")["ks"][identifier.rpartition("-")[2]]
    chance = corteval.benchmarks.card(identifier).chance
    assert chance == pytest.approx(oracle["flat"] / oracle["ceiling_20000_draws"], abs=0.01)


def test_ceilings_equal_long_simulations(reference):
    oracles = reference("marques2020.json")["ks"]
    for identifier in (ORIENTATION, FREQUENCY):
        ceiling = corteval.benchmarks.create(identifier).ceiling()
        oracle = oracles[identifier.rpartition("-")[2]]
        # 1,000 draws of a mean whose long run is the oracle
        assert ceiling.value == pytest.approx(
            oracle["ceiling_20000_draws"], abs=4 * oracle["ceiling_sd"] / np.sqrt(1000)
        )
        assert ceiling.error == pytest.approx(oracle["ceiling_sd"], rel=0.1)


def test_a_subject_that_looks_elsewhere_is_undefined_with_a_reason():
    score = corteval.score("pixels", ORIENTATION)
    assert score.status == "undefined"
    assert "0.15 degrees" in score.reason


def test_filtering_units_by_place_does_not_change_the_score(monkeypatch):
    from corteval.requests import Between, UnitFilter
    from corteval_marques2020_v1 import receptive_fields

    model = corteval.models.create(
        "gabor-filterbank", orientations_degrees=(0.0, 60.0, 120.0), spatial_frequencies_cpd=(2.0,)
    )
    near = corteval.score(model, ORIENTATION)
    everywhere = UnitFilter((Between("receptive_field_x_degrees", -10, 10),))
    monkeypatch.setattr(receptive_fields, "NEAR_CENTRE", everywhere)
    assert corteval.score(model, ORIENTATION).raw.value == near.raw.value


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
