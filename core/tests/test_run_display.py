"""How far a run is, where no terminal shows it: a line when that changes, and not too often."""

import json
from types import SimpleNamespace

import pytest

from corteval.cli import main, run_display, status
from corteval.run import status as statuses
from corteval.run.cells import Cell
from corteval.run.plan import Plan, Task
from corteval.run.status import Status


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only when a test says so."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(run_display.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def run(tmp_path):
    """A run of three cells, whose events are told by the test."""
    cells = [Cell(model="m", benchmark=b) for b in "abc"]
    tasks = tuple(Task(kind="score", cells=(cell,), keys=(cell.benchmark,)) for cell in cells)
    plan = Plan(
        models=("m",), benchmarks=tuple("abc"), seed=0, isolation="none", known=(), tasks=tasks
    )

    def tell(event, **facts):
        with (tmp_path / "events.ndjson").open("a") as file:
            content = {"event": event, "kind": "score", "worker": "w0", **facts}
            file.write(json.dumps(content) + "\n")

    return SimpleNamespace(folder=tmp_path, plan=plan, tell=tell)


@pytest.fixture
def lines(run, clock, capsys):
    """What is said while so many seconds pass, looking four times a second."""
    view = run_display._View(run)

    def said(seconds):
        for _ in range(int(4 * seconds)):
            clock.seconds += 0.25
            view.lines()
        return capsys.readouterr().err.splitlines()

    yield said
    view.close()


def test_only_what_changed_is_said(run, lines):
    run.tell("started", model="m", benchmark="a")
    assert lines(300) == ["0 of 3 cells, 0 failed. w0: m on a"]
    run.tell("progress", done=20, total=60)
    run.tell("progress", done=30, total=60)
    assert lines(300) == ["0 of 3 cells, 0 failed. w0: m on a (30 of 60)"]
    run.tell("finished")
    run.tell("started", model="m", benchmark="b")
    run.tell("failed")
    assert lines(300) == ["2 of 3 cells, 1 failed."]
    assert lines(300) == []


def test_changes_come_ten_seconds_apart_at_least(run, lines):
    count = 0
    for done in range(100):
        run.tell("started", model="m", benchmark="a")
        run.tell("progress", done=done, total=100)
        count += len(lines(1))
    assert count == 10


def test_a_watch_says_a_line_for_each_change(monkeypatch, capsys):
    unfinished = [2, 2, 2, 1, 1, 1, 0]

    def status_of(folder):
        return Status(
            cells=2, finished=0, by_status={}, failures=(), unscored=(), cancelled=False,
            unfinished=unfinished.pop(0), at_work=({"model": "m", "benchmark": "a"},),
        )  # fmt: skip

    monkeypatch.setattr(statuses, "run_named", lambda name: SimpleNamespace(folder="f"))
    monkeypatch.setattr(statuses, "status_of", status_of)
    monkeypatch.setattr(status, "print_status", lambda run, status: None)
    monkeypatch.setattr(status, "_PAUSE", 0.0)
    assert main(["status", "--watch"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "0 of 2 cells, 0 failed. m on a",
        "1 of 2 cells, 0 failed. m on a",
    ]
