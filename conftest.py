"""Fixtures of all tests: an isolated home, and data that may or may not be at hand."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes says how busy the machine is, with a test on every core
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

ROOT = Path(__file__).parent
SHARED = ROOT.parent / "shared"


def _absent(reason: str) -> None:
    """Skip, or fail where the data must be there."""
    if os.environ.get("CORTEVAL_REQUIRE_DATA") == "1":
        pytest.fail(f"{reason}, but CORTEVAL_REQUIRE_DATA=1")
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """Nothing a test does reaches the user's own folder or settings."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORTEVAL_HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.delenv("CORTEVAL_PLUGIN_PATH", raising=False)
        yield folder


@pytest.fixture(scope="session")
def mirror():
    """Folder of real data, in force as CORTEVAL_MIRROR."""
    named = os.environ.get("CORTEVAL_MIRROR")
    folder = Path(named).resolve() if named else SHARED / "mirror"
    if not folder.is_dir():
        _absent(f"no mirror of the public data at {folder}; set CORTEVAL_MIRROR")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORTEVAL_MIRROR", str(folder))
        yield folder


@pytest.fixture(scope="session")
def reference():
    """Numbers computed by independent code: `reference("marques2020.json")`."""

    def load(name):
        path = SHARED / "reference" / name
        if not path.is_file():
            _absent(f"no reference numbers at {path}")
        return json.loads(path.read_text())

    return load


@pytest.fixture
def archive(tmp_path):
    """An empty imitation of Brain-Score's archive, in force for one test; with a home of its own.

    See `corteval_brainscore.imitation.Imitation`.
    """
    from corteval_brainscore.imitation import imitated

    folder = tmp_path / "archive"
    folder.mkdir()
    with imitated(folder) as made:
        yield made
