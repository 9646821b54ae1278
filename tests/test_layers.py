"""The layering rules of the design, each as a test over imports."""

import sys

import pytest
from tests.workspace import CORE, PACKAGES, PLUGINS, WITH_CARDS, imports

#: From the bottom up; a module imports from its own layer and those below.
LAYERS = [
    {"errors"},
    {
        "settings",
        "cards",
        "requests",
        "known_plugins",
        "discovery",
        "memory",
        "notebook",
        "model_options",
    },
    {"registered"},
    {"registry", "hooks"},
    {"stimuli", "assembly", "intervals", "score", "screen", "units"},
    {"stimulus_part", "over_time", "answers"},
    {"reading", "perturbation", "readouts", "surprisal"},
    {"fetch", "store"},  # below benchmarks, which keep ceilings in the store
    {"commitment"},
    {"ceiling_store"},
    {"model", "benchmark", "behavioural_benchmark", "metric", "data", "nuisances"},
    {"scoring", "sharing", "suites"},
    {"stats"},
    {"local", "controls"},
    {"run"},
    {"report"},
    {"layers", "layer_names", "layer_map", "layer_curve"},
    {"testing"},
    {"cli", "__main__"},
]
LAYER = {name: level for level, names in enumerate(LAYERS) for name in names}

LISTING = [name for level in LAYERS[:4] for name in sorted(level)]

#: Import name -> distribution, where they differ.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "importlib_metadata": "importlib-metadata",
}

CORE_FILES = [p for p in sorted(CORE.source.rglob("*.py")) if p != CORE.source / "__init__.py"]
SOURCES = [(package, path) for package in PACKAGES for path in sorted(package.source.rglob("*.py"))]


def part_of_core(path):
    return path.relative_to(CORE.source).parts[0].removesuffix(".py")


def core_parts(path):
    """Parts of core that a file imports."""
    found = {name.split(".")[1] for name in imports(path) if name.startswith("corteval.")}
    return found & set(LAYER)


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda p: str(p.relative_to(CORE.source)))
def test_core_imports_downwards_only(path):
    own = part_of_core(path)
    upwards = {part for part in core_parts(path) if LAYER[part] > LAYER[own]}
    assert not upwards


@pytest.mark.parametrize("path", CORE_FILES, ids=lambda p: str(p.relative_to(CORE.source)))
def test_core_imports_no_plugin_and_no_deep_learning_library(path):
    forbidden = {plugin.module for plugin in PLUGINS} | {"torch", "timm", "transformers"}
    assert not {name.split(".")[0] for name in imports(path)} & forbidden


@pytest.mark.parametrize("name", LISTING)
def test_what_listing_needs_is_light(name):
    allowed = {"corteval", "pluggy", "importlib_metadata", *sys.stdlib_module_names}
    assert {n.split(".")[0] for n in imports(CORE.source / f"{name}.py")} <= allowed


@pytest.mark.parametrize(("package", "path"), SOURCES, ids=lambda x: getattr(x, "name", str(x)))
def test_every_import_is_declared_by_its_package(package, path):
    tops = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names)
    optional = {"pytest", "hypothesis"} if part_is_testing(path) else set()
    assert distributions(tops - optional) <= package.declared | package.optional | {package.dist}


@pytest.mark.parametrize(("package", "path"), SOURCES, ids=lambda x: getattr(x, "name", str(x)))
def test_what_an_extra_installs_is_imported_only_where_it_is_used(package, path):
    tops = {name.split(".")[0] for name in imports(path, at_once=True)}
    assert not distributions(tops) & (package.optional - package.declared)


def distributions(tops):
    return {DISTRIBUTIONS.get(top, top.replace("_", "-")) for top in tops}


def part_is_testing(path):
    return CORE.source / "testing" in path.parents


@pytest.mark.parametrize("plugin", WITH_CARDS, ids=str)
def test_cards_import_the_standard_library_and_cards_only(plugin):
    names = imports(plugin.source / "card.py") | imports(plugin.source / "__init__.py")
    own = {
        n for n in names if (plugin.source / f"{n.removeprefix(plugin.module + '.')}.py").is_file()
    }
    for name in own:  # a card may be spread over modules as light as itself
        names |= imports(plugin.source / f"{name.removeprefix(plugin.module + '.')}.py")
    names = {n for n in names if n != plugin.module and not n.startswith(tuple(own) or "-")}
    tops = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert tops <= {"corteval"}
    assert {n for n in names if n.startswith("corteval")} <= {
        "corteval.cards",
        *(f"corteval.cards.{n}" for n in dir(__import__("corteval.cards").cards)),
    }


@pytest.mark.parametrize("plugin", PLUGINS, ids=str)
def test_benchmarks_know_no_models(plugin):
    """The mathematics of metric and data packages that they declare may be used, not of models."""
    if plugin.kind != "benchmarks":
        return
    others = {p.module for p in PLUGINS if p.kind == "models"}
    used = {name.split(".")[0] for path in plugin.source.rglob("*.py") for name in imports(path)}
    assert not used & others
