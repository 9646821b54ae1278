import pytest


@pytest.mark.conformance("v4compact-untrained")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.conformance("v4compact-ensemble", "v4compact-linear")
def test_conformance_with_published_weights(identifier, check, mirror):
    check(identifier)
