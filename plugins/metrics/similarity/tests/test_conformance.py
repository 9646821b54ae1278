import pytest


@pytest.mark.conformance(
    "rdm",
    "rdm-pearson",
    "rdm-kendall",
    "rdm-cosine",
    "rdm-whitened_cosine",
    "rdm_cv",
    "crossnobis",
    "cka",
    "cka-biased",
    "cka_cv",
    "procrustes",
    kind="metrics",
)
def test_conformance(identifier, check):
    check(identifier)
