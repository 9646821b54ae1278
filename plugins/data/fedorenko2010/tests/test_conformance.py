import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("Fedorenko2010.localization")
def test_conformance(identifier, check):
    check(identifier)
