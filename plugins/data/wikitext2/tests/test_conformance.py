import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("Wikitext2", "Wikitext2.validation")
def test_conformance(identifier, check):
    check(identifier)
