import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Cowley2023.V4-pls",
    "Cowley2023.V4-ridge",
    "Cowley2023.V4-ridgecv",
    "Cowley2023.V4-neuron_to_neuron",
)
def test_conformance(identifier, check):
    check(identifier)
