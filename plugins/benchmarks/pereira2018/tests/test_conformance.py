"""The conformance kit on a small file in the archive's form."""

import pytest
from plugins.benchmarks.pereira2018.tests.pereira2018_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Both experiments, six people."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, topics=20, causes=6)
        yield


@pytest.mark.conformance(
    "Pereira2018.243sentences-ridge",
    "Pereira2018.243sentences-linear",
    "Pereira2018.243sentences-rdm",
    "Pereira2018.243sentences-cka",
    "Pereira2018.243sentences-ridge-shuffle",
    "Pereira2018.384sentences-linear-shuffle",
    "Pereira2018-pnas2021",
    "Pereira2018.243sentences",
    "Pereira2018.384sentences",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "Pereira2018.384sentences-ridge",
    "Pereira2018.384sentences-linear",
    "Pereira2018.384sentences-rdm",
    "Pereira2018.384sentences-cka",
    "Pereira2018.243sentences-ridge-legacy",
    "Pereira2018.384sentences-ridge-legacy",
    "Pereira2018.384sentences-ridge-shuffle",
    "Pereira2018.243sentences-linear-shuffle",
)
def test_conformance_of_the_same_on_the_other_experiment(identifier, check):
    check(identifier)
