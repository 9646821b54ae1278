"""The conformance kit on a recording in the archive's form."""

import pytest
from plugins.benchmarks.igustibagus2024.tests.igustibagus2024_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Images of all domains, which the read-out needs."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive)
        yield


@pytest.mark.conformance("Igustibagus2024-ridge")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Igustibagus2024-ridge-legacy", "Igustibagus2024.IT_readout-accuracy")
def test_conformance_of_other_forms(identifier, check):
    check(identifier)
