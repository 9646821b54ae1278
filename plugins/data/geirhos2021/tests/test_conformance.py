import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Geirhos2021.colour",
    "Geirhos2021.contrast",
    "Geirhos2021.cue-conflict",
    "Geirhos2021.edge",
    "Geirhos2021.eidolonI",
    "Geirhos2021.eidolonII",
    "Geirhos2021.eidolonIII",
    "Geirhos2021.false-colour",
    "Geirhos2021.high-pass",
    "Geirhos2021.low-pass",
    "Geirhos2021.phase-scrambling",
    "Geirhos2021.power-equalisation",
    "Geirhos2021.rotation",
    "Geirhos2021.silhouette",
    "Geirhos2021.sketch",
    "Geirhos2021.stylized",
    "Geirhos2021.uniform-noise",
)
def test_conformance(identifier, check):
    check(identifier)
