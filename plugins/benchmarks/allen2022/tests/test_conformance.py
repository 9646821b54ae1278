"""The conformance kit on small recordings in the archive's form."""

import pytest

from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated

PEOPLE = [f"subj{number:02d}" for number in range(1, 6)]


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Voxels of V1 in five people in the volume, and of IT in four on the surface."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        for study, region, people in (
            ("Allen2022_fmri", "V1", PEOPLE),
            ("Allen2022_fmri_surface_4subj", "IT", PEOPLE[:4]),
        ):
            subjects = [person for person in people for _ in range(4)]
            voxels = {
                "subject": subjects,
                "region": [region] * len(subjects),
                "neuroid_id": [f"{person}-{n}" for n, person in enumerate(subjects)],
                "nc_testset": [20.0, 45.0, 45.0, 45.0] * len(people),  # one in four is left out
            }
            write(archive, study, voxels, train=(40, 1), test=(24, 3), noise=0.5)
        yield


@pytest.mark.conformance("Allen2022_fmri.V1-ridge", "Allen2022_fmri.V1-rdm")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "Allen2022_fmri.V1-ridge-legacy",
    "Allen2022_fmri_surface_4subj.IT-ridge",
    "Allen2022_fmri_surface_4subj.IT-rdm",
)
def test_conformance_of_other_forms(identifier, check):
    check(identifier)
