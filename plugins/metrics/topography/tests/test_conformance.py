import pytest


@pytest.mark.conformance("spatial_correlation", kind="metrics")
def test_conformance(identifier, check):
    check(identifier)
