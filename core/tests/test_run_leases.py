"""Leases of tasks, the order of records, and what errors are called: without a worker."""

import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from core.tests.test_run_records import CELL, record

from corteval.errors import CortevalError, FetchError, ScoreFormatError, StorageFull, StoreError
from corteval.run import index
from corteval.run.failures import kind_of
from corteval.run.folder import Outcome, RunFolder
from corteval.run.hiding import without_secrets
from corteval.run.plan import Plan, Task
from corteval.run.records import Measured, Record, Records
from corteval.run.remote import _Printed
from corteval.store import leases

TASK = Task(kind="score", cells=(CELL,), keys=("k" * 64,))
PLAN = Plan(
    models=(CELL.model,),
    benchmarks=(CELL.benchmark,),
    seed=0,
    isolation="process",
    known=(),
    tasks=(TASK,),
)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="processes are looked at by way of Linux's /proc"
)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    return RunFolder.create(PLAN, tmp_path / "run")


@pytest.fixture
def neighbour():
    """A living process that has nothing to do with Corteval."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def forge(run, *, pid, started=None, **fields):
    """The lease of another process, as it would have written it; its path."""
    host, boot, processes = leases._this_machine()
    owner = leases.Owner(
        host=host,
        boot=boot,
        processes=processes,
        pid=pid,
        started=leases._started(pid) or "1" if started is None else started,
        token="another's",
        since="2026-01-01T00:00:00+00:00",
    )
    path = run.folder / "leases" / TASK.identity
    path.write_text(json.dumps(asdict(replace(owner, **fields))))
    return path


# --- Stale and living leases (row 38) ---


def test_the_task_of_a_living_process_is_never_taken_however_old_its_lease(
    run, neighbour, monkeypatch
):
    monkeypatch.setattr(leases, "SILENCE", 0.0)
    path = forge(run, pid=neighbour.pid)
    long_ago = time.time() - 30 * leases.FORGOTTEN
    os.utime(path, (long_ago, long_ago))
    for _ in range(5):
        assert run.claim(TASK) is None
        assert RunFolder(run.folder).claim(TASK) is None
    assert run.attempts(TASK.identity) == []


def test_the_task_of_a_dead_process_is_taken_at_once_and_an_attempt_is_lost(run, neighbour):
    path = forge(run, pid=neighbour.pid)
    neighbour.kill()
    neighbour.wait()
    claim = run.claim(TASK)
    assert claim is not None and json.loads(path.read_text())["pid"] == os.getpid()
    (lost,) = run.attempts(TASK.identity)
    assert lost.failure == "lost" and str(neighbour.pid) in lost.reason
    assert RunFolder(run.folder).claim(TASK) is None  # it is ours now
    run.release(claim)
    assert not path.exists()


def test_a_number_that_another_process_has_now_protects_nothing(run, neighbour):
    forge(run, pid=neighbour.pid, started="1")
    assert run.claim(TASK) is not None


def test_the_start_before_the_last_of_this_machine_is_another_machine(run, neighbour, monkeypatch):
    """Numbers of processes begin anew, so nothing is known but silence."""
    forge(run, pid=neighbour.pid, boot="an earlier start")
    assert run.claim(TASK) is None
    monkeypatch.setattr(leases, "SILENCE", 0.05)
    time.sleep(0.1)
    assert run.claim(TASK) is not None


def test_an_owner_elsewhere_is_robbed_after_silence_only_and_never_while_it_shows_life(
    run, monkeypatch
):
    monkeypatch.setattr(leases, "SILENCE", 0.2)
    path = forge(run, pid=1, host="elsewhere")
    begin = time.monotonic()
    while time.monotonic() - begin < 0.6:  # its clock is an hour slow, and it lives
        moment = time.time() - 3600 + time.monotonic() - begin
        os.utime(path, (moment, moment))
        assert run.claim(TASK) is None
        time.sleep(0.05)
    begin = time.monotonic()
    while (claim := run.claim(TASK)) is None:
        time.sleep(0.02)
        assert time.monotonic() - begin < 5
    assert time.monotonic() - begin >= 0.1  # since it was seen last
    run.release(claim)


@pytest.mark.parametrize("hours", [-1, 1, 24 * 365 * 20])
def test_a_clock_that_jumps_neither_frees_nor_takes_a_task(run, neighbour, monkeypatch, hours):
    genuine = time.time
    forge(run, pid=neighbour.pid)
    monkeypatch.setattr(time, "time", lambda: genuine() + 3600 * hours)
    assert run.claim(TASK) is None
    neighbour.kill()
    neighbour.wait()
    claim = run.claim(TASK)
    assert claim is not None
    monkeypatch.undo()
    assert RunFolder(run.folder).claim(TASK) is None
    run.release(claim)
    assert RunFolder(run.folder).claim(TASK) is not None


def test_how_an_earlier_process_of_the_same_number_ended_is_not_held_against_a_later_one(
    run, neighbour
):
    run.note_end(neighbour.pid, code=-11, signal="SIGSEGV")
    run.forget_end(neighbour.pid)  # a worker does so when it starts
    forge(run, pid=neighbour.pid)
    neighbour.kill()
    neighbour.wait()
    assert run.claim(TASK) is not None
    assert [a.failure for a in run.attempts(TASK.identity)] == ["lost"]


@pytest.mark.slow
@pytest.mark.parametrize("module", ["worker", "errand"])
def test_a_worker_forgets_how_an_earlier_process_of_its_number_ended(run, module):
    """The shell notes the end of its own number, then becomes the worker."""
    note = run.folder / "workers" / "note.py"
    note.write_text(
        "import os, sys\n"
        "from corteval.run.folder import RunFolder\n"
        f"RunFolder({str(run.folder)!r}).note_end(os.getpid(), code=-11, signal='SIGSEGV')\n"
        f"assert [*RunFolder({str(run.folder)!r}).folder.glob('workers/*.json')]\n"
        f"os.execv(sys.executable, [sys.executable, '-m', 'corteval.run.{module}', "
        f"{str(run.folder)!r}, '--name', 'w'])\n"
    )
    run.finish(TASK, Outcome(status="done"))
    command = [sys.executable, str(note)]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60).returncode in (0, 143)
    assert not [*run.folder.glob("workers/*.json")]


def test_a_worker_that_the_kernel_ended_for_want_of_memory_is_told_from_one_that_died(
    run, neighbour
):
    for number in range(2):
        run.note_end(neighbour.pid, code=-9, signal="SIGKILL", memory=True)
        forge(run, pid=neighbour.pid, started="1")
        claim = run.claim(TASK)
        assert (claim is not None) == (number == 0)
        if claim is not None:
            run.release(claim)
    assert run.outcome(TASK.identity).failure == "memory"  # the second time is the last


# --- The order of history (row 32) ---


def test_history_is_ordered_by_what_was_made_when_not_by_clocks_nor_by_what_is_left(tmp_path):
    kept = Records(tmp_path)
    paths = []
    for number, started in enumerate(("2039-01-01", "2026-01-01", "1970-01-01", "2026-01-01")):
        made = record(number / 10, measured=Measured(started=started))
        paths.append(kept.add(made))
        with index.opened(kept) as found:
            assert found.current("k" * 64).value == number / 10
    paths[0].unlink()  # counting what is left would give the next the number of the last
    paths[1].unlink()
    for records in (kept, Records(tmp_path)):
        added = records.add(record(0.01 + len([*records.paths()])))
        with index.opened(records) as found:
            assert found.current("k" * 64).name == added.stem
    numbers = sorted(kept.read(p).measured.sequence for p in kept.paths())
    assert numbers == [3, 4, 5, 6]


# --- Records that were edited, or are of another release (rows 31 and 40) ---


def edited(path, **changes):
    """The file with fields changed, each by its path with dots."""
    content = json.loads(path.read_text())
    for name, value in changes.items():
        *parents, last = name.split("__")
        place = content
        for part in parents:
            place = place[part]
        place[last] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"content__score__value": 0.75}, "content.score.value"),
        ({"content__cell": {**asdict(CELL), "model": "better"}}, "content.cell"),
        ({"content__score__provenance": None}, "content.score.provenance"),
        ({"content__parents": {"stimuli": "e"}}, "content.parents"),
        ({"content__isolation": "sandbox"}, "content.isolation"),
        ({"measured__sequence": 99}, "measured.sequence"),
        ({"measured__host": "another"}, "measured.host"),
        ({"measured__more": 1}, "measured.more"),
    ],
)
def test_a_record_that_was_edited_is_named_with_the_field(tmp_path, change, named):
    kept = Records(tmp_path)
    path = kept.add(record(0.5))
    edited(path, **change)
    with pytest.raises(ScoreFormatError) as caught:
        kept.read(path)
    assert str(path) in str(caught.value) and f"written: {named}." in str(caught.value)


def test_any_bit_of_a_record_that_rots_is_noticed(tmp_path):
    kept = Records(tmp_path)
    path = kept.add(record(0.123456, seconds=None, measured=Measured(host="h", seconds=2.5)))
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    for offset in draw.integers(len(whole), size=200):
        rotten = bytearray(whole)
        rotten[offset] ^= 1 << int(draw.integers(8))
        path.write_bytes(rotten)
        with pytest.raises(ScoreFormatError):
            kept.read(path)
    assert kept.add(record(0.123456, seconds=None)) == path  # written again
    assert kept.read(path).score.value == 0.123456


def test_digests_that_were_edited_are_no_excuse(tmp_path):
    kept = Records(tmp_path)
    path = kept.add(record(0.5))
    edited(path, digests={})
    with pytest.raises(ScoreFormatError, match="it was changed"):
        kept.read(path)


def test_a_score_replayed_for_another_model_is_found_even_with_digests_made_anew(tmp_path):
    kept = Records(tmp_path)
    mine = record(0.5)
    path = kept.add(replace(mine, cell=replace(mine.cell, model="better")))
    with pytest.raises(ScoreFormatError, match=r"content\.score\.model is toy-vision"):
        kept.read(path)


def test_a_record_of_a_later_release_is_said_to_be_one(tmp_path):
    kept = Records(tmp_path)
    path = kept.add(record(0.5))
    for change in ({"content__schema": "corteval.cell/2"}, {"content__score": {"new": 1}}):
        edited(path, **change)
        with pytest.raises(ScoreFormatError, match=r"'corteval\.cell/2'.*upgrade"):
            kept.read(path)


def test_a_measurement_that_a_later_release_adds_is_passed_over(tmp_path):
    """It is no part of the score; digests are of what the file says."""
    kept = Records(tmp_path)
    path = kept.add(record(0.5))
    content = json.loads(path.read_text())
    content["measured"]["energy_joules"] = 3
    del content["digests"], content["sha256"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    content["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    path.write_text(json.dumps(content))
    assert kept.read(path).score.value == 0.5


#: A record as release 0.1 wrote it before records had digests of fields, and its name.
OLD = (
    '{"content":{"cell":{"benchmark":"ToyData.IT-predictivity","model":"toy-vision","seed":0},'
    '"isolation":"process","key":"%s","parents":{},"schema":"corteval.cell/1","score":{"benchmark":'
    '"ToyData.IT-predictivity","ceiling":null,"chance":0.0,"interval":null,"model":"toy-vision",'
    '"normalization":"","notes":[],"provenance":null,"raw":null,"reason":"","samples":null,'
    '"schema":"corteval.record/1","status":"scored","value":0.25}},"measured":{"host":"h",'
    '"peak_bytes":1,"run":"r","seconds":1.0,"sequence":1,"started":"2026-11-01"},'
    '"sha256":"%s"}\n'
)
OLD_NAME = "b724f24bbb9890acdfb1f5882177a7502eea7e7b08708b6a68aa626a26cd2561"
OLD_DIGEST = "2bca5a29a574d3b60faed618dca5516d02023e4b659d37e1a22eb02844531887"


def test_a_record_of_an_earlier_release_is_read_and_may_not_be_changed_either(tmp_path):
    kept = Records(tmp_path)
    path = tmp_path / "toy-vision" / f"{OLD_NAME}.json"
    path.parent.mkdir()
    path.write_text(OLD % ("a" * 64, OLD_DIGEST))
    found = kept.read(path)
    assert (found.score.value, found.measured.retries) == (0.25, 0)
    with index.opened(kept) as known:
        assert known.current("a" * 64).value == 0.25
    assert Record.from_json(found.to_json()).score == found.score
    path.write_text(path.read_text().replace("0.25", "0.75"))
    with pytest.raises(ScoreFormatError, match="it was changed"):
        kept.read(path)


# --- What errors are called (rows 7 to 10), and what they do not say (row 44) ---


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you"), "memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "memory"),
        (OSError(12, "Cannot allocate memory"), "memory"),
        (RuntimeError("std::bad_alloc"), "memory"),
        (caused(CortevalError("One stimulus does not fit."), MemoryError()), "memory"),
        (StorageFull("no"), "storage"),
        (OSError(28, "No space left on device"), "storage"),
        (OSError(122, "Disk quota exceeded"), "storage"),
        (caused(StoreError("no"), OSError(30, "Read-only file system")), "storage"),
        (caused(FetchError("no"), OSError(28, "No space left on device")), "storage"),
        (StoreError("The key is a list; give names and values."), "error"),
        (FetchError("no"), "network"),
        (caused(CortevalError("no weights"), FetchError("no")), "network"),
        (PermissionError(13, "Permission denied"), "error"),
        (ValueError("the plugin is wrong"), "error"),
    ],
)
def test_errors_are_of_the_kind_that_says_whether_another_time_may_go_better(error, kind):
    assert kind_of(error) == kind


def test_errors_that_came_of_each_other_in_a_ring_are_looked_at_once():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert kind_of(first) == "error"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a plain text with = and https://host/a?b=c", None),
        ("https://me:pass-word@host/a", "https://***@host/a"),
        (
            "https://s3/a?X-Amz-Signature=0f0f&b=c and ?access_token=ab12",
            "https://s3/a?X-Amz-Signature=***&b=c and ?access_token=***",
        ),
        ('with tok"en/12345 and short', "with *** and short"),
        ("with 'tok\\\"en/12345' and tok%22en%2F12345", "with '***' and ***"),
    ],
)
def test_secrets_are_hidden_and_all_else_stays(monkeypatch, said, shown):
    monkeypatch.setenv("SOME_TOKEN", 'tok"en/12345')
    monkeypatch.setenv("OTHER_PASSWORD", "short")  # a word like any other
    assert without_secrets(said) == (said if shown is None else shown)


@pytest.mark.parametrize("log", ["/dev/full", "a folder"])
def test_what_a_model_prints_is_read_though_it_cannot_be_kept(tmp_path, log):
    """A pipe that nobody empties would stop the model for ever."""
    words = "import sys; sys.stderr.write('x' * 200_000 + '\\n' * 99_999 + 'the last words')"
    process = subprocess.Popen([sys.executable, "-c", words], stderr=subprocess.PIPE)
    printed = _Printed(Path(log) if log.startswith("/") else tmp_path)
    printed.follow(process.stderr)
    assert process.wait(60) == 0
    printed.close()
    assert printed.tail.endswith("\nthe last words")


def test_of_what_a_model_prints_a_line_is_kept_as_it_is_but_for_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "tok-en-12345")
    words = "import os; [os.write(2, bytes([b])) for b in 'a tok-en-12345\\n\\xe9'.encode()]"
    process = subprocess.Popen([sys.executable, "-c", words], stderr=subprocess.PIPE)
    printed = _Printed(tmp_path / "log")
    printed.follow(process.stderr)
    process.wait(60)
    printed.close()
    assert (tmp_path / "log").read_bytes() == "a ***\n\xe9".encode()
