"""The conformance kit on answers in the archive's form."""

import pytest
from plugins.benchmarks.scialom2024.tests.scialom2024_files import write

from corteval_brainscore.imitation import imitated

#: Of pieces few of which are shown, people recognise little more than half.
GUESSED = {
    "shuffled_subject": "accuracies are compared, not answers: who guesses is about as often right "
    "as people are where few pieces are shown"
}


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """A condition, and conditions together."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        for name in ("rgb", "segments-all"):
            write(archive, name, people=10)
        yield


@pytest.mark.conformance(
    "Scialom2024_rgbBehavioralAccuracyDistance",
    "Scialom2024_rgbEngineeringAccuracy",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Scialom2024_segments-allBehavioralAccuracyDistance", expect_fail=GUESSED)
@pytest.mark.conformance("Scialom2024_segments-allBehavioralErrorConsistency")
def test_conformance_of_conditions_together(identifier, check):
    check(identifier)
