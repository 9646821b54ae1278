"""The conformance kit on small recordings in the archive's form."""

import pytest

from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated

#: From 0 to .6 s after onset, as asked for, and one more on either side.
BINS = [(round(n / 100, 2), round((n + 1) / 100, 2)) for n in range(-1, 61)]


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """One electrode on each of five people."""
    people = [f"sub-{number:02d}" for number in range(1, 6)]
    electrodes = {"subject": people, "neuroid_id": [0] * 5, "channel": ["O1"] * 5}
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, "Gifford2022", electrodes, train=(40, 2), test=(24, 4), noise=0.7, bins=BINS)
        yield


@pytest.mark.conformance("Gifford2022.IT-ridge")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Gifford2022.IT-ridgecv", "Gifford2022.IT-ridge-legacy")
def test_conformance_of_other_forms(identifier, check):
    check(identifier)
