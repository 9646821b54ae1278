import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Geirhos2019.cueconflict-error_consistency",
    "Geirhos2019.cueconflict-accuracy",
    "Geirhos2019.cueconflict-shape_bias",
    "Geirhos2019.edge-error_consistency",
    "Geirhos2019.edge-accuracy",
    "Geirhos2019.silhouette-error_consistency",
    "Geirhos2019.silhouette-accuracy",
)
def test_conformance(identifier, check):
    check(identifier)
