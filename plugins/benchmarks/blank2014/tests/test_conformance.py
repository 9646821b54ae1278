"""The conformance kit on a small file in the archive's form."""

import pytest
from plugins.benchmarks.blank2014.tests.blank2014_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Eight stories, five people."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive)
        yield


@pytest.mark.conformance(
    "Blank2014-ridge",
    "Blank2014-linear",
    "Blank2014-rdm",
    "Blank2014-cka",
    "Blank2014-ridge-legacy",
    "Blank2014-ridge-shuffle",
    "Blank2014-linear-shuffle",
    "Blank2014-pnas2021",
    "Blank2014",
)
def test_conformance(identifier, check):
    check(identifier)
