"""The conformance kit on few images and as many trials of each as the archive has."""

import pytest
from plugins.benchmarks.rajalingham2018.tests.rajalingham2018_files import written

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Six objects, ten images each, public and private."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        for seed, access in enumerate(["public", "private"]):
            written(archive, access, seed=seed)
        yield


@pytest.mark.conformance(
    "Rajalingham2018.public-fit",
    "Rajalingham2018.public-test",
    "Rajalingham2018-i2n",
    "Rajalingham2018public-i2n-legacy",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Rajalingham2018-i2n-legacy", "Rajalingham2018public-i2n")
def test_conformance_of_the_same_on_the_other_images(identifier, check):
    check(identifier)
