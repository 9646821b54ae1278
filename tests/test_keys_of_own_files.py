"""Scores of models that are made of files of this machine are computed anew when those change."""

import pytest

from corteval import registry
from corteval.run import cells
from corteval.run.cells import Cell, key_of
from corteval_recorded import shelf
from corteval_recorded.options import Options

BENCHMARK = "Geirhos2019.edge-accuracy"


def key(model):
    for cached in (cells.key_of, cells._side):
        cached.cache_clear()
    return key_of(Cell(model=model, benchmark=BENCHMARK))


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "home"
    for cached in (cells.key_of, cells._side):
        cached.cache_clear()


def test_a_recording_that_is_replaced_or_matched_otherwise_has_another_key(tmp_path):
    table = tmp_path / "choices.csv"
    table.write_text("stimulus_id,choice\na.png,cat\n")
    shelf.add(table, name="lab", options=Options())
    first = key("recorded/lab")
    assert key("recorded/lab") == first != key("recorded/example")
    shelf.add(table, name="lab", options=Options(match="stem"), overwrite=True)
    second = key("recorded/lab")
    table.write_text("stimulus_id,choice\na.png,dog\n")
    shelf.add(table, name="lab", options=Options(match="stem"), overwrite=True)
    assert len({first, second, key("recorded/lab")}) == 3


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("near/config.json", "hf/near"),
        ("near/config.json", "hf/near-untrained-seed1"),
        ("near/config.json", "localized/hf/near"),
        ("near/config.json", "localized/topolm/random3/hf/near"),
        ("home/provided/embeddings/words.vec", "embeddings/words"),
        ("home/provided/embeddings/words.vec", "embeddings/words-untrained-seed2"),
        ("home/recurrent/mine/model.json", "recurrent/mine"),
        ("home/recurrent/mine/model.json", "recurrent/mine-untrained-seed1"),
    ],
)
def test_a_file_that_changes_changes_the_key(tmp_path, name, model):
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    before = key(model)
    assert registry.own_files(model) and key(model) == before
    path.write_text("{ }")
    assert key(model) != before


@pytest.mark.parametrize("model", ["hf/gpt2", "pixels", "recorded/nobody", "embeddings/nobody"])
def test_without_files_here_there_is_a_key_all_the_same(model):
    assert registry.own_files(model) == ()
    assert key(model)
