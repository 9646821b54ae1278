import json
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from corteval import models
from corteval.cli import main
from corteval.errors import (
    AssemblyError,
    DuplicateIdentifier,
    InvalidIdentifier,
    OptionError,
    UnknownIdentifier,
    WrongContent,
)
from corteval.model import perform
from corteval.requests import Label
from corteval.testing import toys
from corteval_recorded import Options, shelf

PETS = Label(("dog", "car"))


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "of a person.csv"
    rows = "".join(f"{name},dog,s1,{n}\n" for n, name in enumerate(toys.images().stimulus_ids))
    path.write_text(f"stimulus_id,choice,subject,trial\n{rows}")
    return path


def run(capsys, *arguments):
    code = main(["recorded", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_recording_becomes_a_subject_and_the_file_may_go(table):
    shelf.add(table, "human-01", Options(), licence="CC-BY-4.0")
    table.unlink()
    human = models.create("recorded/human-01")
    assert human.identifier == "recorded/human-01"
    assert set(perform(human, toys.images(), PETS).values) == {"dog"}
    assert any("of a person.csv (SHA-256 " in note for note in human.notes)


def test_the_manifest_says_what_was_kept(table):
    import hashlib

    made = shelf.add(table, "human-01", Options(match="stem"), licence="CC-BY-4.0", source="lab")
    assert shelf.manifest("human-01") == made
    assert made.sha256 == hashlib.sha256(table.read_bytes()).hexdigest()
    assert (made.rows, made.stimuli, made.subjects, made.choices) == (7, 7, ("s1",), ("dog",))
    assert (made.licence, made.source, made.original) == ("CC-BY-4.0", "lab", "of a person.csv")
    text = (shelf.folder() / "human-01" / "manifest.json").read_text()
    assert json.loads(text)["schema"] == "corteval.recorded/1"
    assert str(table.parent) not in text.replace(made.original, "")  # no paths of the user's


def test_recordings_are_for_their_owner_only(table, own_home):
    shelf.add(table, "human-01", Options())
    for folder in (shelf.folder(), shelf.folder() / "human-01"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert shelf.folder().parent == own_home


def test_a_refused_file_leaves_nothing_behind(table):
    table.write_text("stimulus_id,choice\na,dog\na,car\n")
    with pytest.raises(AssemblyError, match="several trials"):
        shelf.add(table, "human-01", Options())
    table.write_text("stimulus_id,choice\na,\n")
    with pytest.raises(AssemblyError, match=r"of a person.csv: 1 rows have no choice"):
        shelf.add(table, "human-01", Options())
    with pytest.raises(OptionError, match="cannot be copied: No such file"):
        shelf.add(table.with_name("absent.csv"), "human-01", Options())
    assert list(shelf.folder().iterdir()) == []


def test_names_are_taken_once_whatever_their_case(table):
    shelf.add(table, "human-01", Options())
    with pytest.raises(DuplicateIdentifier, match="rm human-01"):
        shelf.add(table, "Human-01", Options())
    with pytest.raises(DuplicateIdentifier, match="'example' already"):
        shelf.add(table, "Example", Options(), overwrite=True)
    for name in ("../x", "a/b", ".hidden", "", "a b"):
        with pytest.raises(InvalidIdentifier):
            shelf.add(table, name, Options())


def test_a_recording_is_replaced_when_asked(table):
    shelf.add(table, "human-01", Options())
    table.write_text(table.read_text().replace("dog", "car"))
    shelf.add(table, "human-01", Options(), overwrite=True)
    answer = perform(models.create("recorded/human-01"), toys.images(), PETS)
    assert set(answer.values) == {"car"}
    assert [p.name for p in shelf.folder().iterdir()] == ["human-01"]


def test_of_many_who_add_one_name_one_succeeds(table):
    def attempt(number):
        try:
            shelf.add(table, "human-01", Options(seed=number))
        except DuplicateIdentifier:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        done = [n for n in pool.map(attempt, range(8)) if n is not None]
    assert len(done) == 1
    assert shelf.manifest("human-01").options["seed"] == done[0]
    assert [p.name for p in shelf.folder().iterdir()] == ["human-01"]


def test_a_file_that_changed_is_not_replayed(table):
    made = shelf.add(table, "human-01", Options())
    kept = shelf.folder() / "human-01" / made.file
    kept.write_text(kept.read_text().replace("dog", "car", 1))
    with pytest.raises(WrongContent, match=r"changed since it was added.*--replace"):
        models.create("recorded/human-01")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": "other"}', "null"])
def test_a_damaged_manifest_is_reported_and_can_be_removed(table, text, capsys):
    shelf.add(table, "good", Options())
    shelf.add(table, "bad", Options())
    (shelf.folder() / "bad" / "manifest.json").write_text(text)
    with pytest.raises(WrongContent, match="manifest of the recording bad cannot be used"):
        models.create("recorded/bad")
    code, out, err = run(capsys, "ls")
    assert code == 0 and "recorded/good" in out and "recorded/bad is broken" in err
    shelf.remove("bad")
    assert shelf.names() == ["good"]


def test_a_manifest_cannot_name_a_file_elsewhere(table):
    shelf.add(table, "human-01", Options())
    path = shelf.folder() / "human-01" / "manifest.json"
    content = json.loads(path.read_text()) | {"file": "../../secret.csv"}
    path.write_text(json.dumps(content))
    with pytest.raises(WrongContent, match="secret"):
        models.create("recorded/human-01")


def test_an_unknown_recording_is_answered_with_close_names(table):
    shelf.add(table, "human-01", Options())
    with pytest.raises(UnknownIdentifier, match="Did you mean human-01"):
        models.create("recorded/human-10")
    with pytest.raises(InvalidIdentifier):
        models.create("recorded/a/b")
    with pytest.raises(OptionError, match="part of the package"):
        shelf.remove("example")


def test_what_killed_processes_left_goes_with_the_recording(table):
    shelf.add(table, "human-01", Options())
    left = shelf.folder() / ".human-01.0123abcd.unfinished"
    left.mkdir()
    (left / "records.csv").write_text("private")
    assert shelf.names() == ["human-01"]
    shelf.remove("human-01")
    assert list(shelf.folder().iterdir()) == []


def test_the_rule_to_match_by_can_be_changed_when_it_is_used(table):
    shelf.add(table, "human-01", Options())
    assert models.create("recorded/human-01", match="stem").options.match == "stem"
    assert models.create("recorded/example", match="name").options.match == "name"


def test_the_command_line_adds_lists_and_removes(table, capsys):
    code, out, _ = run(capsys, "add", table, "--id", "human-01", "--licence", "CC0-1.0")
    assert code == 0
    assert out.splitlines()[0] == "recorded/human-01"
    assert "stimuli   7, matched by exact" in out
    code, out, _ = run(capsys, "ls")
    assert code == 0 and "recorded/human-01" in out and "CC0-1.0" in out
    code, out, _ = run(capsys, "rm", "recorded/human-01")
    assert (code, out) == (0, "recorded/human-01 is removed\n")
    assert shelf.names() == []


def test_every_verb_speaks_json(table, capsys):
    code, out, _ = run(capsys, "add", table, "--id", "h", "--subject", "s1", "--json")
    found = json.loads(out)
    assert (code, found["schema"]) == (0, "corteval.recorded-add/1")
    assert found["recording"]["options"]["observer"] == "s1"
    code, out, _ = run(capsys, "ls", "--json")
    assert [r["name"] for r in json.loads(out)["recordings"]] == ["h"]
    code, out, _ = run(capsys, "rm", "h", "--json")
    assert json.loads(out) == {"schema": "corteval.recorded-rm/1", "removed": ["h"]}
    code, out, _ = run(capsys, "rm", "h", "--json")
    assert (code, json.loads(out)["error"]["type"]) == (2, "UnknownIdentifier")


def test_options_of_responses_are_taken_from_the_command_line(tmp_path, capsys):
    path = tmp_path / "units.tsv"
    path.write_text("stimulus_id\tu\na\t1\nb\t2\n")
    code, _, err = run(capsys, "add", path, "--id", "units")
    assert code == 2 and "--target V4" in err
    arguments = ("--target", "V4", "--target", "IT", "--time-bin", "70", "170", "--policy", "mean")
    code, out, _ = run(capsys, "add", path, "--id", "units", *arguments, "--json")
    assert code == 0
    options = json.loads(out)["recording"]["options"]
    assert options["targets"] == ["V4", "IT"] and options["time_bins"] == [[70.0, 170.0]]
    assert models.create("recorded/units").options.time_bins == ((70.0, 170.0),)


def test_the_verb_is_offered_and_the_example_is_listed(capsys):
    assert main(["--help"]) == 0
    assert "Keep recorded subjects." in capsys.readouterr().out
    assert main(["info", "recorded"]) == 0
    assert "members       example" in capsys.readouterr().out
