"""The conformance kit on small recordings in the archive's form."""

import pytest

from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Three voxels in each of three people, whose ids repeat between people."""
    voxels = {
        "subject": [person for person in ("01", "02", "03") for _ in range(3)],
        "region": ["IT"] * 9,
        "neuroid_id": [0, 1, 2] * 3,
        "nc_testset": [20.0, 45.0, 45.0] * 3,  # one in three is left out
    }
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, "Hebart2023_fmri", voxels, train=(40, 1), test=(24, 6), noise=0.7)
        yield


@pytest.mark.conformance("Hebart2023_fmri.IT-ridge")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Hebart2023_fmri.IT-ridgecv", "Hebart2023_fmri.IT-ridge-legacy")
def test_conformance_of_other_forms(identifier, check):
    check(identifier)
