"""The conformance kit on answers in the archive's form."""

import pytest
from plugins.benchmarks.bmd2024.tests.bmd2024_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """A set of a hundred images, as published; the four differ in images only."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, "dotted_1", people=8)
        yield


@pytest.mark.conformance("BMD2024.dotted_1Behavioral-accuracy_distance")
def test_conformance(identifier, check):
    check(identifier)
