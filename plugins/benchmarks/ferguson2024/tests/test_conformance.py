import pytest


@pytest.mark.conformance("search_asymmetry", "human_search_asymmetry")
def test_conformance(identifier, check):
    check(identifier)
