import pytest


@pytest.mark.conformance("Marques2020.preferred_orientation", "Marques2020.surround_diameter")
def test_conformance(identifier, check):
    check(identifier)
