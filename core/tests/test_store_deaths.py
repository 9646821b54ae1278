"""Stored bytes when processes die, and when several want the same."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from core.tests.store_on_disk import ROWS, artifact_in, contents_of, fill, names
from core.tests.store_on_disk import shelf as shelf

from corteval import store
from corteval.store import blocks

WORKER = """
import os, signal, sys, time
import numpy as np
from corteval import store

def work(folder, log):
    shelf = store.Store(folder)
    rows = int(os.environ.get("ROWS", "20"))
    artifact = shelf.artifact("activations", {"model": "m", "layer": "l"}, rows=rows,
                              rows_per_block=4)
    array = np.random.default_rng(0).standard_normal((rows, 6)).astype(np.float32)
    if artifact.complete:
        return
    with shelf.claim([artifact]):
        for index in artifact.missing():
            with open(log, "a") as file:
                file.write(f"{index}\\n")
            time.sleep(float(os.environ.get("PAUSE", "0")))
            artifact.write(index, array[artifact.rows_of(index)])
        artifact.publish(seconds=1)
"""


#: Dies before and after each call that changes the disk; prints twice their number.
FAIL_POINTS = (
    WORKER
    + """
CALLS = "open", "write", "close", "replace", "fsync", "unlink", "mkdir", "utime", "rename"

def die_at(limit):
    # before call limit/2, or after it if it is odd
    count = 0
    def wrap(call):
        def wrapped(*args, **kwargs):
            nonlocal count
            count += 1
            mine = count == limit // 2
            if mine and not limit % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return call(*args, **kwargs)
            finally:
                if mine:
                    os.kill(os.getpid(), signal.SIGKILL)
        return wrapped
    for name in CALLS:
        setattr(os, name, wrap(getattr(os, name)))

def child(folder, log, limit):
    pid = os.fork()
    if pid == 0:
        try:
            die_at(limit)
            work(folder, log)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

root = sys.argv[1]
limit = 2 - int(sys.argv[2])
while True:
    limit += int(sys.argv[2])
    folder, log = f"{root}/store{limit}", f"{root}/log{limit}"
    died = child(folder, log, limit)
    if died == 0:
        break
    assert died == -signal.SIGKILL, died
    assert child(folder, log, 10**9) == 0
print(limit)
"""
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Names and hashes of the blocks of a run that nothing disturbs."""
    shelf = store.Store(tmp_path_factory.mktemp("uninterrupted"))
    artifact = artifact_in(shelf)
    fill(artifact)
    return contents_of(artifact.folder)


def check_rerun(shelf, uninterrupted, rows=ROWS):
    """All is there, sound, equal to the bit, and nothing else is."""
    blocks.forget()
    artifact = artifact_in(shelf, rows=rows)
    assert artifact.complete
    assert artifact.facts == {"seconds": 1}
    expected = {name: h for name, h in uninterrupted.items() if int(name[1:6]) < artifact.blocks}
    assert contents_of(artifact.folder) == expected
    assert names(artifact.folder) == sorted([*expected, "manifest.json"])
    shelf.collect(None, age=0)  # what the dead left beside the folder
    leftovers = [path for path in artifact.folder.parent.iterdir() if path != artifact.folder]
    assert leftovers == []


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_death_at_any_call_that_changes_the_disk_loses_at_most_one_block(
    tmp_path, uninterrupted, step
):
    command = [sys.executable, "-W", "ignore", "-c", FAIL_POINTS, tmp_path, str(step)]
    env = os.environ | {"ROWS": "8"}  # two blocks
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    points = int(done.stdout)
    assert points > 60
    for limit in range(2, points, step):
        computed = (tmp_path / f"log{limit}").read_text().split()
        assert len(computed) <= 2 + 1
        check_rerun(store.Store(tmp_path / f"store{limit}"), uninterrupted, rows=8)


def killed_at_random(tmp_path, kills, seed):
    """Run to the end, with `kills` deaths at random moments; how many there really were."""
    script = WORKER + "\nprint('ready', flush=True)\nwork(sys.argv[1], sys.argv[2])\n"
    command = [sys.executable, "-c", script, tmp_path / "store", tmp_path / "log"]
    draw, died = random.Random(seed), 0
    while True:
        worker = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PAUSE": ".03"},
        )
        worker.stdout.readline()
        if died < kills:
            time.sleep(draw.uniform(0, 0.06))
            worker.kill()
        _, said = worker.communicate()
        if worker.returncode == 0 and died >= kills:
            return died
        assert worker.returncode in {0, -signal.SIGKILL}, said.decode()
        died += 1


@pytest.mark.parametrize(
    "kills", [2, pytest.param(20, marks=pytest.mark.slow), pytest.param(50, marks=pytest.mark.slow)]
)
def test_death_at_random_moments_loses_at_most_one_block_each(tmp_path, uninterrupted, kills):
    died = killed_at_random(tmp_path, kills, seed=kills)
    assert died == kills
    assert len((tmp_path / "log").read_text().split()) <= 5 + kills
    check_rerun(store.Store(tmp_path / "store"), uninterrupted)


CELLS = """
import os, sys, time
import numpy as np
from corteval import store
shelf = store.Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
cells = [shelf.artifact("activations", {"cell": n}, rows=8, rows_per_block=4) for n in range(6)]
for several in (cells[:4], cells[2:], cells[::-1]):
    if all(cell.complete for cell in several):
        continue
    with shelf.claim(several):
        for cell in several:
            for index in cell.missing():
                with open(sys.argv[2], "a") as log:
                    log.write(f"{cell.identity.key['cell']}.{index}\\n")
                time.sleep(0.005)
                cell.write(index, np.full((4, 3), cell.identity.key["cell"], "f4"))
            cell.publish()
print(sum(float(cell.block(1)[0, 0]) for cell in cells))
"""


@pytest.mark.parametrize("processes", [3, pytest.param(24, marks=pytest.mark.slow)])
def test_processes_that_want_the_same_cells_compute_each_once(tmp_path, processes):
    command = [sys.executable, "-c", CELLS, tmp_path / "store", tmp_path / "log"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    workers = [subprocess.Popen(command, text=True, **pipes) for _ in range(processes)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:  # the barrier opens
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        out, err = worker.communicate()
        assert (worker.returncode, out, err) == (0, "15.0\n", "")
    computed = (tmp_path / "log").read_text().split()
    assert sorted(computed) == [f"{cell}.{index}" for cell in range(6) for index in range(2)]
    assert not [*(tmp_path / "store").rglob("*.lease"), *(tmp_path / "store").rglob("*.tmp")]
