"""The conformance kit on small recordings in the archive's form."""

import pytest
from tests.archive_recordings import write

from corteval_brainscore.imitation import imitated


@pytest.fixture(scope="module", autouse=True)
def files(tmp_path_factory):
    """All three recordings."""
    with imitated(tmp_path_factory.mktemp("archive")) as archive:
        for name, shown in (
            ("Sanghavi2020", "hvm"),
            ("SanghaviJozwik2020", "BOLD5000"),
            ("SanghaviMurty2020", "Rust2012"),
        ):
            write(
                archive,
                name,
                shown,
                neuroids={"V4": 6, "IT": 6},
                stimuli=80,
                trials=6,
                bins=[(70, 170), (170, 270)],
                columns={"object_name": lambda n: f"object-{n % 4}"},
            )
        yield


@pytest.mark.conformance(
    "Sanghavi2020.V4-pls",
    "SanghaviJozwik2020.IT-pls",
    "SanghaviMurty2020.IT-pls-legacy",
)
def test_conformance(identifier, check):
    check(identifier)


@pytest.mark.slow
@pytest.mark.conformance(
    "Sanghavi2020.V4-pls-legacy",
    "Sanghavi2020.IT-pls",
    "Sanghavi2020.IT-pls-legacy",
    "SanghaviJozwik2020.V4-pls",
    "SanghaviJozwik2020.V4-pls-legacy",
    "SanghaviJozwik2020.IT-pls-legacy",
    "SanghaviMurty2020.V4-pls",
    "SanghaviMurty2020.V4-pls-legacy",
    "SanghaviMurty2020.IT-pls",
)
def test_conformance_of_the_same_in_the_other_region_and_form(identifier, check):
    check(identifier)
