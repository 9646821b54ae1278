import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("Cowley2023.V4-pls", "Cowley2023.V4-ridge")
def test_conformance(identifier, check):
    check(identifier)
