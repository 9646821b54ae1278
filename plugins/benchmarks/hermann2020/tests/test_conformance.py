import pytest


@pytest.mark.conformance("shape_preference")
def test_conformance(identifier, check):
    check(identifier)
