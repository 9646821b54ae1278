"""The conformance kit on small recordings in the archive's form."""

import pytest
from tests.archive_recordings import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """Private, public and temporal recordings."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        objects = {"object_name": lambda n: f"object-{n % 4}"}
        common = {"neuroids": {"V4": 6, "IT": 6}, "stimuli": 80, "trials": 6, "columns": objects}
        write(archive, "MajajHong2015.private", "hvm-private", **common)
        write(archive, "MajajHong2015.public", "hvm-public", **common)
        bins = [(start, start + 10) for start in range(70, 170, 10)]
        write(archive, "MajajHong2015.temporal.public", "hvm", bins=bins, **common)
        yield


@pytest.mark.conformance(
    "MajajHong2015.V4-pls-legacy",
    "MajajHong2015.IT-pls",
    "MajajHong2015.IT-pls-legacy2025",
    "MajajHong2015public.IT-pls",
    "MajajHong2015public.IT-ridge",
    "MajajHong2015public.IT-ridgecv",
    "MajajHong2015public.IT-rdm",
    "MajajHong2015public.IT-temporal-pls",
    "MajajHong2015public.IT-reverse_pls",
    "MajajHong2015public.temporal",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "MajajHong2015.V4-pls",
    "MajajHong2015.V4-pls-legacy2025",
    "MajajHong2015.IT-pls-legacy",
    "MajajHong2015public.V4-pls",
    "MajajHong2015public.V4-pls-legacy",
    "MajajHong2015public.V4-pls-legacy2025",
    "MajajHong2015public.V4-ridge",
    "MajajHong2015public.V4-ridgecv",
    "MajajHong2015public.V4-rdm",
    "MajajHong2015public.V4-temporal-pls",
    "MajajHong2015public.V4-reverse_pls",
    "MajajHong2015public.IT-pls-legacy",
    "MajajHong2015public.IT-pls-legacy2025",
)
def test_conformance_of_the_same_in_the_other_region(identifier, check):
    check(identifier)
