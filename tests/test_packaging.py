import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from tests.workspace import PACKAGES, PLUGINS, ROOT, WITH_CARDS

from corteval import registry
from corteval.known_plugins import INSTALL


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_has_everything_a_package_needs(package):
    settings = tomllib.loads((package.folder / "pyproject.toml").read_text())
    assert settings["build-system"]["build-backend"] == "flit_core.buildapi"
    vendored = " AND ISC" if package.dist == "corteval" else ""  # the scripts of its pages
    assert settings["project"]["license"] == f"MIT{vendored}"
    assert settings["project"]["requires-python"] == ">=3.11"
    for name in ("README.md", "LICENSE", f"src/{package.module}/py.typed"):
        assert (package.folder / name).is_file(), name
    assert list((package.folder / "tests").glob("test_*.py"))
    assert (package.folder / "README.md").read_text().startswith(f"# {package.dist}")


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_dependencies_have_lower_bounds_only(package):
    for requirement in package.project["dependencies"]:
        assert re.fullmatch(r"[a-z0-9-]+(>=[0-9.]+)?", requirement), requirement


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugins_folder_says_its_kind_and_name(plugin):
    assert plugin.dist == f"corteval-{plugin.folder.name.replace('_', '-')}"
    groups = set(plugin.project.get("entry-points", {}))
    own = {f"corteval.{plugin.kind}", "corteval.hooks"}
    # a benchmark may bring a metric or data that nothing else has a use for; suites list benchmarks
    brought = {"corteval.metrics", "corteval.data", "corteval.suites"}
    assert groups <= (own | brought if plugin.kind == "benchmarks" else own)
    used_by = [p for p in PLUGINS if plugin.dist in p.declared]
    assert plugin.identifiers or plugin.provided("suites") or used_by


@pytest.mark.parametrize("plugin", WITH_CARDS, ids=str)
def test_conformance_is_tested_by_name(plugin):
    text = (plugin.folder / "tests" / "test_conformance.py").read_text()
    assert "@pytest.mark.conformance(" in text or "run_checks(" in text


def test_requirements_install_every_package():
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    listed = {line.removeprefix("-e ./").partition("[")[0] for line in lines if line[:2] == "-e"}
    assert listed == {str(package.folder.relative_to(ROOT)) for package in PACKAGES}
    assert "-c constraints.txt" in lines


def test_tool_settings_name_every_package():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert set(settings["mypy"]["packages"]) == {package.module for package in PACKAGES}
    assert set(settings["uv"]["sources"]) == {package.dist for package in PACKAGES}


def test_known_plugins_are_those_of_the_repository():
    for kind, table in INSTALL.items():
        provided = {name: plugin.dist for plugin in PLUGINS for name in plugin.provided(kind)}
        assert table == provided


def test_everything_installed_loads():
    assert [problem.reason for problem in registry.problems()] == []


def test_versions_are_one_fact():
    for package in PACKAGES:
        text = (package.source / "__init__.py").read_text()
        assert re.search(r'^__version__ = "\d+\.\d+\.\d+"$', text, re.M), package.dist


@pytest.mark.slow
@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_a_plugin_alone_with_core_has_all_it_needs(plugin, wheels, environment):
    """Installed as a user would, with what it declares and nothing else, everything is built.

    A model whose trained weights have to be given says so, and that is an answer too; so does a
    family that lists no members, asked for one that nobody has.
    """
    run = [sys.executable, "-m"]
    subprocess.run([*run, "venv", "--without-pip", environment / "venv"], check=True)
    python = environment / "venv" / "bin" / "python"
    subprocess.run(
        [*run, "pip", "--python", python, "install", "--quiet", "--no-compile"]
        + ["--find-links", str(wheels), "-c", ROOT / "constraints.txt", plugin.dist],
        check=True,
    )
    names = plugin.identifiers
    code = (
        f"import {plugin.module}\n"
        "from corteval import registry\n"
        "from corteval.errors import CortevalError, PluginError\n"
        "assert not registry.problems(), registry.problems()\n"
        f"cards = {{c.identifier: c for c in registry.KINDS[{plugin.kind!r}].where()}}\n"
        f"assert set({names!r}) <= set(cards), cards\n"
        f"for name in {names!r}:\n"
        "    members = getattr(cards[name], 'members', None)\n"
        "    full = name if members is None else '/'.join((name, *(members or ['nobody'])[:1]))\n"
        "    try:\n"
        f"        print(registry.KINDS[{plugin.kind!r}].create(full))\n"
        "    except PluginError:\n"
        "        raise\n"
        "    except CortevalError as error:\n"
        "        print(name, error)\n"
    )
    home = str(environment / "home")
    offline = {**os.environ, "CORTEVAL_OFFLINE": "1", "CORTEVAL_HOME": home}
    subprocess.run([python, "-c", code], check=True, cwd=environment, env=offline)


@pytest.fixture
def environment():
    """A folder that is gone after the test: with torch, sixty environments fill a disk."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Wheels of all packages of the repository."""
    folder = tmp_path_factory.mktemp("wheels")
    folders = [package.folder for package in PACKAGES]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        + ["--wheel-dir", folder, *folders],
        check=True,
    )
    return folder
