"""The conformance kit on a recording in the archive's form."""

import pytest
from plugins.benchmarks.bracci2019.tests.bracci2019_files import drawn, write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """27 images, as published."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, drawn()[1], innermost=False)
        yield


@pytest.mark.conformance("Bracci2019.anteriorVTC-rdm")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Bracci2019.anteriorVTC-rdm-legacy")
def test_conformance_of_voxels_averaged_over_people(identifier, check):
    check(identifier)
