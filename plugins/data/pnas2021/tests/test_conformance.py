import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("PNAS2021")
def test_conformance(identifier, check):
    check(identifier)
