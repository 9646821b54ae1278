"""Leases: one worker at a time, whoever died, whatever the clock says."""

import contextlib
import json
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from corteval import store
from corteval.errors import StoreError
from corteval.store import contents, leases

ONE, TWO = {"n": 1}, {"n": 2}
SOON = 0.5  # seconds of silence that these tests wait for


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "HEARTBEAT", 0.05)
    monkeypatch.setattr(leases, "_beating", None)  # one of another test may sleep for long
    monkeypatch.setattr(leases, "SILENCE", SOON)
    monkeypatch.setattr(leases, "LONGEST_PAUSE", 0.02)
    return store.Store(tmp_path / "store")


@pytest.fixture
def artifact(shelf):
    return shelf.artifact("activations", ONE, rows=2)


def lease_of(artifact):
    return contents.lease_of(artifact.folder)


def owner_here(**changes):
    """What this process would write."""
    return json.loads(leases._text("0" * 16)) | changes


def forge(artifact, content):
    path = lease_of(artifact)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def seconds_to_claim(shelf, *artifacts):
    start = time.monotonic()
    with shelf.claim(artifacts):
        return time.monotonic() - start


@pytest.fixture
def dead_pid():
    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


HOLDER = """
import sys, time
from corteval import store
shelf = store.Store(sys.argv[1])
with shelf.claim([shelf.artifact("activations", {"n": 1}, rows=2)]):
    print("held", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def another_process(shelf):
    """A process that holds the lease of the first artifact."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, shelf.folder], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        yield holder
    finally:
        holder.kill()
        holder.communicate()


def try_to_claim(shelf, artifact, done):
    with shelf.claim([artifact]):
        done.set()


@contextlib.contextmanager
def waiting(shelf, artifact):
    """An event that is set once another thread has had the lease."""
    done = threading.Event()
    thread = threading.Thread(target=try_to_claim, args=(shelf, artifact, done))
    thread.start()
    try:
        yield done
    finally:
        thread.join(30)
        assert not thread.is_alive()


# --- The lease itself ---


def test_a_lease_says_who_holds_it_and_is_gone_afterwards(shelf, artifact):
    with shelf.claim([artifact]):
        said = json.loads(lease_of(artifact).read_text())
        assert said["pid"] == os.getpid()
        assert set(said) == {"host", "boot", "processes", "pid", "started", "token", "since"}
    assert not lease_of(artifact).exists()
    assert not [*shelf.folder.rglob(".*")]


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt, SystemExit])
def test_a_lease_is_given_back_whatever_happens(shelf, artifact, error):
    with pytest.raises(error), shelf.claim([artifact]):
        raise error
    assert not lease_of(artifact).exists()


def test_an_interrupt_while_waiting_gives_back_what_is_held_already(shelf, monkeypatch):
    first, second = sorted(
        (shelf.artifact("activations", key, rows=2) for key in (ONE, TWO)), key=lambda a: a.digest
    )
    forge(second, owner_here(host="elsewhere"))

    sleep = time.sleep

    def interrupt(seconds):
        if threading.current_thread() is not threading.main_thread():
            return sleep(seconds)  # of the thread that shows signs of life, which goes on
        assert lease_of(first).exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(leases.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt), shelf.claim([second, first]):
            pass
    assert not lease_of(first).exists()
    assert lease_of(second).exists()


def test_a_thread_may_claim_again_what_it_has_claimed(shelf, artifact):
    with shelf.claim([artifact, artifact]):
        with shelf.claim([artifact]):
            pass
        assert lease_of(artifact).exists()
    assert not lease_of(artifact).exists()


def test_claiming_takes_less_than_five_milliseconds(shelf, artifact):
    shelf.folder.mkdir()
    assert min(seconds_to_claim(shelf, artifact) for _ in range(20)) < 0.005


def test_on_a_disk_without_links_leases_exclude_too(shelf, artifact, monkeypatch):
    def refuse(self, target):
        raise OSError(leases.errno.EPERM, "no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with shelf.claim([artifact]):
        assert json.loads(lease_of(artifact).read_text())["pid"] == os.getpid()
        with waiting(shelf, artifact) as done:
            assert not done.wait(0.2)
            leases.release(lease_of(artifact), leases._held[str(lease_of(artifact))].token)
            assert done.wait(10)
    assert not [*shelf.folder.rglob(".*")]


def test_of_the_answers_of_a_network_disk_one_may_be_lost(shelf, artifact, monkeypatch):
    genuine = Path.hardlink_to

    def link_but_say_it_was_there(self, target):
        genuine(self, target)
        raise FileExistsError

    monkeypatch.setattr(Path, "hardlink_to", link_but_say_it_was_there)
    assert seconds_to_claim(shelf, artifact) < SOON


# --- Exclusion ---


def test_two_threads_exclude_each_other(shelf, artifact):
    with shelf.claim([artifact]):
        with waiting(shelf, artifact) as done:
            assert not done.wait(2 * SOON)
            leases.release(lease_of(artifact), leases._held[str(lease_of(artifact))].token)
            assert done.wait(10)


def test_only_one_of_many_threads_is_inside(shelf, artifact):
    inside, most = [], []

    def work():
        for _ in range(10):
            with shelf.claim([artifact]):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 60


def test_claims_of_several_in_any_order_never_wait_in_a_circle(shelf):
    artifacts = [shelf.artifact("activations", {"n": n}, rows=2) for n in range(4)]

    def work(order):
        for _ in range(10):
            with shelf.claim(order):
                pass

    orders = [artifacts, artifacts[::-1], artifacts[2:] + artifacts[:2], artifacts[::2]]
    threads = [threading.Thread(target=work, args=(order,), daemon=True) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_a_wait_is_told_once_with_the_owner(shelf, artifact, caplog):
    caplog.set_level(logging.INFO)
    with another_process(shelf) as holder:
        with waiting(shelf, artifact):
            time.sleep(0.2)
            holder.kill()
            holder.wait()
    texts = [record.getMessage() for record in caplog.records if "waiting" in record.getMessage()]
    assert len(texts) == 1
    assert f"process {holder.pid} on " in texts[0]
    assert all(record.levelno == logging.INFO for record in caplog.records)


def test_a_living_process_is_never_robbed_even_if_it_is_stopped(shelf, artifact):
    with another_process(shelf) as holder:
        holder.send_signal(signal.SIGSTOP)  # it shows no life now
        with waiting(shelf, artifact) as done:
            assert not done.wait(3 * SOON)
            assert json.loads(lease_of(artifact).read_text())["pid"] == holder.pid
            holder.send_signal(signal.SIGCONT)
            assert not done.wait(SOON)
            holder.kill()
            holder.wait()
            assert done.wait(5)


def test_a_killed_process_is_followed_at_once_even_before_it_is_reaped(shelf, artifact):
    with another_process(shelf) as holder:
        holder.kill()
        while Path(f"/proc/{holder.pid}/stat").read_text().split()[2] != "Z":
            time.sleep(0.01)
        assert seconds_to_claim(shelf, artifact) < SOON


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_frees_the_lease_for_the_next(shelf, artifact, number):
    with another_process(shelf) as holder:
        holder.send_signal(number)
        holder.wait()
        assert lease_of(artifact).exists() == (number == signal.SIGTERM)
        assert seconds_to_claim(shelf, artifact) < SOON


# --- Stale and forged ---


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_at_once(shelf, artifact, dead_pid):
    forge(artifact, owner_here(pid=dead_pid))
    assert seconds_to_claim(shelf, artifact) < SOON


def test_a_number_that_another_process_has_now_is_noticed(shelf, artifact):
    with another_process(shelf) as holder:
        forge(artifact, owner_here(pid=holder.pid, started="1"))
        assert seconds_to_claim(shelf, artifact) < SOON


STRANGERS = {
    "another machine": {"host": "elsewhere"},
    "this machine before it was started again": {"boot": "another"},
    "another container": {"processes": "pid:[1]"},
    "this process, forgotten": {},
}


@pytest.mark.parametrize("name", STRANGERS)
def test_an_owner_that_cannot_be_looked_at_is_followed_after_silence(shelf, artifact, name):
    forge(artifact, owner_here(**STRANGERS[name]))
    assert SOON <= seconds_to_claim(shelf, artifact) < 10 * SOON


GARBAGE = {
    "nothing": "",
    "not JSON": "{",
    "no object": "[1, 2]",
    "a missing field": '{"pid": 1}',
    "one field more": json.dumps(owner_here(extra=1)),
    "group of processes": json.dumps(owner_here(pid=0)),
    "all processes": json.dumps(owner_here(pid=-1)),
    "a huge number": json.dumps(owner_here(pid=10**30)),
    "text for a number": json.dumps(owner_here(pid="1")),
    "truth for a number": json.dumps(owner_here(pid=True)),
    "deep": "[" * 100_000,
    "long": json.dumps(owner_here(since="x" * 1_000_000)),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_a_lease_that_says_nothing_is_followed_after_silence(shelf, artifact, name):
    forge(artifact, GARBAGE[name])
    assert SOON <= seconds_to_claim(shelf, artifact) < 10 * SOON


def test_a_pipe_as_lease_is_not_waited_for(shelf, artifact):
    lease_of(artifact).parent.mkdir(parents=True)
    os.mkfifo(lease_of(artifact))
    assert SOON <= seconds_to_claim(shelf, artifact) < 10 * SOON


def test_a_folder_as_lease_is_an_error(shelf, artifact):
    lease_of(artifact).mkdir(parents=True)
    with pytest.raises(StoreError, match="directory"), shelf.claim([artifact]):
        pass


@pytest.mark.parametrize(
    "clock",
    [lambda n: 1.0, lambda n: 4e9 - n, lambda n: time.time() + 3600 * (-1) ** n],
    ids=["1970", "backwards in 2096", "jumps of an hour"],
)
def test_an_owner_elsewhere_that_shows_life_is_never_robbed_whatever_its_clock_says(
    shelf, artifact, clock
):
    path = forge(artifact, owner_here(host="elsewhere"))
    with waiting(shelf, artifact) as done:
        for n in range(20):
            os.utime(path, (n, clock(n) + n / 1000))
            assert not done.wait(SOON / 10)
        path.unlink()
        assert done.wait(5)


def test_this_clock_is_not_asked_either(shelf, artifact, monkeypatch):
    forge(artifact, owner_here(host="elsewhere"))
    genuine, calls = time.time, iter(range(10**6))
    monkeypatch.setattr(leases.time, "time", lambda: genuine() + 3600 * (-1) ** next(calls))
    assert SOON <= seconds_to_claim(shelf, artifact) < 10 * SOON


def test_who_comes_too_late_to_a_stale_lease_does_not_rob_who_was_quicker(
    shelf, artifact, dead_pid
):
    path = forge(artifact, owner_here(pid=dead_pid))
    seen = leases._look(path)
    quicker = json.dumps(owner_here(token="1" * 16))
    path.unlink()
    forge(artifact, quicker)
    assert not leases._replace(path, shelf.folder, seen, "2" * 16)
    assert path.read_text() == quicker
    assert not leases.holds(path)


RACE = """
import sys, time
from corteval import store
shelf = store.Store(sys.argv[1])
artifacts = [shelf.artifact("activations", {"n": n}, rows=2) for n in range(8)]
print("ready", flush=True)
sys.stdin.readline()
for artifact in artifacts:
    with shelf.claim([artifact]):
        flag = artifact.folder.with_name("inside" + artifact.digest)
        with open(flag, "x"):
            time.sleep(0.002)
        flag.unlink()
"""


@pytest.mark.parametrize("processes", [4, pytest.param(32, marks=pytest.mark.slow)])
def test_of_many_that_find_a_stale_lease_one_gets_it_at_a_time(shelf, dead_pid, processes):
    for n in range(8):
        artifact = shelf.artifact("activations", {"n": n}, rows=2)
        forge(artifact, owner_here(pid=dead_pid))
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, shelf.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    for worker in workers:
        assert worker.communicate()[1] == ""
    assert not [*shelf.folder.rglob("*.lease"), *shelf.folder.rglob("*.tmp")]


# --- Heartbeats ---


def test_a_held_lease_shows_life(shelf, artifact):
    with shelf.claim([artifact]):
        seen = {lease_of(artifact).stat().st_mtime_ns}
        end = time.monotonic() + 5
        while len(seen) < 4 and time.monotonic() < end:
            time.sleep(0.01)
            seen.add(lease_of(artifact).stat().st_mtime_ns)
    assert len(seen) == 4


@pytest.mark.parametrize("how", ["removed", "taken"])
def test_a_lease_that_was_lost_is_told_once_and_the_new_owners_is_left_alone(
    shelf, artifact, caplog, how
):
    with shelf.claim([artifact]):
        lease_of(artifact).unlink()
        if how == "taken":
            forge(artifact, owner_here(host="elsewhere", pid=17))
        end = time.monotonic() + 5
        while not caplog.records and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.2)
    (record,) = caplog.records
    assert "may be computed twice" in record.getMessage()
    assert ("process 17 on elsewhere" in record.getMessage()) == (how == "taken")
    assert lease_of(artifact).exists() == (how == "taken")


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
def test_a_forked_child_neither_has_nor_gives_back_its_parents_leases(shelf, artifact):
    with shelf.claim([artifact]):
        child = os.fork()
        if child == 0:
            path = lease_of(artifact)
            fine = not leases.holds(path) and leases.take(path, shelf.folder) is None
            other = shelf.artifact("activations", TWO, rows=2)
            with shelf.claim([other]):
                fine = fine and lease_of(other).exists()
            os._exit(0 if fine and not lease_of(other).exists() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert lease_of(artifact).exists()
    assert not lease_of(artifact).exists()


def test_a_forked_child_can_publish(shelf, artifact):
    shelf.artifact("layouts", ONE).publish()  # starts threads that a child does not have
    child = os.fork()
    if child == 0:
        shelf.artifact("layouts", TWO).publish()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert shelf.artifact("layouts", TWO).complete
