import pytest

METRICS = [
    "linear",
    "linear-split",
    "ridge",
    "ridge-split",
    "ridgecv",
    "ridgecv-split",
    "ridgecv_per_target",
    "ridgecv_per_target-split",
    "ridgecv_per_subject",
    "dual_ridge",
    "dual_ridge-split",
    "pls",
    "pls-split",
    "pls-exact",
    "reverse_pls",
    "spantime_pls",
    "spantime_ridge",
    "neuron_to_neuron",
    "neuron_to_neuron-split",
    "banded_ridge",
    "unique_variance",
    "linear-legacy",
    "ridgecv-legacy",
]


@pytest.mark.conformance(*METRICS)
def test_conformance(identifier, check):
    check(identifier)
