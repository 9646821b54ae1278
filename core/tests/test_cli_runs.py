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
    if act == "fails":
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
