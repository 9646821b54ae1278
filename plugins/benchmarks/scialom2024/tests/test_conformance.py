"""The conformance kit on answers in the archive's form."""

import pytest
from plugins.benchmarks.scialom2024.tests.scialom2024_files import write

from corteval_brainscore.imitation import imitated

#: Answers drawn from those of people are as often wrong as people's.
AS_PEOPLE = {"perfect_subject": "a subject drawn from people's answers errs as often as they do"}


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """A condition, and conditions together."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        for name in ("rgb", "segments-all"):
            write(archive, name, people=10)
        yield


@pytest.mark.conformance("Scialom2024_rgbBehavioralAccuracyDistance")
@pytest.mark.conformance("Scialom2024_rgbEngineeringAccuracy", expect_fail=AS_PEOPLE)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "Scialom2024_segments-allBehavioralAccuracyDistance",
    "Scialom2024_segments-allBehavioralErrorConsistency",
)
def test_conformance_of_conditions_together(identifier, check):
    check(identifier)
