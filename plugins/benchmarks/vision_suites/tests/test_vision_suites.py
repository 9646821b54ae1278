"""The vision suites name benchmarks that exist, and weights that sum to one."""

import pytest

from corteval import registry, suites

SUITES = ("vision-v1@1.0", "vision-neural@1.0", "vision-behaviour@1.0", "vision-open@1.0")


@pytest.mark.parametrize("name", SUITES)
def test_every_member_is_a_benchmark_with_a_ceiling(name):
    for member in suites.named(name).weights:
        card = registry.benchmarks.card(member)
        normalised = card.ceiling or card.metric == "ks_similarity" or card.options
        assert card.identifier == member
        assert normalised


@pytest.mark.parametrize("name", SUITES)
def test_weights_sum_to_one(name):
    assert sum(suites.named(name).weights.values()) == pytest.approx(1)


def test_an_area_counts_as_much_however_many_benchmarks_it_has():
    weights = suites.named("vision-neural").weights
    v4 = weights["MajajHong2015public.V4-pls"] + weights["Cowley2023.V4-pls"]
    assert v4 == pytest.approx(weights["MajajHong2015public.IT-pls"]) == pytest.approx(0.25)


def test_v1_properties_are_weighted_by_group():
    weights = suites.named("vision-v1").weights
    assert len(weights) == 7
    assert weights["Marques2020.V1-preferred_orientation"] == pytest.approx(1 / 4)
    assert weights["Marques2020.V1-peak_spatial_frequency"] == pytest.approx(1 / 12)
    assert weights["Marques2020.V1-surround_diameter"] == pytest.approx(1 / 8)
