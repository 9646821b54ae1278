import pytest


@pytest.mark.conformance(
    "pixels",
    "sentence-length",
    "gabor-filterbank",
    "gabor-2.4-cpd",
    "gabor-colour",
    "random-cnn",
    "random-projection/100",
)
def test_conformance(identifier, check):
    check(identifier)
