"""The conformance kit on a small recording in the archive's form."""

import pytest
from tests.archive_recordings import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """One recording."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        counts = {"V4": 2, "IT": 6}
        write(archive, "Rajalingham2020", "Rajalingham2020", neuroids=counts, stimuli=80, trials=6)
        yield


@pytest.mark.conformance(
    "Rajalingham2020.IT-pls",
    "Rajalingham2020.IT-pls-legacy",
)
def test_conformance(identifier, check):
    check(identifier)
