import pytest


@pytest.mark.conformance("baker2022_accuracy_delta-legacy", "human_baker2022_accuracy_delta-legacy")
def test_conformance(identifier, check):
    check(identifier)
