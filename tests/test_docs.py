"""Documents are tested: what they say runs, and what exists they say."""

import dataclasses
import os
import re
import shutil
import subprocess
import sys

import pytest
from tests.workspace import PLUGINS, ROOT

from corteval import hooks

README = (ROOT / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


def test_the_readme_has_exactly_two_commands_and_ten_lines_of_python():
    assert [len(block.strip().splitlines()) for block in blocks(README, "bash")] == [1, 1]
    (python,) = blocks(README, "python")
    assert len([line for line in python.splitlines() if line.strip()]) <= 10


def test_the_readmes_python_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (python,) = blocks(README, "python")
    exec(compile(python, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "of 0.96" in out
    assert "gabor-filterbank (modified)" in out
    assert (tmp_path / "score.json").stat().st_size > 1000


def test_the_model_of_the_plugin_guide_scores():
    import corteval

    blocks_of_code = blocks((ROOT / "docs" / "writing-plugins.md").read_text(), "python")
    (code,) = [block for block in blocks_of_code if "class Brightness" in block]
    names = {}
    exec(compile(code, "writing-plugins.md", "exec"), names)
    score = corteval.score(names["build"](), "Marques2020.V1-preferred_orientation")
    assert score.status == "undefined"
    assert "3 units mapped" in score.reason


def test_the_python_of_the_page_of_models_runs(mirror, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path))
    names = {}
    for code in blocks((ROOT / "docs" / "models.md").read_text(), "python"):
        exec(compile(code, "models.md", "exec"), names)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("<Score Sequential on Cowley2023.V4-ridge: 0.")
    assert second.startswith(
        "Sequential+ablation <Score Sequential+ablation on Cowley2023.V4-ridge"
    )


def test_every_model_package_is_on_the_page_of_models():
    text = (ROOT / "docs" / "models.md").read_text()
    for plugin in PLUGINS:
        assert plugin.kind != "models" or f"`{plugin.dist}`" in text


BENCHMARK_PAGE = (ROOT / "docs" / "benchmarks.md").read_text()


def test_every_benchmark_package_is_on_the_page_of_benchmarks():
    missing = [
        p.dist for p in PLUGINS if p.kind == "benchmarks" and f"`{p.dist}`" not in BENCHMARK_PAGE
    ]
    assert not missing


def test_the_card_on_the_page_of_benchmarks_makes_a_benchmark():
    from corteval import registry
    from corteval.cards import DataCard

    (code,) = blocks(BENCHMARK_PAGE, "python")
    names = {}
    exec(compile(code, "benchmarks.md", "exec"), names)
    data = DataCard(identifier="MyLab2026", factory="a:b", summary="", licence="MIT")
    with registry.data.temporary(data), registry.benchmarks.temporary(names["CARD"]):
        made = registry.benchmarks.create("MyLab2026.V4-ridge")
    assert made.requests()[0].target == "V4"


DATA_PAGE = (ROOT / "docs" / "data.md").read_text()


def test_every_data_package_is_on_the_page_of_data():
    for plugin in PLUGINS:
        assert plugin.kind != "data" or f"`{plugin.dist}`" in DATA_PAGE


def test_the_python_of_the_page_of_data_runs(mirror, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path))
    (code,) = blocks(DATA_PAGE, "python")
    exec(compile(code, "data.md", "exec"), {})
    assert "160 of image" in capsys.readouterr().out


def test_the_description_on_the_page_of_data_is_understood(tmp_path):
    from corteval.local.description import read_description

    (text,) = blocks(DATA_PAGE, "toml")
    (tmp_path / "dataset.toml").write_text(text)
    description = read_description(tmp_path)
    assert description.id == "MyLab2026"
    assert description.columns == {"text": "sentence"}


def test_every_key_of_a_description_is_a_flag_of_register():
    from dataclasses import fields

    from corteval.cli.local_data import register
    from corteval.local.description import Description, Responses

    flags = {parameter.name for parameter in register.params}
    keys = {field.name for kind in (Description, Responses) for field in fields(kind)}
    assert keys - {"id", "responses", "folder"} <= flags


METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text()


def test_every_metric_and_ceiling_is_on_the_page_of_metrics():
    from corteval import registry

    named = set(re.findall(r"`([^`\n]+)`", METRICS_PAGE))
    missing = [m.identifier for m in registry.metrics.plugins() if m.source.distribution]
    missing = [i for i in missing if i not in named and not i.startswith("toy-")]
    assert not missing


def test_the_python_of_the_page_of_metrics_runs(capsys):
    for code in blocks(METRICS_PAGE, "python"):
        exec(compile(code, "metrics.md", "exec"), {})
    *_, last = capsys.readouterr().out.splitlines()
    difference, low, high, p_value = map(float, last.split())
    assert low < difference < high
    assert 0 < p_value < 0.05


def test_every_hook_is_documented_with_its_event_and_fields():
    text = (ROOT / "docs" / "hooks.md").read_text()
    for event, hook in hooks._HOOK_OF.items():
        (line,) = [row for row in text.splitlines() if f"`{hook}(event)`" in row]
        assert f"`{event.__name__}`" in line
        for field in dataclasses.fields(event):
            assert field.name in line or field.name == "commands"


def test_every_verb_is_in_the_readme():
    from corteval.cli import VERBS

    for verb in VERBS:
        assert f"corteval {verb}" in README


def test_every_setting_is_documented():
    from corteval.settings import KNOWN

    text = README + (ROOT / "docs" / "writing-plugins.md").read_text()
    for name, (variable, _, _) in KNOWN.items():
        assert variable in text or f"--{name}" in text


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/*.py")), ids=lambda p: p.name)
def test_examples_run(path, tmp_path):
    subprocess.run([sys.executable, path], check=True, cwd=tmp_path, timeout=120)


@pytest.mark.slow
def test_the_readmes_first_command_works_in_a_fresh_copy_offline(tmp_path):
    """Everything a newcomer types, with no mirror and no network once packages are installed."""
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    command = blocks(README, "bash")[0].strip()
    install, _, score = command.rpartition(" && ")
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("CORTEVAL_", "VIRTUAL_ENV"))}
    plain["CORTEVAL_HOME"] = str(tmp_path / "home")
    subprocess.run(["bash", "-c", f"{install} --quiet"], cwd=tmp_path, env=plain, check=True)
    done = subprocess.run(
        ["bash", "-c", f". .venv/bin/activate && {score}"],
        cwd=tmp_path,
        env=plain | {"CORTEVAL_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in README  # the table it shows, to the digit
    assert not (tmp_path / "home" / "downloads").exists()
