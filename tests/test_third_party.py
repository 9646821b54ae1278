"""A package from outside the repository, installed by pip, broken in six ways, uninstalled."""

import json
import shutil
import site
import subprocess
import sys

import pytest
from tests.workspace import ROOT

pytestmark = pytest.mark.slow

EXAMPLE = ROOT / "examples" / "lab-plugin"


class Environment:
    """A fresh environment that sees the packages of this one, so that only the plugin is new."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "venv" / "bin"
        run = [sys.executable, "-m", "venv", "--without-pip", folder / "venv"]
        subprocess.run(run, check=True)
        (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
        lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
        (site_packages / "parent.pth").write_text("\n".join(lines))

    def pip(self, *arguments):
        run = [sys.executable, "-m", "pip", "--python", self.bin / "python", *arguments]
        subprocess.run([*map(str, run), "--quiet", "--disable-pip-version-check"], check=True)

    def corteval(self, *arguments):
        run = [self.bin / "python", "-m", "corteval", *arguments]
        return subprocess.run(run, capture_output=True, text=True, cwd=self.folder, timeout=120)

    def identifiers(self):
        listing = json.loads(self.corteval("list", "--json").stdout)
        return {p["identifier"]: p["status"] for p in listing["plugins"]}

    def install(self, folder):
        self.pip("install", "--no-deps", "--no-build-isolation", folder)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("third-party"))


def copy(target, dist=None, **replacements):
    """The example with text replaced, as a distribution of its own name."""
    shutil.copytree(EXAMPLE, target)
    for path in target.rglob("*"):
        if path.is_file():
            text = path.read_text()
            for old, new in replacements.items():
                text = text.replace(old, new)
            if dist:
                text = text.replace("lab-plugin", dist).replace(
                    "lab_plugin", dist.replace("-", "_")
                )
            path.write_text(text)
    if dist:
        (target / "src" / "lab_plugin").rename(target / "src" / dist.replace("-", "_"))
    return target


def test_it_is_five_files():
    assert len([p for p in EXAMPLE.rglob("*") if p.is_file() and "__pycache__" not in str(p)]) == 5


def test_installed_it_is_listed_and_scores_and_uninstalled_it_vanishes(environment):
    environment.install(EXAMPLE)
    listed = environment.identifiers()
    assert listed["lab-edges"] == listed["LabData2026.V4-ridge"] == listed["LabData2026"] == "ok"
    done = environment.corteval("score", "LAB-edges,pixels", "labdata2026.*", "--json")
    assert done.returncode == 0, done.stderr
    own, pixels = json.loads(done.stdout)
    # the neurons like contrast, which is what the model measures; mean luminance knows nothing
    assert own["value"] > 0.4
    assert own["interval"]["low"] > pixels["interval"]["high"]
    check = environment.corteval("check", "lab-edges")
    assert check.returncode == 0, check.stdout + check.stderr

    environment.pip("uninstall", "--yes", "lab-plugin")
    assert not [name for name in environment.identifiers() if name.lower().startswith("lab")]
    gone = environment.corteval("score", "lab-edges", "LabData2026.V4-ridge")
    assert gone.returncode == 2
    assert "lab-edges" in gone.stderr


BREAKAGES = {
    "syntax error": ({"MODEL = ModelCard(": "MODEL = = ModelCard("}, "SyntaxError"),
    "missing import": (
        {"from corteval.cards import": "import a_package_nobody_has\nfrom corteval.cards import"},
        "a_package_nobody_has",
    ),
    "wrong interface": (
        {'summary="Local contrast': 'interface=99, summary="Local contrast'},
        "interface 99",
    ),
    "sys.exit at import": (
        {"from corteval.cards import": "import sys\nsys.exit(7)\nfrom corteval.cards import"},
        "sys.exit(7)",
    ),
}


@pytest.mark.parametrize("how", BREAKAGES)
def test_broken_at_import_all_else_works_and_doctor_says_why(environment, tmp_path, how):
    replacements, message = BREAKAGES[how]
    environment.install(copy(tmp_path / "broken", **replacements))
    try:
        listed = environment.identifiers()
        assert listed["lab-edges"] == "broken"
        assert listed["pixels"] == "ok"
        doctor = environment.corteval("doctor")
        assert doctor.returncode == 1
        assert message in doctor.stdout
        done = environment.corteval(
            "score",
            "lab-edges,pixels",
            "Marques2020.V1-preferred_orientation",
            "--json",
        )
        assert done.returncode == 3
        failed, other = json.loads(done.stdout)
        assert failed["status"] == "failed"
        assert message in failed["reason"]
        assert other["status"] == "undefined"
    finally:
        environment.pip("uninstall", "--yes", "lab-plugin")


def test_a_wrong_factory_fails_its_own_cells_only(environment, tmp_path):
    broken = copy(tmp_path / "broken", **{"lab_plugin.plugin:edges": "lab_plugin.plugin:no_such"})
    environment.install(broken)
    try:
        done = environment.corteval("score", "lab-edges,pixels", "LabData2026.V4-ridge", "--json")
        assert done.returncode == 3
        failed, pixels = json.loads(done.stdout)
        assert "no_such" in failed["reason"]
        assert pixels["status"] == "scored"
        for verb in (["check", "lab-edges"], ["doctor"]):
            answer = environment.corteval(*verb)
            assert answer.returncode == 1
            assert "no_such" in answer.stdout
    finally:
        environment.pip("uninstall", "--yes", "lab-plugin")


def test_a_duplicate_identifier_names_both_and_can_be_qualified(environment, tmp_path):
    environment.install(EXAMPLE)
    environment.install(copy(tmp_path / "twin", dist="twin-plugin"))
    try:
        assert environment.identifiers()["lab-edges"] == "duplicate"
        doctor = environment.corteval("doctor")
        assert "lab-edges@lab-plugin" in doctor.stdout
        assert "lab-edges@twin-plugin" in doctor.stdout
        benchmark = "LabData2026.V4-ridge@lab-plugin"
        ambiguous = environment.corteval("score", "lab-edges", benchmark)
        assert ambiguous.returncode != 0
        assert "twin-plugin" in ambiguous.stdout + ambiguous.stderr
        other = "Marques2020.V1-preferred_orientation"
        assert environment.corteval("score", "lab-edges@twin-plugin", other).returncode == 0
    finally:
        environment.pip("uninstall", "--yes", "lab-plugin", "twin-plugin")
