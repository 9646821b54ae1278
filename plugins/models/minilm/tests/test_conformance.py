import pytest


@pytest.mark.conformance("minilm-untrained-seed2")
def test_conformance_of_random_weights(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("minilm", "minilm-untrained")
def test_conformance(identifier, check):
    check(identifier)
