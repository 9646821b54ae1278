import pytest


@pytest.mark.conformance("ost", "ost-exact")
def test_conformance(identifier, check):
    check(identifier)
