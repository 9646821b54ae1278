import pytest


@pytest.mark.conformance("ks_similarity", "ks_similarity-exact")
def test_conformance(identifier, check):
    check(identifier)
