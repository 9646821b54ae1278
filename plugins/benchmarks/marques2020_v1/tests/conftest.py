"""An imitation of the archive with the recorded units and textures, for a whole module."""

import pytest

from corteval_brainscore.imitation import imitated
from corteval_marques2020.imitation import add_freemanziemba2013, add_ringach2002


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Archive with Ringach2002, FreemanZiemba2013_V1_properties and its textures, full size."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        add_ringach2002(archive)
        add_freemanziemba2013(archive)
        yield archive
