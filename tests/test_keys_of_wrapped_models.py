"""Scores of models made of others, or of shared packages, are computed anew when those change."""

import json
from pathlib import Path

import pytest

from corteval import registry, settings
from corteval.cli import main
from corteval.errors import UnknownIdentifier
from corteval.run import cells
from corteval.run.cells import Cell, key_of
from corteval.run.records import Records

READING = Path(__file__).parents[1] / "core" / "tests" / "reading_benchmark.py"
BENCHMARK = "ToyReading.language-predictivity"
INNER = """
from dataclasses import replace

from corteval.cards import ModelCard
from corteval_localizer.example import letters

CARD = ModelCard(
    identifier="inner",
    factory=f"{__name__}:build",
    summary="s",
    licence="MIT",
    modalities=frozenset({"text"}),
)


def build(release=1):
    return letters()
"""

OTHER = """
from corteval.cards import DataCard

CARD = DataCard(
    identifier="Other", factory=f"{__name__}:build", summary="s", licence="MIT", modality="text"
)
"""


def forget():
    for cached in (cells.key_of, cells._side, cells._benchmark):
        cached.cache_clear()
    for cached in (cells._package_digest, cells._required):
        cached.cache_clear()


def key(model):
    forget()
    registry.reload()
    return key_of(Cell(model=model, benchmark=BENCHMARK))


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """A folder of one-file plugins: a benchmark, and the model `inner`."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "reading.py").write_text(READING.read_text())
    (folder / "inner.py").write_text(INNER)
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(folder))
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    yield folder
    monkeypatch.undo()
    forget()
    registry.reload()


@pytest.mark.parametrize(
    "model", ["localized/inner", "localized/topolm/random3/inner", "localized/inner:top=5"]
)
def test_a_changed_inner_plugin_changes_the_key_and_the_same_one_does_not(plugins, model):
    before = key(model)
    assert key(model) == before
    (plugins / "inner.py").write_text(INNER.replace("letters()", "replace(letters(), notes=())"))
    assert key(model) != before
    (plugins / "inner.py").write_text(INNER)
    assert key(model) == before


@pytest.mark.parametrize(
    ("old", "new"), [('licence="MIT",', 'licence="MIT",\n    version=2,'), ('"s"', '"another"')]
)
def test_a_changed_card_of_the_inner_model_changes_the_key(plugins, old, new):
    before = key("localized/inner")
    (plugins / "inner.py").write_text(INNER.replace(old, new))
    assert key("localized/inner") != before


def test_options_go_to_the_localizer_or_to_the_model(plugins):
    found = {key(f"localized/inner{o}") for o in ("", ":top=5", ":release=2", ":release=1")}
    assert len(found) == 4
    registry.reload()
    assert registry.wrapped_models("localized/inner:top=5:release=2") == ("inner:release=2",)
    assert registry.models.create("localized/inner:release=2").identifier == "localized/inner"


def test_data_that_an_option_names_are_in_the_key(plugins):
    model = "localized/inner:data=Other"
    (plugins / "other.py").write_text(OTHER)
    before = key(model)
    assert before != key("localized/inner:data=ToyContrast")
    (plugins / "other.py").write_text(OTHER + "# another release\n")
    assert key(model) != before
    (plugins / "other.py").write_text(OTHER)
    assert key(model) == before


def test_an_inner_model_that_nobody_has_installed_is_told(plugins):
    with pytest.raises(UnknownIdentifier, match="'inexistent'"):
        key("localized/inexistent")


def test_a_changed_inner_plugin_makes_a_new_record_and_the_old_one_stays(plugins, tmp_path, capfd):
    model = "localized/inner:data=ToyContrast:top=5"

    def run():
        forget()
        registry.reload()
        arguments = ("run", model, BENCHMARK, "--executor", "serial", "--isolate", "none")
        assert main([*arguments, "-q", "--json"]) == 0
        return json.loads(capfd.readouterr().out)

    assert run()["computed"] == 1
    assert run()["cached"] == 1
    (plugins / "inner.py").write_text(INNER + "\n# another release\n")
    assert run()["computed"] == 1
    kept = Records(tmp_path / "home" / "records")
    records = [*map(kept.read, kept.paths())]
    assert len({record.key for record in records}) == len(records) == 2
    assert {record.cell.model for record in records} == {model}


# Packages that a plugin requires


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Installed distributions: a model that requires a package that requires another."""

    def install(name, requires=(), version="1.0"):
        package = tmp_path / "site" / name.replace("-", "_")
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(f'"""{name}."""\n')
        info = tmp_path / "site" / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        lines = [f"Requires-Dist: {text}\n" for text in requires]
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (info / "METADATA").write_text(head + "".join(lines))
        return package

    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "site")
    install("corteval-labmodel", ["Corteval_LabShared>=1.0; python_version > '3'", "numpy>=1"])
    shared = install("corteval-labshared", ["corteval-labdeep (>=1)", "corteval-absent"])
    deep = install("corteval-labdeep", ["corteval-labmodel", "corteval-labextra; extra == 'x'"])
    install("corteval-labextra")
    yield shared, deep
    forget()


def test_packages_that_a_plugin_requires_are_in_its_key(site):
    forget()
    before = cells._required("corteval-labmodel")
    assert {*before} == {"corteval-labshared", "corteval-labdeep"}
    assert {version for version, _ in before.values()} == {"1.0"}
    for package in site:
        forget()
        (package / "__init__.py").write_text("# another release\n")
        after = cells._required("corteval-labmodel")
        assert after != before
        before = after


@pytest.mark.parametrize(
    ("distribution", "required"),
    [
        ("corteval-vonenet", {"corteval-cornet", "corteval-pytorch"}),
        ("corteval-suma", {"corteval-localizer", "corteval-pytorch", "corteval-fedorenko2010"}),
        ("corteval-transformers", {"corteval-pytorch"}),
        ("corteval-minilm", {"corteval-transformers", "corteval-pytorch"}),
    ],
)
def test_models_on_the_packages_of_others_have_them_in_their_key(distribution, required):
    found = cells._required(distribution)
    assert required <= found.keys()
    assert all(len(digest) == 64 for _, digest in found.values())
