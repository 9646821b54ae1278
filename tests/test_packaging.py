import contextlib
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest
from tests.workspace import PACKAGES, PLUGINS, ROOT, WITH_CARDS, name_of

from corteval import registry
from corteval.known_plugins import INSTALL

PIP = (sys.executable, "-m", "pip")


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


def from_elsewhere(package):
    """What has to come from an index for a package: its requirements and those of ours it needs."""
    needed, found = [package], set()
    while needed:
        for requirement in needed.pop().project["dependencies"]:
            own = [p for p in PACKAGES if p.dist == name_of(requirement)]
            needed += own
            found |= set() if own else {requirement}
    return found


def by_what_comes_from_elsewhere():
    """(requirements, plugin), those together for which an index has to give the same."""
    together = {}
    for plugin in PLUGINS:
        requirements = from_elsewhere(plugin)
        names = frozenset(map(name_of, requirements))
        bounds, plugins = together.setdefault(names, (set(), []))
        bounds |= requirements
        plugins.append(plugin)
    return [
        pytest.param(bounds, plugin, id=plugin.dist)
        for bounds, plugins in together.values()
        for plugin in plugins
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("requirements", "plugin"), by_what_comes_from_elsewhere())
def test_a_plugin_alone_with_core_has_all_it_needs(
    requirements, plugin, wheels, elsewhere, environment
):
    """Installed as a user would, with what it declares and nothing else, everything is built.

    A model whose trained weights have to be given says so, and that is an answer too; so does a
    family that lists no members, asked for one that nobody has.
    """
    python = environment / "venv" / "bin" / "python"
    (site,) = (environment / "venv").glob("lib/*/site-packages")
    (site / "elsewhere.pth").write_text(f"{elsewhere(requirements)}\n")
    subprocess.run(
        [*PIP, "--python", python, "install", "--quiet", "--no-compile", "--no-index"]
        + ["--find-links", str(wheels), plugin.dist],
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
    """A folder with a virtual environment, gone after the test."""
    with tempfile.TemporaryDirectory() as folder:
        yield with_venv(Path(folder))


@pytest.fixture(scope="module")
def elsewhere():
    """Folder with requirements, which the index resolves once for all plugins that have them.

    One at a time: several with torch fill a disk.
    """
    with contextlib.ExitStack() as last:
        made = {}

        def site_of(requirements):
            wanted = tuple(sorted(requirements))
            if wanted not in made:
                last.close()
                made.clear()
                folder = Path(last.enter_context(tempfile.TemporaryDirectory()))
                python = with_venv(folder) / "venv" / "bin" / "python"
                subprocess.run(
                    [*PIP, "--python", python, "install", "--quiet", "--no-compile"]
                    + ["-c", ROOT / "constraints.txt", *wanted],
                    check=True,
                )
                (made[wanted],) = folder.glob("venv/lib/*/site-packages")
            return made[wanted]

        yield site_of


def with_venv(folder):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    return folder


@pytest.fixture(scope="session")
def wheels(tmp_path_factory):
    """Wheels of all packages of the repository, as their one build backend makes them."""
    folder = tmp_path_factory.mktemp("wheels")
    code = (
        "import os, sys\n"
        "from flit_core.buildapi import build_wheel\n"
        "for package in sys.argv[2:]:\n"
        "    os.chdir(package)\n"
        "    build_wheel(sys.argv[1])\n"
    )
    folders = [package.folder for package in PACKAGES]
    subprocess.run([sys.executable, "-c", code, folder, *folders], check=True)
    return folder
