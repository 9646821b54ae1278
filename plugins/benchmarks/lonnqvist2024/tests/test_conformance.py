"""The conformance kit on curves and a few people's answers in the archive's form."""

import pytest
from plugins.benchmarks.lonnqvist2024.tests.lonnqvist2024_files import (
    GROUPS,
    answers,
    images,
)

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """The images, and ten people of each group."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        images(archive, "train", 40, seed=1)
        rows = images(archive, "test", 100, seed=2)
        for member, _, accuracy in GROUPS.values():
            answers(archive, member, rows, people=10, accuracy=accuracy)
        yield


@pytest.mark.conformance(
    "Lonnqvist2024.inlab_instructions-accuracy_distance",
    "Lonnqvist2024.engineering-accuracy",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "Lonnqvist2024.inlab_no_instructions-accuracy_distance",
    "Lonnqvist2024.online_no_instructions-accuracy_distance",
)
def test_conformance_of_the_other_groups(identifier, check):
    check(identifier)
