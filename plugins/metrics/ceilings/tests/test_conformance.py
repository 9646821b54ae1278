import pytest


@pytest.mark.conformance(
    "internal_consistency",
    "predictor_consistency",
    "ncsnr",
    "ncsnr-sqrt",
    "rsa_upper",
    "rsa_lower",
    "human_human",
    "human_human-pairs",
    "subject_extrapolation",
    "subject_halves",
    "subject_ncsnr",
)
def test_conformance(identifier, check):
    check(identifier)
