import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Kriegeskorte2008.humanIT", "Kriegeskorte2008.monkeyIT", "Kriegeskorte2008.behaviour"
)
def test_conformance(identifier, check):
    check(identifier)
