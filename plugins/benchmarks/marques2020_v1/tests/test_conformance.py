import pytest


@pytest.mark.conformance(
    "Marques2020.V1-preferred_orientation", "Marques2020.V1-peak_spatial_frequency"
)
def test_conformance(identifier, check):
    check(identifier)
