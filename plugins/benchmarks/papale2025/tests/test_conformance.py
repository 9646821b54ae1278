"""The conformance kit on small recordings in the archive's form."""

import pytest

from corteval_brainscore.imitated_recordings import write
from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Four sites in each of two animals."""
    sites = {
        "subject": [animal for animal in ("monkeyF", "monkeyN") for _ in range(4)],
        "region": ["IT"] * 8,
        "neuroid_id": [f"site-{n}" for n in range(8)],
        "reliability": [0.1, 0.5, 0.6, 0.7] * 2,  # one in four is left out
    }
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, "Papale2025", sites, train=(40, 1), test=(24, 6), noise=0.7)
        yield


@pytest.mark.conformance("Papale2025.IT-ridge")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Papale2025.IT-ridgecv", "Papale2025.IT-ridge-legacy")
def test_conformance_of_other_forms(identifier, check):
    check(identifier)
