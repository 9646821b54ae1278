import pytest


@pytest.mark.conformance("Shapes")
def test_conformance(identifier, check):
    check(identifier)
