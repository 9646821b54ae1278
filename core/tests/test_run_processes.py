"""Models that start processes without end cost their cell, and leave no process behind."""

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from core.tests.test_run_faults import BENCHMARK, HERE, World, failure

from corteval.run import remote

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="processes are those of POSIX systems"),
]

MOST = 120  # processes and threads of a run


@pytest.fixture
def world(tmp_path):
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "multiplying_models.py").write_text((HERE / "multiplying_models.py").read_text())
    return World(tmp_path, plugins)


def group_of_processes():
    """A new control group that counts processes, of version 1 or 2."""
    first = Path("/sys/fs/cgroup/pids")
    root = first if first.is_dir() else Path("/sys/fs/cgroup")
    group = root / f"corteval-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        if root != first:
            (root / "cgroup.subtree_control").write_text("+pids")
        group.mkdir()
        (group / "pids.max").write_text(str(MOST))
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        pytest.skip("no control group of processes can be made here: it takes root and cgroups")
    return group


def members(group):
    return [int(line) for line in (group / "cgroup.procs").read_text().split()]


@pytest.fixture
def group():
    """A control group of so many processes at most, whose members end with the test."""
    made = group_of_processes()
    yield made
    for _ in range(100):
        for pid in members(made):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            made.rmdir()
            return
        time.sleep(0.1)


def run_within(group, world, models, *options):
    """A run in a control group: the JSON, and the most processes there were."""
    line = f'echo $$ > {group}/cgroup.procs; exec "$@"'
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "corteval", "run", models, BENCHMARK]
    process = subprocess.Popen(
        [*command, "-q", "--json", "--workers", "1", *options],
        env=world.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    most = 0
    deadline = time.monotonic() + 400
    while process.poll() is None and time.monotonic() < deadline:
        most = max(most, len(members(group)))
        time.sleep(0.2)
    process.kill()
    out, err = process.communicate(timeout=60)
    report = json.loads(out)
    assert "scores" in report, (report, err)
    return report, most


def test_a_fork_bomb_is_ended_with_all_its_children_and_others_go_on(group, world):
    report, most = run_within(group, world, "multiplies,toy-vision", "--timeout", "40")
    assert most > MOST // 2  # it did go off
    assert failure(report)["model"] == "multiplies"
    assert failure(report)["failure"] in ("timeout", "error")
    assert (report["computed"], report["unfinished"]) == (1, 0)
    assert members(group) == []


def test_children_in_sessions_of_their_own_do_not_outlive_the_model(group, world):
    report, most = run_within(group, world, "scatters,toy-vision")
    assert (report["computed"], report["failures"]) == (2, [])
    assert most > 5
    assert members(group) == []


def test_a_model_that_hangs_does_not_outlive_a_worker_that_is_killed(world):
    told = world.home.parent / "asleep"
    folder = world.run("sleeps", "--executor", "none", code=3)["folder"]
    worker = world.start("worker", "--run", folder)
    try:
        deadline = time.monotonic() + 120
        while not (told.exists() and told.read_text()):
            assert time.monotonic() < deadline and worker.poll() is None
            time.sleep(0.1)
        model = Path("/proc") / told.read_text()
        assert "corteval.run.host" in (model / "cmdline").read_text()
    finally:
        worker.kill()
        worker.communicate()
    while model.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not model.exists()


def test_where_no_process_can_be_started_the_run_says_what_limits_them(group, world):
    (group / "pids.max").write_text("1")  # the command itself
    line = f'echo $$ > {group}/cgroup.procs; exec "$@"'
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "corteval", "run", "toy-vision"]
    done = subprocess.run(
        [*command, BENCHMARK, "--workers", "1", "-q"],
        env=world.env, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert "No process can be started" in done.stderr and "pids.max" in done.stderr
    assert not [*world.home.glob("records/*/*.json")]


def test_where_too_many_run_a_process_waits_for_its_turn(monkeypatch):
    tried = []

    def busy(command, **options):
        tried.append(command)
        if len(tried) < 3:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return "a process"

    monkeypatch.setattr(remote.subprocess, "Popen", busy)
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    assert remote.started(["true"]) == "a process"
    assert len(tried) == 3
