"""The conformance kit on small recordings in the archive's form."""

import pytest
from tests.archive_recordings import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Private and public recordings."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        for access in ("private", "public"):
            write(
                archive,
                f"FreemanZiemba2013.{access}",
                f"FreemanZiemba2013.aperture-{access}",
                neuroids={"V1": 6, "V2": 6},
                stimuli=60,
                trials=4,
                noise=10.0,
                bins=[(start, start + 1) for start in range(50, 200)],
                columns={"texture_type": lambda n: ("noise", "texture")[n % 2]},
            )
        yield


@pytest.mark.conformance(
    "FreemanZiemba2013.V1-pls",
    "FreemanZiemba2013public.V2-pls-legacy",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "FreemanZiemba2013.V1-pls-legacy",
    "FreemanZiemba2013.V2-pls",
    "FreemanZiemba2013.V2-pls-legacy",
    "FreemanZiemba2013public.V1-pls",
    "FreemanZiemba2013public.V1-pls-legacy",
    "FreemanZiemba2013public.V2-pls",
)
def test_conformance_of_the_same_in_the_other_region_and_recording(identifier, check):
    check(identifier)
