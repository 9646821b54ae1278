import pytest


@pytest.mark.conformance(
    "Marques2020.preferred_orientation",
    "Marques2020.peak_spatial_frequency",
    "Marques2020.spatial_frequency_selective",
    "Marques2020.spatial_frequency_bandwidth",
    "Marques2020.surround_suppression_index",
    "Marques2020.strongly_suppressed",
    "Marques2020.grating_summation_field",
    "Marques2020.surround_diameter",
    "Marques2020.surround_grating_summation_field_ratio",
)
def test_conformance(identifier, check):
    check(identifier)
