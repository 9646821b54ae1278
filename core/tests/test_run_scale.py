"""Runs of many cells: plans, status and claims stay quick, and say what the slow way says."""

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval import __version__, registry
from corteval import store as stores
from corteval.cards import BenchmarkCard, ModelCard
from corteval.requests import Recording
from corteval.run import cells, index, tally
from corteval.run.cells import Cell, key_of
from corteval.run.folder import Outcome, RunFolder
from corteval.run.order import Waiting
from corteval.run.plan import Plan, Task, make_plan
from corteval.run.records import Records
from corteval.run.remote import RemoteModel
from corteval.run.status import status_of
from corteval.run.worker import Worker, _claimed
from corteval.store import canonical
from corteval.testing import toys

HERE = Path(__file__).parent


def score(model, benchmark="b", after=()):
    cell = Cell(model=model, benchmark=benchmark)
    return Task(kind="score", cells=(cell,), keys=(f"{model}{benchmark}",), after=after)


def a_plan(tasks):
    return Plan(models=(), benchmarks=(), seed=0, isolation="process", known=(), tasks=tuple(tasks))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_key_of_a_cell_is_the_digest_of_the_canonical_text_of_its_parts():
    with toys.registered():
        for seed in (0, 7):
            cell = Cell(model="toy-vision", benchmark="ToyData.IT-predictivity", seed=seed)
            content = {
                "model": cells._side("models", cell.model),
                "benchmark": cells._benchmark(cell.benchmark),
                "seed": seed,
                "corteval": __version__,
            }
            assert key_of(cell) == canonical.digest_of(content)


# Status


OUTCOMES = {
    "scored": Outcome(status="scored", record="r"),
    "undefined": Outcome(status="undefined", reason="one unit", record="r"),
    "failed": Outcome(status="failed", failure="error", reason="broken"),
}


@given(
    ends=st.lists(st.sampled_from([None, *OUTCOMES]), min_size=1, max_size=12),
    forgotten=st.sets(st.integers(0, 11)),
    lost=st.sampled_from(["", "ended.txt", "tasks.txt", "both"]),
)
def test_status_is_the_same_with_and_without_its_lists(tmp_path_factory, ends, forgotten, lost):
    folder = tmp_path_factory.mktemp("run")
    tasks = [score(f"m{n}") for n in range(len(ends))]
    prepare = Task(kind="prepare", cells=tasks[0].cells, keys=tasks[0].keys)
    os.environ["CORTEVAL_HOME"], before = str(folder / "home"), os.environ.get("CORTEVAL_HOME")
    try:
        run = RunFolder.create(a_plan([prepare, *tasks]), folder / "run")
    finally:
        os.environ.pop("CORTEVAL_HOME")
        if before is not None:
            os.environ["CORTEVAL_HOME"] = before
    run.finish(prepare, Outcome(status="done"))
    wanted = {}
    for n, (task, end) in enumerate(zip(tasks, ends, strict=True)):
        if end is not None:
            run.finish(task, OUTCOMES["scored" if n in forgotten else end])
            if n in forgotten:
                run.forget(task.identity)
                run.finish(task, OUTCOMES[end])
            wanted[end] = wanted.get(end, 0) + 1
    for name in ("ended.txt", "tasks.txt"):
        if lost in (name, "both"):
            (run.folder / name).unlink()
    status = status_of(RunFolder(run.folder))
    assert status.cells == len(ends) and dict(status.by_status) == wanted
    assert len(status.failures) == wanted.get("failed", 0)
    assert [u["reason"] for u in status.unscored] == ["one unit"] * wanted.get("undefined", 0)
    assert status.unfinished == ends.count(None)


def test_a_list_of_another_plan_is_not_used(home):
    run = RunFolder.create(a_plan([score("a"), score("b")]), home / "run")
    (run.folder / "plan.json").write_text(a_plan([score("c")]).to_json())
    assert tally.listed(run.folder) is None
    assert status_of(RunFolder(run.folder)).cells == 1


def test_garbled_lines_cost_nothing_but_time(home):
    run = RunFolder.create(a_plan([score("a")]), home / "run")
    run.finish(score("a"), OUTCOMES["failed"])
    (run.folder / "ended.txt").write_bytes(b"\xff\xfe\n\nscore-\tscored\n" + b"\t\t\n")
    (failure,) = status_of(run).failures
    assert failure["model"] == "a" and failure["reason"] == "broken"


# Order


@given(
    models=st.lists(st.sampled_from("abc"), max_size=12),
    needs=st.lists(st.sets(st.integers(0, 11), max_size=3), min_size=12, max_size=12),
    ended=st.sets(st.integers(0, 11)),
    gone=st.sets(st.integers(0, 11)),
    loaded=st.sampled_from("abcd"),
)
def test_tasks_come_in_the_order_of_a_plain_loop(models, needs, ended, gone, loaded):
    tasks = []
    for n, model in enumerate(models):
        after = tuple(tasks[k].identity for k in sorted(needs[n]) if k < n)
        tasks.append(score(model, f"b{n}", after))
    waiting = Waiting(tasks)
    waiting.discard(tasks[n].identity for n in gone if n < len(tasks))
    left = [t for n, t in enumerate(tasks) if n not in gone]
    assert len(waiting) == len(left)
    is_done = {tasks[n].identity for n in ended if n < len(tasks)}
    wait_for = {t.identity for t in left} - is_done
    ready = [t for t in left if not wait_for & set(t.after)]
    wanted = [t for t in ready if t.model == loaded] + [t for t in ready if t.model != loaded]
    assert list(waiting.in_turn(loaded, is_done.__contains__)) == wanted


def test_what_others_have_done_is_looked_at_once(home, monkeypatch):
    """Else every claim would pass by all that other workers have done since the first."""
    tasks = [score("m", f"b{n}") for n in range(20)]
    run = RunFolder.create(a_plan(tasks), home / "run")
    worker, waiting = Worker(run=run, name="w"), Waiting(tasks)
    for task in tasks[:15]:
        run.finish(task, OUTCOMES["scored"])
    claims = [_claimed(worker, waiting)]
    assert claims[0].task == tasks[15] and len(waiting) == 5
    waiting.discard([tasks[15].identity])
    looks = []
    monkeypatch.setattr(RunFolder, "is_done", lambda run, identity: looks.append(identity) or False)
    claims.append(_claimed(worker, waiting))
    assert claims[1].task == tasks[16] and set(looks) == {tasks[16].identity}
    for claim in claims:
        run.release(claim)


# Isolation


def test_a_process_that_is_given_no_store_uses_none(home, monkeypatch):
    """Else `recompute` would compare a record with the responses it was computed from."""
    (home / "plugins").mkdir()
    (home / "plugins" / "sees_store.py").write_text(SEES_STORE)
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(home / "plugins"))
    seen = []
    for store in (None, stores.Store(home / "store")):
        with (
            stores.using(store),
            closing(RemoteModel("sees-store", log=home / "log", seed="s")) as model,
        ):
            request = Recording("IT")
            seen.append(float(model.respond(toys.images(2), [request])[request].max()))
    assert seen == [0.0, 1.0]


SEES_STORE = """
import numpy as np
from corteval import store
from corteval.assembly import neural
from corteval.cards import ModelCard


class Model:
    identifier, modalities, visual_degrees = "sees-store", frozenset({"image"}), 8.0

    def supports(self, request):
        return True

    def respond(self, stimuli, requests):
        values = np.full((len(stimuli), 1), float(store.active() is not None), np.float32)
        return {r: neural(values, stimuli.stimulus_ids, {"neuroid_id": ["u"]}) for r in requests}

    def perturbed(self, *perturbations):
        return self


CARD = ModelCard(
    identifier="sees-store", factory=f"{__name__}:Model", summary="s", licence="MIT"
)
"""


# Size


@pytest.mark.slow
def test_a_plan_of_a_hundred_thousand_cells_takes_seconds_and_its_folder_is_quick(home):
    said = {"factory": "corteval.testing.toys:vision", "summary": "s", "licence": "MIT"}
    models = [f"m{n:04d}" for n in range(1000)]
    benchmarks = [f"B{n:03d}.IT-x" for n in range(100)]
    cards = [BenchmarkCard(identifier=b, data=("D",), ceiling="c", **said) for b in benchmarks]
    with (
        registry.models.temporary(*(ModelCard(identifier=m, **said) for m in models)),
        registry.benchmarks.temporary(*cards),
        index.opened(Records(home / "records")) as known,
    ):
        started = time.process_time()
        plan = make_plan(models, benchmarks, known)
        assert time.process_time() - started < 5
    assert plan.counts() == {"missing": 100_000}
    run = RunFolder.create(plan, home / "run")
    for task in plan.tasks[:90_000]:
        (run.folder / "done" / f"{task.identity}.json").touch()
    text = "".join(f"{task.identity}\tscored\n" for task in plan.tasks[:90_000])
    (run.folder / "ended.txt").write_text(text)
    started = time.process_time()
    status = status_of(RunFolder(run.folder))
    assert time.process_time() - started < 1
    assert status.cells == 100_000 and 0 < status.unfinished < 12_000
    waiting = Waiting(plan.tasks)
    started = time.process_time()
    for _ in range(100):
        task = next(waiting.in_turn("m0999", lambda _: True))
        waiting.discard([task.identity])
    assert (time.process_time() - started) / 100 < 0.005


@pytest.mark.slow
def test_a_cell_that_cannot_fit_is_refused_before_anything_starts(tmp_path):
    plugins, home = tmp_path / "plugins", tmp_path / "home"
    plugins.mkdir()
    (plugins / "hostile_models.py").write_text((HERE / "hostile_models.py").read_text())
    kept = [k for k in os.environ if not k.startswith("CORTEVAL_")]
    env = {k: os.environ[k] for k in kept} | {
        "CORTEVAL_HOME": str(home),
        "CORTEVAL_PLUGIN_PATH": str(plugins),
    }
    make = (
        "from corteval.run import probes; import sys;"
        "probes.keep(probes.Probe(model='chatters', key=probes.key_of_model('chatters'),"
        " one_bytes=10**14, batch_bytes=10**14, rows=32))"
    )
    subprocess.run([sys.executable, "-c", make], env=env, check=True)
    command = [sys.executable, "-m", "corteval", "run", "chatters,toy-vision"]
    command += ["ToyData.IT-predictivity", "--json", "-q", "--workers", "1"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 3, done.stderr
    assert "1 cell is refused: It is predicted to take 100.0 TB of memory" in done.stderr
    report = json.loads(done.stdout)
    assert report["computed"] == 1
    events = next((home / "runs").glob("*/events.ndjson")).read_text()
    assert "toy-vision" in events and "chatters" not in events
