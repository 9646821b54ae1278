"""The conformance kit on a small file in the archive's form."""

import pytest
from plugins.benchmarks.futrell2018.tests.futrell2018_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Four stories, twenty readers."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, sentences=20)
        yield


@pytest.mark.conformance("Futrell2018-pearsonr", "Futrell2018-pearsonr-legacy")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.conformance("Futrell2018-pnas2021")
def test_conformance_of_the_legacy_protocol(identifier, check):
    check(identifier)
