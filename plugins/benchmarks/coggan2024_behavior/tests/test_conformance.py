import pytest


@pytest.mark.conformance("condition_accuracy_similarity", "human_condition_accuracy_similarity")
def test_conformance(identifier, check):
    check(identifier)
