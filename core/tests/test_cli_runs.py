"""What the command line tells of a run at its end, and afterwards of its cells alone."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from corteval import registry, settings
from corteval.cards import ModelCard
from corteval.cli import main, notes, run_scores
from corteval.run.records import Records
from corteval.score import Score
from corteval.testing import toys

BENCHMARK = "ToyData.IT-predictivity"
OWN = ("--executor", "serial", "--isolate", "none", "-q")


def build(act="scores", width=3, weights=None):
    del width, weights
    if act == "fails" or (act == "heals" and not (settings.home().parent / "mended").exists()):
        raise RuntimeError("the model fell over")
    return replace(toys.vision(), notes=("a note of every twin",))


def card(name, *, weights_to_get=False, **options):
    return ModelCard(
        identifier=name,
        factory=f"{__name__}:build",
        options=options,
        summary="A toy",
        licence="MIT",
        weights_to_get=weights_to_get,
    )


MODELS = (
    card("twin-a"),
    card("twin-b"),
    card("falls", act="fails"),
    card("heals", act="heals"),
    card("given", weights_to_get=True, act="fails"),
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("CORTEVAL_MIRROR", raising=False)
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    with toys.registered(), registry.models.temporary(*MODELS):
        yield tmp_path / "home"


@pytest.fixture
def call(home, capfd):
    def call(*arguments):
        code = main(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


def test_a_run_ends_with_the_table_of_score_and_why_cells_have_no_score(call):
    done = call("run", "twin-a,toy-text,falls", BENCHMARK, *OWN)
    assert done.code == 3
    header, *lines = done.out.splitlines()
    asked = call("score", "twin-a", BENCHMARK, "-q")
    assert header.split()[:3] == asked.out.splitlines()[0].split()[:3]
    by_model = {line.split()[0]: line.split() for line in lines}
    assert by_model["twin-a"][2:6] == asked.out.splitlines()[1].split()[2:6]  # value and interval
    assert by_model["toy-text"][-1] == "not-applicable"
    assert by_model["falls"][-1] == "failed"
    assert "takes text" in done.err
    assert done.err.count("the model fell over") == 1


def test_cells_that_had_a_record_are_in_the_table_too(call):
    call("run", "twin-a", BENCHMARK, *OWN)
    again = call("run", "twin-a,twin-b", BENCHMARK, *OWN)
    assert [line.split()[0] for line in again.out.splitlines()[1:]] == ["twin-a", "twin-b"]
    nothing = call("run", "twin-a,twin-b", BENCHMARK, *OWN)
    assert nothing.out == again.out


def test_json_names_the_record_of_each_cell(call, home):
    done = json.loads(call("run", "twin-a,falls,toy-text", BENCHMARK, *OWN, "--json").out)
    kept = Records(home / "records")
    records = {r.digest: r for r in map(kept.read, kept.paths())}
    found = {cell["model"]: cell for cell in done["scores"]}
    score = records[found["twin-a"]["record"]].score
    assert found["twin-a"]["value"] == score.value
    assert (found["twin-a"]["low"], found["twin-a"]["high"]) == (
        score.interval.low,
        score.interval.high,
    )
    assert records[found["falls"]["record"]].score.status == "failed"
    assert found["toy-text"]["record"] is None
    assert found["toy-text"]["status"] == "not-applicable"
    assert [c["cached"] for c in done["scores"]] == [False, False, False]


def test_a_large_matrix_is_counted_and_the_way_to_all_is_told(call, monkeypatch):
    monkeypatch.setattr(run_scores, "LISTED", 1)
    short = call("run", "twin-a,falls,toy-text", BENCHMARK, *OWN)
    rows = {line.split()[0]: line.split()[1:] for line in short.out.splitlines()[1:4]}
    #       scored, undefined, not applicable, failed, unfinished
    assert rows["twin-a"] == ["1", "0", "0", "0", "0"]
    assert rows["falls"] == ["0", "0", "0", "1", "0"]
    assert rows["toy-text"] == ["0", "0", "1", "0", "0"]
    assert "--cells" in short.err
    assert "fell over" in short.out
    long = call("run", "twin-a,falls,toy-text", BENCHMARK, *OWN, "--cells")
    assert "95 % interval" in long.out


def test_cells_nobody_worked_on_are_counted_as_unfinished(call):
    left = call("run", "twin-a", BENCHMARK, "--executor", "none", "--json")
    assert left.code == 3
    (cell,) = json.loads(left.out)["scores"]
    assert (cell["status"], cell["record"], cell["value"]) == ("unfinished", None, None)


def run_of(call, models):
    return json.loads(call("run", models, BENCHMARK, *OWN, "--json").out)["run"]


def test_boards_of_a_run_hold_its_cells_alone(call):
    first = run_of(call, "twin-a,toy-vision")
    second = run_of(call, "twin-b")

    def models(*arguments):
        found = json.loads(call("leaderboard", BENCHMARK, *arguments, "--json").out)
        return {row["model"] for row in found["ranked"]}

    assert models() == {"twin-a", "twin-b", "toy-vision"}
    assert models("--run", first) == {"twin-a", "toy-vision"}
    assert models("--run", second) == models("--run", "last") == {"twin-b"}
    report = json.loads(call("report", "--run", first, "--json").out)
    assert report["models"] == 2
    refused = call("compare", "twin-a", "twin-b", "--run", first)
    assert refused.code == 2
    assert "There is no score of 'twin-b'" in refused.err


def test_another_seed_is_another_run(call):
    run_of(call, "twin-a")
    run = json.loads(call("run", "twin-a", BENCHMARK, *OWN, "--seed", "5", "--json").out)
    assert run["computed"] == 1
    plain = json.loads(call("leaderboard", BENCHMARK, "--run", run["run"], "--json").out)
    assert plain["ranked"][0]["mean"] == run["scores"][0]["value"]


def test_a_run_that_is_not_there_or_a_file_of_scores_is_told(call, tmp_path):
    run_of(call, "twin-a")
    assert "There is no run 'nope'" in call("leaderboard", BENCHMARK, "--run", "nope").err
    call("score", "twin-a", BENCHMARK, "-q", "--output", "scores.jsonl")
    refused = call("leaderboard", BENCHMARK, "--run", "last", "--from", "scores.jsonl")
    assert refused.code == 2
    assert "knows no runs" in refused.err


def test_options_of_models_go_through_a_run_into_records(call, home):
    done = json.loads(call("run", "twin-a:width=5,twin-a", BENCHMARK, *OWN, "--json").out)
    assert [cell["model"] for cell in done["scores"]] == ["twin-a:width=5", "twin-a"]
    kept = Records(home / "records")
    found = {r.cell.model: r.score for r in map(kept.read, kept.paths())}
    assert found["twin-a:width=5"].model == "twin-a:width=5"
    assert found["twin-a:width=5"].provenance.options["models/twin-a"] == "width=5"
    again = json.loads(call("run", "twin-a:width=5", BENCHMARK, *OWN, "--json").out)
    assert (again["computed"], again["cached"]) == (0, 1)


def test_a_plan_tells_models_that_lack_weights_from_what_is_missing(call):
    planned = call("plan", "given,given:weights=./mine.pth,twin-a", BENCHMARK)
    rows = [line.split("  ") for line in planned.out.splitlines()[1:]]
    states = {row[0]: [c.strip() for c in row if c.strip()][2] for row in rows}
    assert states["given"] == "needs weights"
    assert states["twin-a"] == "missing"
    assert sorted(states.values()) == ["missing", "missing", "needs weights"]
    assert "given:weights=./FILE" in planned.err
    counted = json.loads(call("plan", "given,twin-a", BENCHMARK, "--json").out)
    assert (counted["missing"], counted["needs weights"]) == (1, 1)


def test_a_plan_says_how_memory_that_is_not_known_can_be(call, monkeypatch):
    first = call("plan", "twin-a,twin-b", BENCHMARK).err
    assert (
        "The memory of 2 models is not known: the same command with --probe measures it on one "
        "batch." in first
    )
    monkeypatch.setattr("corteval.run.probing.measured", lambda models, **options: {})
    probed = call("plan", "twin-a", BENCHMARK, "--probe").err
    assert "The memory of 1 model is not known, for one batch could not be measured" in probed
    call("run", "twin-a", BENCHMARK, *OWN)
    assert "not known" not in call("plan", "twin-a", BENCHMARK).err


def test_a_mirror_may_have_the_weights(call, monkeypatch, tmp_path):
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path))
    assert "needs weights" not in call("plan", "given,twin-a", BENCHMARK).out


CELLS = [(m, b) for m in ("m1", "m2", "m3") for b in ("b1", "b2")]


@pytest.mark.parametrize(
    ("concerned", "said"),
    [
        (CELLS, "all 6 cells"),
        (CELLS[::2], "all on b1"),
        (CELLS[:2], "all of m1"),
        (CELLS[:4], "all of m1, m2"),
        (CELLS[1:3], "m1 on b2, m2 on b1"),
        (CELLS[:5], "m1 on b1, m1 on b2, m2 on b1 and 2 more"),
    ],
)
def test_cells_of_a_note_are_named_in_short(concerned, said):
    assert notes.named(concerned, CELLS) == said


def _score(model, benchmark, *said):
    score = Score.unscored("undefined", "", model=model, benchmark=benchmark)
    return replace(score, notes=said)


def test_equal_notes_are_said_once_and_at_most_a_handful(capsys):
    scores = [_score(m, b, "shared", f"of {m} and {b}", f"of {b}") for m, b in CELLS]
    notes.say_notes(scores)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 6
    assert lines[0] == "all 6 cells: note: shared"
    assert lines[1:3] == ["all on b1: note: of b1", "all on b2: note: of b2"]
    assert lines[-1] == "4 more notes are not shown: -v shows all."


def test_more_is_said_when_asked_for(call):
    def lines(*more):
        err = call("score", "twin-a,twin-b", BENCHMARK, "-q", *more).err
        return [line for line in err.splitlines() if "note: " in line]

    assert sum("a note of every twin" in line for line in lines()) == 1
    assert len(lines("-v")) >= len(lines())


def test_the_command_told_at_the_end_ranks_on_the_benchmarks_of_the_run(call):
    done = call("run", "twin-a,twin-b", BENCHMARK, *OWN[:-1])
    (line,) = [line for line in done.err.splitlines() if line.startswith("Next:")]
    told = line.split("`")[1].split()
    assert told[:3] == ["corteval", "leaderboard", "--run"]
    board = call(*told[1:])
    assert board.code == 0
    assert f"run {told[3]}: 2 of 2 models are ranked on 1 benchmark." in board.err


@pytest.fixture
def another(home):
    """A second benchmark, which no run here has."""
    card = replace(registry.benchmarks.card(BENCHMARK), identifier="ToyData.V4-predictivity")
    with registry.benchmarks.temporary(card):
        yield


def test_patterns_stand_for_benchmarks_of_the_run_alone(call, another):
    call("run", "twin-a", BENCHMARK, *OWN)
    everywhere = json.loads(call("leaderboard", "Toy*", "--json").out)["weights"]
    assert len(everywhere) > 1
    of_run = json.loads(call("leaderboard", "toy*", "--run", "last", "--json").out)["weights"]
    assert of_run == {BENCHMARK: 1.0}
    none = call("leaderboard", "Elsewhere.*", "--run", "last")
    assert none.code == 2 and f"it has {BENCHMARK}" in none.err


def test_without_a_run_benchmarks_must_be_named(call):
    asked = call("leaderboard")
    assert asked.code == 2 and "or a run with --run" in asked.err


def test_a_page_says_how_many_models_it_ranks(call, another):
    call("run", "twin-a,twin-b", BENCHMARK, *OWN)
    page = call("report", BENCHMARK)
    assert f"2 models, 1 benchmark. By {BENCHMARK}, 2 are ranked.\n" in page.err
    lacking = call("report", "Toy*").err
    assert "By Toy*, 0 are ranked. `corteval leaderboard` says what the others lack." in lacking
    assert "ranked" not in call("report").err


def test_a_model_is_not_compared_with_itself(call):
    asked = call("compare", "twin-a", "TWIN-A")
    assert asked.code == 2 and "the same model" in asked.err


# How far a run is, and what it may be kept in


def test_status_of_a_run_that_grew_counts_the_cells_that_had_a_record_too(call):
    call("run", "twin-a", BENCHMARK, *OWN)
    done = json.loads(call("run", "twin-a,twin-b,falls,toy-text", BENCHMARK, *OWN, "--json").out)
    assert (done["cells"], done["computed"], done["cached"], done["failed"]) == (4, 1, 1, 1)
    found = json.loads(call("status", "--json").out)
    assert (found["cells"], found["finished"], found["unfinished"]) == (4, 2, 0)
    assert found["by_status"] == {"scored": 1, "failed": 1}
    assert found["before"] == {"cached": 1, "not applicable": 1}
    _header, *lines = call("status").out.split("\n\n")[0].splitlines()
    assert sum(int(line.split()[-1]) for line in lines) == 4
    assert any(line.startswith("had a record") for line in lines)


def test_failures_are_counted_once_whether_they_are_computed_again_or_not(call):
    call("run", "falls", BENCHMARK, *OWN)
    call("run", "falls,twin-a", BENCHMARK, *OWN)
    found = json.loads(call("status", "--json").out)
    assert (found["cells"], found["before"], found["by_status"]) == (
        2,
        {"failed": 1},
        {"scored": 1},
    )
    call("run", "falls,twin-b", BENCHMARK, *OWN, "--again")
    found = json.loads(call("status", "--json").out)
    assert (found["cells"], found["before"]) == (2, {})
    assert found["by_status"] == {"failed": 1, "scored": 1}


def test_the_last_run_can_be_called_last(call):
    run_of(call, "twin-a")
    last = run_of(call, "twin-b")
    assert json.loads(call("status", "last", "--json").out)["run"] == last
    assert json.loads(call("cancel", "last", "--json").out)["run"] == last
    assert json.loads(call("retry", "last", "--json", "-q").out)["run"] == last
    assert json.loads(call("worker", "--run", "last", "--json").out)["run"] == last


def test_a_run_is_not_kept_among_other_files(call, tmp_path):
    foreign = tmp_path / "thesis"
    foreign.mkdir()
    (foreign / "plan.json").write_text('{"chapters": 5}')
    refused = call("run", "twin-a", BENCHMARK, *OWN, "--folder", str(foreign))
    assert refused.code not in (0, 3)
    assert "plan.json" in refused.err and "empty folder" in refused.err
    assert [path.name for path in foreign.iterdir()] == ["plan.json"]


@pytest.mark.parametrize("there", ["new", "empty", "cut off as it began", "a run"])
def test_a_run_is_kept_in_a_folder_that_is_empty_or_one_of_a_run(call, tmp_path, there):
    folder = tmp_path / "at"
    if there != "new":
        folder.mkdir()
    if there == "cut off as it began":
        (folder / "done").mkdir()
        (folder / ".plan.j.0123456789ab.tmp").touch()
    if there == "a run":
        assert call("run", "twin-b", BENCHMARK, *OWN, "--folder", str(folder)).code == 0
    assert call("run", "twin-a", BENCHMARK, *OWN, "--folder", str(folder)).code == 0
    assert call("status", str(folder)).code == 0


# Records, checked and computed again


def test_verify_says_that_there_is_nothing_to_check(call, home, tmp_path):
    absent = call("verify", str(tmp_path / "absent"))
    assert absent.code not in (0, 3) and "no folder" in absent.err
    call("run", "twin-a", BENCHMARK, *OWN)
    for folder in (tmp_path, home):
        told = call("verify", str(folder))
        assert "no records" in told.err and "damaged" not in told.err
    assert str(home / "records") in told.err
    assert "1 records" in call("verify", str(home / "records")).err


def test_outdated_records_are_not_counted_as_computed_again(call, monkeypatch):
    call("run", "twin-a,twin-b", BENCHMARK, *OWN)
    told = call("recompute", "--sample", "100%", "-q").err
    assert "2 of 2 records were chosen: 2 computed again." in told
    monkeypatch.setattr("corteval.run.recompute.key_of", lambda cell: "another")
    told = call("recompute", "--sample", "100%", "-q").err
    assert "2 of 2 records were chosen: 0 computed again, 2 outdated." in told


@pytest.mark.parametrize("share", ["150%", "0%", "-5%", "nan%", "0", "some"])
def test_a_share_of_more_than_all_or_of_nothing_is_refused(call, share):
    refused = call("recompute", "--sample", share)
    assert refused.code not in (0, 3) and "--sample" in refused.err
