"""The conformance kit on similarities in the archive's form."""

import numpy as np
import pytest
from plugins.benchmarks.coggan2024_fmri.tests.coggan2024_fmri_files import drawn, write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """24 images and nine people, as published."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, drawn()[1], np.random.default_rng(1).permutation(24))
        yield


@pytest.mark.conformance("Coggan2024_fMRI.IT-rdm")
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance("Coggan2024_fMRI.IT-rdm-legacy")
def test_conformance_of_the_published_share(identifier, check):
    check(identifier)
