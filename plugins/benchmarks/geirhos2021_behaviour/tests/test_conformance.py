import pytest


@pytest.mark.usefixtures("mirror")
@pytest.mark.conformance(
    "Geirhos2021.colour-error_consistency",
    "Geirhos2021.colour-accuracy_distance",
    "Geirhos2021.contrast-error_consistency",
    "Geirhos2021.contrast-accuracy_distance",
    "Geirhos2021.cue-conflict-error_consistency",
    "Geirhos2021.cue-conflict-accuracy_distance",
    "Geirhos2021.edge-error_consistency",
    "Geirhos2021.edge-accuracy_distance",
    "Geirhos2021.eidolonI-error_consistency",
    "Geirhos2021.eidolonI-accuracy_distance",
    "Geirhos2021.eidolonII-error_consistency",
    "Geirhos2021.eidolonII-accuracy_distance",
    "Geirhos2021.eidolonIII-error_consistency",
    "Geirhos2021.eidolonIII-accuracy_distance",
    "Geirhos2021.false-colour-error_consistency",
    "Geirhos2021.false-colour-accuracy_distance",
    "Geirhos2021.high-pass-error_consistency",
    "Geirhos2021.high-pass-accuracy_distance",
    "Geirhos2021.low-pass-error_consistency",
    "Geirhos2021.low-pass-accuracy_distance",
    "Geirhos2021.phase-scrambling-error_consistency",
    "Geirhos2021.phase-scrambling-accuracy_distance",
    "Geirhos2021.power-equalisation-error_consistency",
    "Geirhos2021.power-equalisation-accuracy_distance",
    "Geirhos2021.rotation-error_consistency",
    "Geirhos2021.rotation-accuracy_distance",
    "Geirhos2021.silhouette-error_consistency",
    "Geirhos2021.silhouette-accuracy_distance",
    "Geirhos2021.sketch-error_consistency",
    "Geirhos2021.sketch-accuracy_distance",
    "Geirhos2021.uniform-noise-error_consistency",
    "Geirhos2021.uniform-noise-accuracy_distance",
)
@pytest.mark.conformance(
    "Geirhos2021.stylized-error_consistency",
    "Geirhos2021.stylized-accuracy_distance",
)
def test_conformance(identifier, check):
    check(identifier)
