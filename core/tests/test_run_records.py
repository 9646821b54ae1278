"""Records, their index, cells and plans: without starting a process."""

import json
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from corteval import registry
from corteval.cards import ModelCard
from corteval.errors import OptionError, ScoreFormatError
from corteval.run import cells, index
from corteval.run.cells import Cell, key_of
from corteval.run.plan import Plan, make_plan
from corteval.run.records import Measured, Record, Records, folder_of
from corteval.score import Estimate, Provenance, Score
from corteval.testing import toys

CELL = Cell(model="toy-vision", benchmark="ToyData.IT-predictivity")


def record(value=0.5, model="toy-vision", key="k" * 64, seconds=1.0, **fields):
    score = Score(
        value=value,
        raw=Estimate(value=value, quantity="correlation"),
        samples=xr.DataArray(np.arange(3.0), dims=["neuroid"]),
        provenance=Provenance(digests={"stimuli": "d"}, seconds=seconds, started="2026-01-01"),
        model=model,
        benchmark=CELL.benchmark,
    )
    return Record(cell=replace(CELL, model=model), key=key, score=score, **fields)


@pytest.fixture
def kept(tmp_path):
    return Records(tmp_path / "records")


@pytest.fixture
def known():
    for cached in (cells.key_of, cells._benchmark, cells._side, cells._package_digest):
        cached.cache_clear()
    with toys.registered():
        yield
    for cached in (cells.key_of, cells._benchmark, cells._side, cells._package_digest):
        cached.cache_clear()


def test_a_record_reads_back_as_it_was(kept):
    made = record(measured=Measured(host="here", seconds=2.5, peak_bytes=7, run="r"))
    path = kept.add(made)
    back = kept.read(path)
    assert back.content() == made.content()
    assert (back.measured.host, back.measured.sequence) == ("here", 1)
    assert path.parent.name == "toy-vision" and path.stem == made.digest
    np.testing.assert_array_equal(back.score.samples, [0, 1, 2])


def test_when_and_where_a_score_was_computed_is_no_part_of_its_name(kept):
    first = kept.add(record(seconds=1.0, measured=Measured(host="a", started="2026")))
    again = kept.add(record(seconds=9.0, measured=Measured(host="b", started="2027")))
    assert first == again and kept.read(first).measured.host == "a"


def test_another_score_of_the_same_cell_is_a_new_record_and_the_old_one_stays(kept):
    paths = [kept.add(record(value)) for value in (0.9, 0.1, 0.5)]
    assert len(set(paths)) == 3 and [p.exists() for p in paths] == [True] * 3
    with index.opened(kept) as found:
        row = found.current("k" * 64)
    assert (row.value, row.sequence) == (0.5, 3)  # the last, not the highest


@pytest.mark.parametrize("n", range(12))
def test_a_digit_that_was_changed_is_found(kept, n):
    path = kept.add(record(0.123456))
    text = path.read_text()
    places = [i for i, c in enumerate(text) if c.isdigit()]
    at = places[n * len(places) // 12]
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :])
    with pytest.raises(ScoreFormatError):
        kept.read(path)


def test_a_record_under_another_name_or_with_another_model_is_found(kept):
    path = kept.add(record())
    renamed = path.rename(path.with_name("0" * 64 + ".json"))
    with pytest.raises(ScoreFormatError, match="under another name"):
        kept.read(renamed)
    moved = kept.folder / "other" / path.name
    moved.parent.mkdir()
    renamed.rename(moved)
    with pytest.raises(ScoreFormatError, match="in the folder of another"):
        kept.read(moved)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 2}', "1e309", "[" * 100_000])
def test_what_is_no_record_is_refused(kept, text):
    with pytest.raises(ScoreFormatError):
        Record.from_json(text)


def test_a_damaged_record_is_written_again_and_left_out_of_the_index_meanwhile(kept):
    path = kept.add(record())
    path.write_text(path.read_text()[:100])
    with index.opened(kept) as found:
        assert found.current("k" * 64) is None
    assert kept.add(record()) == path
    assert kept.read(path).score.value == 0.5


@pytest.mark.parametrize("damage", ["delete", "garbage", "version", "folder"])
def test_an_index_that_is_gone_or_damaged_is_made_anew(kept, damage):
    kept.add(record())
    with index.opened(kept):
        pass
    file = kept.folder / "index.sqlite"
    if damage == "delete":
        file.unlink()
    elif damage == "garbage":
        file.write_bytes(b"no database" * 500)
    elif damage == "version":
        with sqlite3.connect(file) as connection:
            connection.execute("pragma user_version=99")
    else:
        file.unlink()
        file.mkdir()
    with index.opened(kept) as found:
        assert found.current("k" * 64).value == 0.5


def test_an_index_that_another_process_holds_is_not_needed(kept):
    kept.add(record())
    with index.opened(kept):
        pass
    kept.add(record(0.7))
    holder = sqlite3.connect(kept.folder / "index.sqlite")
    holder.execute("begin exclusive")
    try:
        with index.opened(kept) as found:
            assert found.current("k" * 64).value == 0.7
    finally:
        holder.close()


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_folders_of_models_are_short_safe_and_different(first, second):
    names = [folder_of(name) for name in (first, second)]
    assert (names[0] == names[1]) == (first == second)
    assert names[0].casefold() != names[1].casefold() or first == second
    for name in names:
        assert 0 < len(name) <= 80 and name.isascii() and not name.startswith(".")
        assert not set(name) & set("/\\:\0 ")


def test_keys_tell_apart_what_may_change_a_score(known, monkeypatch):
    key = key_of(CELL)
    assert key == key_of(replace(CELL))
    assert key != key_of(replace(CELL, seed=1))
    card = registry.models.card("toy-vision")
    raised = replace(card, identifier="toy-vision-2", version=2)
    same = replace(card, identifier="toy-vision-2")
    seen = set()
    for other in (raised, same):
        with registry.models.temporary(other):
            cells.key_of.cache_clear()
            cells._side.cache_clear()
            seen.add(key_of(replace(CELL, model="toy-vision-2")))
    assert len(seen | {key}) == 3


def test_a_changed_file_of_a_plugin_changes_its_keys(tmp_path, monkeypatch, known):
    package = tmp_path / "a_plugin"
    package.mkdir()
    (package / "__init__.py").write_text("x = 1\n")
    (package / "table.csv").write_text("1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    digests = set()
    for name, text in (("table.csv", "1\n"), ("table.csv", "2\n"), ("more.py", "y = 1\n")):
        (package / name).write_text(text)
        cells._package_digest.cache_clear()
        digests.add(cells.source_digest(registry.Source("a-plugin", "1", "a_plugin.card:X")))
    assert len(digests) == 3


def test_a_plan_says_what_is_there_what_failed_and_what_cannot_be_done(known, kept):
    text = registry.models.card("toy-text").identifier
    kept.add(record(key=key_of(CELL), measured=Measured(seconds=12.0, peak_bytes=10)))
    with (
        registry.models.temporary(
            ModelCard(identifier="new", factory="a:b", summary="s", licence="MIT")
        ),
        index.opened(kept) as found,
    ):
        cells.key_of.cache_clear()
        plan = make_plan(["toy-vision", text, "new"], [CELL.benchmark], found)
    states = {k.cell.model: k.state for k in plan.known}
    assert states == {"toy-vision": "cached", text: "not applicable", "new": "missing"}
    (missing,) = [k for k in plan.known if k.state == "missing"]
    assert (missing.seconds, missing.peak_bytes) == (12.0, 10)
    assert "takes text" in next(k.reason for k in plan.known if k.cell.model == text)
    assert [t.kind for t in plan.tasks] == ["score"]


def test_cells_that_failed_are_planned_only_when_asked_for(known, kept):
    kept.add(record(key=key_of(CELL)))
    broken = Score.unscored("failed", "why", model=CELL.model, benchmark=CELL.benchmark)
    kept.add(Record(cell=CELL, key=key_of(CELL), score=broken))
    with index.opened(kept) as found:
        once = make_plan([CELL.model], [CELL.benchmark], found)
        again = make_plan([CELL.model], [CELL.benchmark], found, again=True)
    assert (len(once.tasks), len(again.tasks)) == (0, 1)
    assert once.known[0].state == "failed" and once.identity == again.identity


def test_what_several_cells_share_comes_first(known, kept):
    card = registry.benchmarks.card(CELL.benchmark)
    other = replace(card, identifier="ToyData.IT-other")
    models = [
        ModelCard(identifier=f"m{n}", factory="a:b", summary="s", licence="MIT") for n in range(2)
    ]
    with (
        registry.benchmarks.temporary(other),
        registry.models.temporary(*models),
        index.opened(kept) as found,
    ):
        plan = make_plan(["m0", "m1"], [card.identifier, other.identifier], found)
    assert [t.kind for t in plan.tasks] == [
        *["ceiling"] * 2, "prepare", "score", "score", "prepare", "score", "score",
    ]  # fmt: skip
    order = {task.identity: n for n, task in enumerate(plan.tasks)}
    assert len(order) == len(plan.tasks)
    for number, task in enumerate(plan.tasks):
        assert all(order[before] < number for before in task.after)
        assert len(task.after) == (2 if task.kind == "score" else 0)
    assert Plan.from_json(plan.to_json()).tasks == plan.tasks


def test_of_benchmarks_whose_recordings_cannot_be_made_before_one_goes_first(known, kept):
    card = registry.benchmarks.card(CELL.benchmark)
    others = [
        replace(card, identifier=f"ToyData.IT-{n}", factory="corteval.behavioural_benchmark:B")
        for n in "abc"
    ]
    names = [card.identifier, *(c.identifier for c in others)]
    with registry.benchmarks.temporary(*others), index.opened(kept) as found:
        plan = make_plan(["toy-vision"], names, found)
    assert [t.kind for t in plan.tasks] == ["score"] * 4
    _, first, *later = plan.tasks
    assert not first.after
    assert [t.after for t in later] == [(first.identity,)] * 2


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "x"}', '{"schema": "corteval.plan/1"}'])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises(OptionError, match="plan"):
        Plan.from_json(text)


def test_the_file_of_a_record_is_canonical_json(kept):
    text = kept.add(record()).read_text()
    parsed = json.loads(text)
    assert text == json.dumps(parsed, sort_keys=True, separators=(",", ":")) + "\n"
    assert parsed["content"]["score"]["provenance"]["seconds"] is None
