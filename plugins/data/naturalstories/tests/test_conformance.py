import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("NaturalStories")
def test_conformance(identifier, check):
    check(identifier)
