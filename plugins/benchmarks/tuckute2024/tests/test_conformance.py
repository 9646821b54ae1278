"""The conformance kit on a small file in the archive's form."""

import pytest
from plugins.benchmarks.tuckute2024.tests.tuckute2024_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Six hundred sentences."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, sentences=600)
        yield


@pytest.mark.conformance("Tuckute2024-ridge", "Tuckute2024-linear")
def test_conformance(identifier, check):
    check(identifier)
