"""The conformance kit on images in the archive's form.

No representation reaches the published ceiling, so there are no ideal responses, and the checks
that need them are skipped; `test_islam2021` has the largest share there is, and chance.
"""

import pytest
from plugins.benchmarks.islam2021.tests.islam2021_files import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """A photograph of each of twenty shapes, in five textures."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        write(archive, photographs=1)
        yield


@pytest.mark.conformance(
    "Islam2021-shape_it_dimensionality",
    "Islam2021-texture_v1_dimensionality",
)
def test_conformance(identifier, check):
    check(identifier)
