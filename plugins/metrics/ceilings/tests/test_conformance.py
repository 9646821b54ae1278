import pytest


@pytest.mark.conformance("internal_consistency")
def test_conformance(identifier, check):
    check(identifier)
