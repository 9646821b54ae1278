import pytest


@pytest.mark.conformance("pls", "ridge", kind="metrics")
def test_conformance(identifier, check):
    check(identifier)
