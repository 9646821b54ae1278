"""What failed in any part of a run is computed once more when that is asked for."""

import json
from pathlib import Path

import pytest
from core.tests.test_cli_runs import BENCHMARK, OWN, call, home

__all__ = ["call", "home"]


def attempts(call, model):
    """How often a model was started in the last run."""
    folder = Path(json.loads(call("status", "--json").out)["folder"])
    events = map(json.loads, (folder / "events.ndjson").read_text().splitlines())
    return sum(e["event"] == "started" and e["model"] == model for e in events)


@pytest.fixture
def mended(home):
    """A file that makes the model `heals` work."""
    return home.parent / "mended"


@pytest.fixture
def resumed(call, home):
    """A run of which one cell failed before it was cut off, and one was done when it went on."""
    first = json.loads(call("run", "heals,falls,twin-a", BENCHMARK, *OWN, "--json").out)
    done = home / "runs" / first["run"] / "done"
    for path in done.iterdir():
        if json.loads(path.read_text())["status"] == "scored":
            path.unlink()
    for path in (home / "records" / "twin-a").glob("*.json"):
        path.unlink()
    second = json.loads(call("run", "heals,falls,twin-a", BENCHMARK, *OWN, "--json").out)
    assert (second["computed"], second["run"]) == (1, first["run"])
    return first["run"]


def test_what_failed_before_a_run_went_on_is_retried_too(call, resumed, mended):
    assert "--failed` computes them once more" in call("status").err
    mended.touch()
    done = call("retry", "--failed", "--json", "-q", "--executor", "serial")
    assert done.code == 3
    found = json.loads(done.out)
    assert [f["model"] for f in found["failures"]] == ["falls"]
    assert (found["by_status"], found["before"]) == ({"scored": 1, "failed": 1}, {"cached": 1})
    assert (attempts(call, "heals"), attempts(call, "falls"), attempts(call, "twin-a")) == (2, 2, 2)
    board = json.loads(call("leaderboard", BENCHMARK, "--run", resumed, "--json").out)
    assert {row["model"] for row in board["ranked"]} == {"heals", "twin-a"}


def test_without_failures_a_retry_computes_nothing(call):
    call("run", "twin-a", BENCHMARK, *OWN)
    assert call("retry", "--failed", "-q", "--executor", "serial").code == 0
    assert attempts(call, "twin-a") == 1


def test_cells_that_were_left_out_are_not_computed_by_a_retry(call, resumed, home, mended):
    """As those whose data nobody wanted to download."""
    plan = home / "runs" / resumed / "plan.json"
    content = json.loads(plan.read_text())
    content["models"] += ["twin-b"]
    plan.write_text(json.dumps(content))
    mended.touch()
    found = json.loads(call("retry", resumed, "--failed", "--json", "--executor", "serial").out)
    assert attempts(call, "heals") == 2 and attempts(call, "twin-b") == 0
    assert found["before"] == {"cached": 1, "failed": 1}


def test_what_to_do_is_said_of_a_run_in_its_own_folder_too(call, tmp_path):
    call("run", "falls", BENCHMARK, *OWN, "--folder", str(tmp_path / "a run"))
    said = call("status", str(tmp_path / "a run")).err
    assert f"`corteval retry '{tmp_path}/a run' --failed`" in said
