import pytest


@pytest.mark.slow  # each check shows some 1,500 corrupted images
@pytest.mark.conformance("Shapes.robustness.V1-accuracy")
def test_conformance(identifier, check):
    check(identifier)
