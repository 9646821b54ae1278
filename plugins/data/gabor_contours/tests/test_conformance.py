import pytest


@pytest.mark.conformance("GaborContours")
def test_conformance(identifier, check):
    check(identifier)
