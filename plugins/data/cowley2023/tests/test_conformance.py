import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("Cowley2023")
def test_conformance(identifier, check):
    check(identifier)
