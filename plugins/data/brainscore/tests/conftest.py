"""An archive of a test's own, and the registries as they were recorded."""

import csv
import hashlib
import os
from pathlib import Path

import pytest

from corteval_brainscore import imitation


@pytest.fixture(scope="session")
def formats():
    """Writers of the archive's formats, for tests that make files of their own."""
    return {
        "netcdf": imitation.netcdf,
        "csv": imitation.flat_csv,
        "zip": imitation.flat_zip,
        "png": imitation.picture,
        "sha1": lambda body: hashlib.sha1(body).hexdigest(),
    }


@pytest.fixture(scope="session")
def registry_rows():
    """Rows of the registries as they were recorded, by independent code."""

    def load(name):
        path = Path(__file__).parents[4].parent / "shared" / "reference" / name
        if not path.is_file() and os.environ.get("CORTEVAL_REQUIRE_DATA") == "1":
            pytest.fail(f"no registry at {path}, but CORTEVAL_REQUIRE_DATA=1")
        if not path.is_file():
            pytest.skip(f"no registry at {path}")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return load
