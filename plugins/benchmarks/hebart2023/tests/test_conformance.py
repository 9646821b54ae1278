"""The conformance kit on a few triplets in the archive's form."""

import pytest
from plugins.benchmarks.hebart2023.tests.hebart2023_files import written

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """As many triplets as tell chance, within .15 after the normalisation, from more."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        written(archive, triplets=800)
        yield


@pytest.mark.conformance("Hebart2023-match")
def test_conformance(identifier, check):
    check(identifier)
