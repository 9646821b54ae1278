"""The conformance kit on a small file in the archive's form."""

import pytest
from plugins.benchmarks.fedorenko2016.tests.fedorenko2016_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Twenty-six sentences, five people."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive)
        yield


@pytest.mark.conformance(
    "Fedorenko2016-ridge",
    "Fedorenko2016-linear",
    "Fedorenko2016-rdm",
    "Fedorenko2016-cka",
    "Fedorenko2016-ridge-legacy",
    "Fedorenko2016-ridge-shuffle",
    "Fedorenko2016-linear-shuffle",
    "Fedorenko2016-pnas2021",
    "Fedorenko2016",
)
def test_conformance(identifier, check):
    check(identifier)
