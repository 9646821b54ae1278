import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Kriegeskorte2008.humanIT-rdm",
    "Kriegeskorte2008.humanIT-rdm-pearson",
    "Kriegeskorte2008.humanIT-rdm-kendall",
    "Kriegeskorte2008.monkeyIT-rdm",
    "Kriegeskorte2008.behaviour-rdm",
    "Kriegeskorte2008.behaviour-rdm-pearson",
    "Kriegeskorte2008.behaviour-rdm-kendall",
)
def test_conformance(identifier, check):
    check(identifier)
