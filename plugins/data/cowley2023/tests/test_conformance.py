import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("Cowley2023", "Cowley2023.201025", "Cowley2023.190923")
def test_conformance(identifier, check):
    check(identifier)
