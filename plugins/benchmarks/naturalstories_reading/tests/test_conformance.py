import pytest


@pytest.fixture(scope="module", autouse=True)
def data(mirror):
    """The published files, from the mirror."""


@pytest.mark.conformance("NaturalStories-pearsonr", "NaturalStories-delta_loglik")
def test_conformance(identifier, check):
    check(identifier)
