import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance("Geirhos2019.cueconflict", "Geirhos2019.edge", "Geirhos2019.silhouette")
def test_conformance(identifier, check):
    check(identifier)
