import pytest


@pytest.mark.slow  # each check shows some 600 displays
@pytest.mark.conformance("GaborContours.integration.V1-accuracy")
def test_conformance(identifier, check):
    check(identifier)
