import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Cowley2023.V4-pls",
    "Cowley2023.V4-ridge",
    "Cowley2023.V4-ridgecv",
    "Cowley2023.V4-linear",
    "Cowley2023.V4-neuron_to_neuron",
    "Cowley2023.V4-rdm",
    "Cowley2023.V4-cka",
    "Cowley2023.201025-ridge",
    "Cowley2023.190923-ridge",
)
def test_conformance(identifier, check):
    check(identifier)
