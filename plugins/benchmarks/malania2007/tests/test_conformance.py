"""The conformance kit on verniers and thresholds in the archive's form."""

import pytest
from plugins.benchmarks.malania2007.tests.malania2007_files import write

from corteval_brainscore.imitation import imitated

ACUITY = "Malania2007.vernieracuity-threshold"
ELEVATION = "Malania2007.short2-threshold_elevation"


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Twelve verniers of each offset."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, ACUITY, ELEVATION)
        yield


@pytest.mark.conformance(ELEVATION)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(ACUITY)
def test_conformance_of_the_threshold_alone(identifier, check):
    check(identifier)
