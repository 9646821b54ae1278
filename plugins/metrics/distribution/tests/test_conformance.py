import pytest


@pytest.mark.conformance("ks_similarity")
def test_conformance(identifier, check):
    check(identifier)
