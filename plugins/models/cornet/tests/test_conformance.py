import pytest


@pytest.mark.conformance("cornet-z-untrained")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("cornet-s-untrained", "cornet-rt-untrained", "cornet-r-untrained")
def test_conformance_of_recurrent_ones(identifier, check):
    check(identifier)
