"""Stored bytes when processes die, disks fill up, files rot, and strangers write."""

import contextlib
import errno
import json
import logging
import os
import pickle
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from corteval import store
from corteval.errors import StorageFull, StoreError
from corteval.store import blocks, canonical, disk, manifest

KEY = {"model": "m", "layer": "l"}
ROWS, SIZE = 20, 4  # five blocks


def responses(rows=ROWS, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, 6)).astype(np.float32)


def artifact_in(shelf, key=KEY, rows=ROWS):
    return shelf.artifact("activations", key, rows=rows, rows_per_block=SIZE)


def fill(artifact, array=None, **facts):
    array = responses() if array is None else array
    computed = artifact.missing()
    for index in computed:
        artifact.write(index, array[artifact.rows_of(index)])
    artifact.publish(**facts)
    return computed


def read(artifact):
    return np.concatenate([artifact.block(index) for index in range(artifact.blocks)])


def file_of(artifact, index):
    (file,) = artifact.folder.glob(f"B{index:05d}-*.npy")
    return file


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def shelf(tmp_path):
    """An empty store that no test process has looked at."""
    blocks.forget()
    return store.Store(tmp_path / "store")


@pytest.fixture
def published(shelf):
    artifact = artifact_in(shelf)
    fill(artifact, seconds=1)
    blocks.forget()
    return artifact


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


# --- Damage ---


def truncate(path, size):
    with path.open("r+b") as file:
        file.truncate(size)


def flip(path, offset, bit=0):
    with path.open("r+b") as file:
        file.seek(offset)
        (byte,) = file.read(1)
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


DAMAGE = {
    "empty": lambda path: truncate(path, 0),
    "one byte": lambda path: truncate(path, 1),
    "half": lambda path: truncate(path, path.stat().st_size // 2),
    "one byte short": lambda path: truncate(path, path.stat().st_size - 1),
    "one byte long": lambda path: truncate(path, path.stat().st_size + 1),
    "first bit": lambda path: flip(path, 0),
    "last bit": lambda path: flip(path, path.stat().st_size - 1, 7),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a link to nowhere": lambda path: (path.unlink(), path.symlink_to("nowhere")),
    "a link to a device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
}


@pytest.mark.parametrize("finished", [True, False], ids=["published", "unfinished"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_block_alone_is_computed_again_after_one_warning(shelf, caplog, damage, finished):
    artifact = artifact_in(shelf)
    fill(artifact)
    if not finished:
        (artifact.folder / "manifest.json").unlink()
    DAMAGE[damage](file_of(artifact, 3))
    blocks.forget()
    again = artifact_in(shelf)
    with caplog.at_level(logging.WARNING):
        assert again.missing() == (3,)
        assert again.missing() == (3,)
        assert fill(again) == (3,)
    said = warnings_of(caplog)
    unnoticed = not finished and damage in {"gone", "a link to nowhere"}  # as if never written
    assert len(said) == (0 if unnoticed else 1)
    assert all("block 3" in text for text in said)
    assert artifact_in(shelf).complete
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())
    kept = [name for name in names(artifact.folder) if ".corrupt-" in name]
    assert len(kept) == (0 if damage in {"gone", "a link to nowhere"} else 1)


@pytest.mark.parametrize("damage", [d for d in DAMAGE if d != "gone"])
def test_a_damaged_manifest_costs_no_block(shelf, published, caplog, damage):
    DAMAGE[damage](published.folder / "manifest.json")
    again = artifact_in(shelf)
    with caplog.at_level(logging.WARNING):
        assert (again.missing(), again.facts, again.complete) == ((), None, False)
    gone = damage == "a link to nowhere"
    assert len(warnings_of(caplog)) == (0 if gone else 1)
    assert fill(again, seconds=2) == ()
    assert artifact_in(shelf).facts == {"seconds": 2}
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


def test_every_flipped_bit_of_a_block_is_noticed(shelf, published):
    draw = random.Random(0)
    sound = {i: file_of(published, i).read_bytes() for i in range(published.blocks)}
    for _ in range(100):
        index = draw.randrange(published.blocks)
        path = file_of(published, index)
        flip(path, draw.randrange(len(sound[index])), draw.randrange(8))
        blocks.forget()
        again = artifact_in(shelf)
        assert again.missing() == (index,)
        with pytest.raises(StoreError, match=f"Block {index} .* is not in the store"):
            again.block(index)
        path.write_bytes(sound[index])


def test_a_flipped_bit_of_a_manifest_never_changes_what_it_says(shelf, published):
    path = published.folder / "manifest.json"
    sound = path.read_bytes()
    noticed = 0
    for offset in random.Random(0).sample(range(len(sound)), 100):
        path.write_bytes(sound)
        flip(path, offset, offset % 8)
        again = artifact_in(shelf)
        assert again.facts in (None, {"seconds": 1})
        noticed += again.facts is None
        assert again.missing() == ()
    assert noticed > 50  # the rest is indentation


def test_a_block_that_rots_while_the_process_runs_is_noticed_at_the_next_use(shelf, caplog):
    artifact = artifact_in(shelf)
    fill(artifact)
    np.testing.assert_array_equal(artifact.block(2), responses()[8:12])
    flip(file_of(artifact, 2), 200)
    with pytest.raises(StoreError, match="bytes have changed"):
        artifact.block(2)
    assert artifact.missing() == (2,)
    assert len(warnings_of(caplog)) == 1


def test_a_block_rewritten_with_other_bytes_renews_the_manifest(shelf, published):
    other = responses(seed=1)
    file_of(published, 1).unlink()
    again = artifact_in(shelf)
    assert again.missing() == (1,)
    again.write(1, other[4:8])
    unrenewed = artifact_in(shelf)
    assert (unrenewed.missing(), unrenewed.facts) == ((), None)
    again.publish(seconds=2)
    assert artifact_in(shelf).facts == {"seconds": 2}
    np.testing.assert_array_equal(artifact_in(shelf).block(1), other[4:8])
    assert not shelf.verify()
    assert len(names(published.folder)) == 6


def test_of_two_sound_files_of_an_unfinished_block_the_newer_is_used_and_the_other_removed(shelf):
    artifact = artifact_in(shelf)
    artifact.write(0, responses(seed=1)[:4])
    os.utime(file_of(artifact, 0), (1, 1))
    artifact.write(0, responses()[:4])
    again = artifact_in(shelf)
    fill(again)
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())
    assert len(names(again.folder)) == 6


def test_blocks_that_do_not_belong_together_are_all_computed_again(shelf, caplog):
    artifact = artifact_in(shelf)
    artifact.write(0, responses()[:4])
    stranger = artifact_in(shelf)
    stranger._like = None
    stranger.write(1, responses()[4:8].astype(np.float64))
    again = artifact_in(shelf)
    assert again.missing() == (0, 1, 2, 3, 4)
    fill(again)
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


@pytest.mark.parametrize(
    ("policy", "notices"),
    [("full", {"half", "gone", "last bit"}), ("size", {"half", "gone"}), ("off", {"gone"})],
)
def test_the_policy_says_how_closely_published_blocks_are_looked_at(
    shelf, published, monkeypatch, policy, notices
):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", policy)
    for damage in ("half", "gone", "last bit"):
        sound = file_of(published, 0)
        content = sound.read_bytes()
        DAMAGE[damage](sound)
        blocks.forget()
        assert (artifact_in(shelf).missing() == (0,)) == (damage in notices)
        sound.write_bytes(content)


def test_an_unfinished_block_is_hashed_whatever_the_policy(shelf, published, monkeypatch):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", "off")
    (published.folder / "manifest.json").unlink()
    flip(file_of(published, 0), 200)
    assert artifact_in(shelf).missing() == (0,)


def test_with_the_checks_off_a_file_that_is_no_array_is_still_an_error_of_the_store(
    shelf, published, monkeypatch
):
    monkeypatch.setenv("CORTEVAL_STORE_VERIFY", "off")
    truncate(file_of(published, 0), 200)
    with pytest.raises(StoreError, match="is no array"):
        artifact_in(shelf).block(0)


def test_a_file_is_hashed_once_a_process(shelf, published, monkeypatch):
    hashed = []
    digest = blocks.hashlib.file_digest
    monkeypatch.setattr(
        blocks.hashlib, "file_digest", lambda file, how: hashed.append(1) or digest(file, how)
    )
    for _ in range(3):
        again = artifact_in(shelf)
        assert again.complete
        read(again)
    assert len(hashed) == published.blocks


# --- Processes that die ---

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


def contents_of(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("B*")}


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


# --- Disks that refuse ---


@contextlib.contextmanager
def mounted(size):
    """A small disk of its own, and a function that makes it read-only."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", folder]
        if os.geteuid() or not shutil.which("mount") or subprocess.run(command).returncode:
            pytest.skip("a small disk cannot be mounted here")
        try:
            yield (
                Path(folder),
                lambda: subprocess.run(["mount", "-o", "remount,ro", folder], check=True),
            )
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_told_leaves_nothing_behind_and_is_no_obstacle_later():
    with mounted("4m") as (folder, _):
        shelf = store.Store(folder / "store")
        array = np.random.default_rng(0).random((6, 100_000))  # six blocks of 0.8 MB
        artifact = shelf.artifact("activations", KEY, rows=6, rows_per_block=1)
        ballast = folder / "ballast"
        ballast.write_bytes(bytes(1_000_000))
        with shelf.claim([artifact]), pytest.raises(StorageFull) as caught:
            for index in artifact.missing():
                artifact.write(index, array[index : index + 1])
        for advice in ("no space left", "cache gc", "CORTEVAL_HOME", "--no-store", str(folder)):
            assert advice in str(caught.value)
        assert not [*folder.rglob("*.tmp"), *folder.rglob("*.lease")]
        stored = len(names(artifact.folder))
        assert 1 <= stored < 6
        other = shelf.artifact("layouts", KEY)
        with shelf.claim([other]):  # a small one still fits
            other.publish(small=True)
        ballast.unlink()
        shelf.artifact("layouts", KEY)
        again = shelf.artifact("activations", KEY, rows=6, rows_per_block=1)
        assert len(again.missing()) == 6 - stored


def test_a_disk_without_room_for_names_is_full_too():
    with mounted("4m,nr_inodes=12") as (folder, _):
        shelf = store.Store(folder)
        with pytest.raises(StorageFull, match="no space left"):
            for n in range(20):
                artifact = shelf.artifact("layouts", {"n": n})
                with shelf.claim([artifact]):
                    artifact.publish()
        assert not [*folder.rglob("*.tmp"), *folder.rglob("*.lease")]


LIMITED = """
import resource, sys
import numpy as np
from corteval import store
from corteval.errors import StorageFull
shelf = store.Store(sys.argv[1])
small = shelf.artifact("activations", {"n": 0}, rows=1)
large = shelf.artifact("activations", {"n": 1}, rows=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
with shelf.claim([small, large]):
    try:
        large.write(0, np.zeros((1, 10**6)))
    except StorageFull as error:
        print(error)
    small.write(0, np.zeros((1, 10)))
    small.publish()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    print([*large.folder.iterdir()])
    large.write(0, np.zeros((1, 10**6)))
    large.publish()
print(small.complete, large.complete)
"""


def test_a_limit_of_file_sizes_is_told_and_others_go_on(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path], capture_output=True, text=True, check=True
    )
    told, left, complete = done.stdout.splitlines()
    assert "may not become that large" in told and "ulimit -f" in told
    assert (left, complete) == ("[]", "True True")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
@pytest.mark.parametrize("call", ["write", "close", "replace", "fsync"])
def test_whatever_call_finds_the_disk_full_nothing_is_left(shelf, monkeypatch, number, call):
    artifact = artifact_in(shelf)
    array = responses()
    for index in artifact.missing()[1:]:
        artifact.write(index, array[artifact.rows_of(index)])
    genuine = getattr(os, call)

    def refuse(*arguments):
        if call == "close":
            genuine(*arguments)
        raise OSError(number, os.strerror(number))

    expected = StoreError if number == errno.EIO else StorageFull
    with pytest.raises(expected) as caught:
        with monkeypatch.context() as patch:
            patch.setattr(os, call, refuse)
            artifact.write(0, array[:4])
            artifact.publish()
    assert isinstance(caught.value, StorageFull) == (number != errno.EIO)
    assert not [*shelf.folder.rglob("*.tmp")]
    fill(artifact)
    np.testing.assert_array_equal(read(artifact_in(shelf)), array)


def test_a_read_only_store_serves_what_it_has_without_leases_and_refuses_the_rest_at_once():
    with mounted("4m") as (folder, make_read_only):
        shelf = store.Store(folder / "store")
        fill(artifact_in(shelf))
        make_read_only()
        blocks.forget()
        check_read_only(shelf)


def check_read_only(shelf):
    artifact = artifact_in(shelf)
    with shelf.claim([artifact]):
        np.testing.assert_array_equal(read(artifact), responses())
    assert artifact.facts == {}
    assert not shelf.verify()
    assert shelf.collect(0) == []
    absent = artifact_in(shelf, {"model": "other"})
    start = time.monotonic()
    for use in (lambda: shelf.claim([artifact, absent]).__enter__(), lambda: fill(absent)):
        with pytest.raises(StoreError, match="CORTEVAL_HOME") as caught:
            use()
        assert not isinstance(caught.value, StorageFull)
    assert time.monotonic() - start < 1


def test_damage_in_a_read_only_store_is_told_once_and_never_used(caplog):
    with mounted("4m") as (folder, make_read_only):
        shelf = store.Store(folder / "store")
        fill(artifact_in(shelf))
        flip(file_of(artifact_in(shelf), 2), 200)
        make_read_only()
        blocks.forget()
        artifact = artifact_in(shelf)
        assert artifact.missing() == artifact.missing() == (2,)
        with pytest.raises(StoreError, match="Block 2"):
            artifact.block(2)
        assert len(warnings_of(caplog)) == 1
        with pytest.raises(StoreError, match="CORTEVAL_HOME"), shelf.claim([artifact]):
            pass


def test_a_folder_without_the_right_to_write_is_as_good_as_a_read_only_disk():
    with tempfile.TemporaryDirectory() as folder:
        shelf = store.Store(folder)
        fill(artifact_in(shelf))
        Path(folder).chmod(0o755)
        for path in Path(folder).rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
        blocks.forget()
        as_nobody(lambda: check_read_only(shelf))
        for path in Path(folder).rglob("*"):
            path.chmod(0o700)


def test_a_folder_that_cannot_be_made_is_told_at_once():
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)

        def use():
            artifact = artifact_in(store.Store(Path(folder) / "home" / "store"))
            assert artifact.missing() == (0, 1, 2, 3, 4)
            with pytest.raises(StoreError, match=r"Permission denied.*CORTEVAL_HOME"):
                store.Store(Path(folder) / "home" / "store").claim([artifact]).__enter__()

        as_nobody(use)
        Path(folder).chmod(0o700)


def test_blocks_that_may_not_be_read_are_an_error_and_not_computed_again():
    with tempfile.TemporaryDirectory() as folder:
        shelf = store.Store(folder)
        fill(artifact_in(shelf))
        Path(folder).chmod(0o755)
        file_of(artifact_in(shelf), 0).chmod(0)
        blocks.forget()

        def use():
            with pytest.raises(StoreError, match="Permission denied"):
                artifact_in(shelf).missing()

        as_nobody(use)


def as_nobody(use):
    """Call `use` in a child without rights, and expect that it succeeds."""
    child = os.fork()
    if child == 0:
        try:
            os.environ["XDG_CONFIG_HOME"] = "/nowhere"  # pytest's own folders are closed to nobody
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            use()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("where", ["", "activations", "activations/{prefix}"])
def test_a_file_where_a_folder_should_be_is_told(shelf, where):
    artifact = artifact_in(shelf)
    path = shelf.folder / where.format(prefix=artifact.digest[:2])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        with shelf.claim([artifact]):
            fill(artifact)


# --- Strangers ---

RAN = []


class Canary:
    def __reduce__(self):
        return RAN.append, ("the pickle ran",)


def npy(header, data=b""):
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def header(descr="'<f4'", order="False", shape="(4, 6)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


FLOATS = bytes(96)
HOSTILE_BLOCKS = {
    "a pickle": pickle.dumps(Canary()),
    "an array of objects": npy(header("'|O'", shape="(4,)"), pickle.dumps(Canary())),
    "objects as floats": npy(header("'|O8'"), FLOATS),
    "a pickle after the numbers": npy(header(), FLOATS + pickle.dumps(Canary())),
    "a dtype with fields": npy(header("[('a', '<f4')]", shape="(4, 6)"), FLOATS),
    "text": npy(header("'<U1'"), FLOATS),
    "Fortran order": npy(header(order="True"), FLOATS),
    "too many rows": npy(header(shape="(5, 6)"), bytes(120)),
    "no rows": npy(header(shape="()"), bytes(4)),
    "huge": npy(header(shape="(4, 999999999999999)"), FLOATS),
    "beyond any integer": npy(header(shape=f"(4, {'9' * 900})"), FLOATS),
    "an overflow": npy(header(shape="(4, 4611686018427387904, 4)"), FLOATS),
    "negative": npy(header(shape="(-4, -6)"), FLOATS),
    "a call as shape": npy(header(shape="__import__('os').abort()"), FLOATS),
    "nested": npy(header(shape="(" * 400 + ")" * 400), FLOATS),
    "many axes": npy(header(shape=f"(4, {'1, ' * 70}6)"), FLOATS),
    "a header as long as can be": npy("{" + " " * 65_534, FLOATS),
    "a header that ends early": b"\x93NUMPY\x01\x00\xff\xff{",
    "another version": b"\x93NUMPY\x03\x00" + npy(header(), FLOATS)[8:],
    "a null byte": npy(header().replace("False", "False\0"), FLOATS),
    "not ASCII": npy(header("'<f\xe94'"), FLOATS),
    "a zip": b"PK\x03\x04" + FLOATS,
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE_BLOCKS)
def test_a_hostile_block_with_the_right_hash_in_its_name_is_set_aside(shelf, name):
    content = HOSTILE_BLOCKS[name]
    artifact = artifact_in(shelf)
    fill(artifact)
    (artifact.folder / "manifest.json").unlink()
    file_of(artifact, 0).unlink()
    hostile = artifact.folder / f"B00000-{sha256(content).hexdigest()[:16]}.npy"
    hostile.write_bytes(content)
    blocks.forget()
    again = artifact_in(shelf)
    assert again.missing() == (0,)
    assert fill(again) == (0,)
    np.testing.assert_array_equal(read(again), responses())
    assert RAN == []


def test_a_huge_block_full_of_holes_is_not_read(shelf):
    artifact = artifact_in(shelf)
    artifact.folder.mkdir(parents=True)
    path = artifact.folder / f"B00000-{'0' * 16}.npy"
    path.write_bytes(npy(header(shape="(4, 274877906944)")))
    with path.open("r+b") as file:
        try:
            file.truncate(1 << 42)
        except OSError:
            pytest.skip("this disk has no sparse files of that size")
    start = time.monotonic()
    assert 0 in artifact.missing()
    assert time.monotonic() - start < 1


@pytest.mark.parametrize(
    "name",
    [
        "B00000-0123456789abcdef.npy.exe",
        "B0-0123456789abcdef.npy",
        "B00000-0123456789ABCDEF.npy",
        "b00000-0123456789abcdef.npy",
        "B99999-0123456789abcdef.npy",
        "B00000-..0123456789abcd.npy",
        "B00000.npy",
        "B00000-0123456789abcdef.npy\n",
        "B\N{ARABIC-INDIC DIGIT ZERO}0000-0123456789abcdef.npy",
    ],
)
def test_names_that_are_not_those_of_its_blocks_are_passed_over(shelf, published, name):
    (published.folder / name).write_bytes(pickle.dumps(Canary()))
    again = artifact_in(shelf)
    assert again.complete
    np.testing.assert_array_equal(read(again), responses())
    assert RAN == []


def signed(content):
    """A manifest with the right check, as a stranger who knows the code makes it."""
    content = {name: value for name, value in content.items() if name != "check"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps(content | {"check": sha256(text.encode()).hexdigest()})


def changed(**changes):
    return lambda content: signed(content | changes)


def changed_block(**changes):
    def change(content):
        content["blocks"][0] |= changes
        return signed(content)

    return change


def without(name):
    return lambda content: signed({key: v for key, v in content.items() if key != name})


HOSTILE_MANIFESTS = {
    "not JSON": lambda _: "{",
    "another type": lambda _: "[]",
    "a number": lambda _: "1",
    "a pickle": lambda _: pickle.dumps(Canary()).decode("latin-1"),
    "nested deeply": lambda _: "[" * 200_000,
    "nested objects": lambda _: '{"a":' * 200_000,
    "an integer of many digits": lambda _: '{"schema": ' + "9" * 100_000 + "}",
    "an infinite number": lambda c: signed(c).replace('"seconds": 1', '"seconds": 1e309'),
    "NaN": lambda c: signed(c).replace('"seconds": 1', '"seconds": NaN'),
    "a name twice": lambda c: signed(c)[:-1] + ', "rows": 20}',
    "a name twice inside": lambda c: signed(c).replace('{"seconds": 1}', '{"a": 1, "a": 1}'),
    "no schema": without("schema"),
    "a newer schema": changed(schema=2),
    "a true schema": changed(schema=True),
    "schema as text": changed(schema="1"),
    "no facts": without("facts"),
    "no blocks": without("blocks"),
    "facts that are a list": changed(facts=[]),
    "another number of blocks": changed(blocks=[]),
    "blocks that are text": changed(blocks="abcde"),
    "blocks that are numbers": changed(blocks=[1, 2, 3, 4, 5]),
    "a block with a path": changed_block(name="../../../etc/passwd"),
    "a block with another hash": changed_block(sha256="../../passwd"),
    "a hash that is a number": changed_block(sha256=0),
    "a block of another size": changed_block(bytes=10**30),
    "a block of negative size": changed_block(bytes=-1),
    "a shape of other rows": changed(shape=[21, 6]),
    "an absurd shape": changed(shape=[20, 10**18]),
    "a shape of text": changed(shape=[20, "6"]),
    "a shape of many axes": changed(shape=[20] + [1] * 100_000),
    "a negative shape": changed(shape=[20, -6]),
    "a dtype of objects": changed(dtype="|O"),
    "a dtype that is a list": changed(dtype=["<f4"]),
    "a dtype that is long": changed(dtype="<f4" * 100_000),
    "rows beyond bounds": changed(rows=10**40),
    "rows that are a float": changed(rows=20.0),
    "no rows a block": changed(rows_per_block=0),
    "a kind with dots": changed(kind="../.."),
    "a key that is a list": changed(key=[]),
    "a key with half a character": changed(key={"model": "\ud800"}),
    "too long": lambda c: signed(c | {"facts": {"x": "y" * 5_000_000}}),
    "bytes that are no text": lambda c: b"\xff\xfe".decode("latin-1") + signed(c),
}


@pytest.mark.parametrize("name", HOSTILE_MANIFESTS)
def test_a_hostile_manifest_is_set_aside_and_costs_no_block(shelf, published, caplog, name):
    path = published.folder / "manifest.json"
    text = HOSTILE_MANIFESTS[name](json.loads(path.read_text()))
    path.write_bytes(text.encode("latin-1" if name.startswith(("bytes", "a pickle")) else "utf-8"))
    start = time.monotonic()
    again = artifact_in(shelf)
    assert (again.facts, again.missing()) == (None, ())
    assert len(warnings_of(caplog)) == 1
    assert time.monotonic() - start < 2
    assert fill(again) == ()
    assert artifact_in(shelf).facts == {}
    assert RAN == []


def test_signing_as_a_stranger_does_is_no_damage_by_itself(shelf, published):
    path = published.folder / "manifest.json"
    path.write_text(signed(json.loads(path.read_text()) | {"facts": {"seconds": 2}}))
    assert artifact_in(shelf).facts == {"seconds": 2}


FOREIGN = {
    "another key": changed(key={"model": "other", "layer": "l"}),
    "another key and its digest": lambda content: signed(
        content
        | {
            "key": {"model": "other"},
            "digest": canonical.digest_of(
                {n: content[n] for n in ("schema", "kind", "rows", "rows_per_block")}
                | {"key": {"model": "other"}}
            ),
        }
    ),
    "another digest": changed(digest="0" * 64),
    "a digest that is none": changed(digest=None),
    "another kind": changed(kind="layouts"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_blocks_of_another_key_are_set_aside_and_computed_again(shelf, published, caplog, name):
    path = published.folder / "manifest.json"
    path.write_text(FOREIGN[name](json.loads(path.read_text())))
    again = artifact_in(shelf)
    assert again.missing() == (0, 1, 2, 3, 4)
    assert len(warnings_of(caplog)) == 1
    assert len(fill(again)) == 5
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


def test_a_folder_copied_under_another_digest_is_not_believed(shelf, published):
    other = artifact_in(shelf, {"model": "other"})
    other.folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(published.folder, other.folder)
    assert (other.facts, other.missing()) == (None, (0, 1, 2, 3, 4))
    assert published.complete


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@hypothesis_settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(["schema", "kind", "key", "rows", "rows_per_block", "digest", "dtype"])
    | st.sampled_from(["shape", "blocks", "facts"]),
    value=json_values,
)
def test_whatever_a_field_of_a_manifest_says_reading_ends_in_blocks_or_in_their_absence(
    tmp_path_factory, name, value
):
    shelf = store.Store(tmp_path_factory.mktemp("fuzz"))
    artifact = artifact_in(shelf)
    fill(artifact)
    path = artifact.folder / "manifest.json"
    path.write_text(signed(json.loads(path.read_text()) | {name: value}))
    again = artifact_in(shelf)
    again.missing()
    shelf.entries()
    fill(again)
    np.testing.assert_array_equal(read(artifact_in(shelf)), responses())


@hypothesis_settings(deadline=None)
@given(st.binary(max_size=300))
def test_bytes_at_random_are_no_manifest(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.json"
        path.write_bytes(content)
        with pytest.raises(blocks.Damaged):
            manifest.read(path, None)


def test_no_file_of_the_store_is_a_pickle_and_its_code_imports_none(published):
    for path in published.folder.iterdir():
        with pytest.raises((pickle.UnpicklingError, ValueError, EOFError, IndexError, KeyError)):
            pickle.loads(path.read_bytes())
    for path in Path(disk.__file__).parent.glob("*.py"):
        assert "pickle" not in path.read_text().replace("allow_pickle=False", "")
