"""The conformance kit on a small recording in the archive's form."""

import pytest
from tests.archive_recordings import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Each seventh image lacks the responses of every other neuron."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(
            archive,
            "Cadena2017",
            "Cadena2017",
            neuroids={"V1": 6},
            stimuli=100,
            trials=4,
            noise=0.7,
            missing=lambda stimulus, repetition, neuroid: (neuroid % 2 == 1) & (stimulus % 7 == 0),
        )
        yield


@pytest.mark.conformance(
    "Cadena2017-pls",
    "Cadena2017-pls-legacy",
    "Cadena2017",
)
def test_conformance(identifier, check):
    check(identifier)
