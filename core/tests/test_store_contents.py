"""Listing, verifying and shrinking a store, from Python and by ``corteval cache``."""

import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from corteval import hooks, settings, store
from corteval.cli import main
from corteval.store import artifact, blocks, contents, folder, leases

DAY = 86_400
UNITS = 1000  # float32: four rows make 16 kB


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """The store in the home folder."""
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "_flags", {})
    blocks.forget()
    return store.Store(tmp_path / "home" / "store")


def artifact_of(shelf, n):
    key = {"model": {"identifier": f"model-{n}"}, "layer": "IT"}
    return shelf.artifact("activations", key, rows=8, rows_per_block=4)


def publish(shelf, n, age=None):
    """An artifact of 32 kB that was last used `age` days ago."""
    artifact = artifact_of(shelf, n)
    with shelf.claim([artifact]):
        for index in artifact.missing():
            artifact.write(index, np.full((4, UNITS), n + index, np.float32))
        artifact.publish(n=n)
    if age is not None:
        make_old(artifact.folder, age)
    return artifact


def make_old(path, days):
    for place in [*path.iterdir(), path]:
        os.utime(place, (time.time() - days * DAY,) * 2)


def start(shelf, n, age=0):
    """An unfinished artifact of 16 kB."""
    artifact = artifact_of(shelf, n)
    artifact.write(0, np.zeros((4, UNITS), np.float32))
    make_old(artifact.folder, age)
    return artifact


def numbers(shelf):
    """Which artifacts are there."""
    return {n for n in range(40) if artifact_of(shelf, n).folder.exists()}


def size_on_disk(path):
    return sum(p.stat().st_size for p in Path(path).rglob("*") if p.is_file())


def flip(artifact, index=0):
    (path,) = artifact.folder.glob(f"B{index:05d}*")
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    return path


# --- Listing ---


def test_entries_tell_kind_key_facts_size_use_and_state(shelf):
    sound, unfinished = publish(shelf, 0, age=2), start(shelf, 1)
    shelf.artifact("layouts", {"layers": 3}).publish(units=5)
    lost = publish(shelf, 2)
    next(lost.folder.glob("B00000*")).unlink()
    broken = publish(shelf, 3)
    (broken.folder / "manifest.json").write_text("{")
    held = artifact_of(shelf, 4)
    with shelf.claim([held]):
        held.write(0, np.zeros((4, UNITS), np.float32))
        entries = {entry.digest: entry for entry in shelf.entries()}
    states = {d: entry.state for d, entry in entries.items() if entry.kind == "activations"}
    assert states == {
        sound.digest: "complete",
        unfinished.digest: "unfinished",
        lost.digest: "damaged",
        broken.digest: "damaged",
        held.digest: "in use",
    }
    entry = entries[sound.digest]
    assert entry.key == sound.identity.key
    assert entry.facts == {"n": 0}
    assert entry.bytes == size_on_disk(sound.folder)
    assert entry.last_used == pytest.approx(time.time() - 2 * DAY, abs=60)
    (layout,) = [entry for entry in entries.values() if entry.kind == "layouts"]
    assert (layout.key, layout.facts, layout.state) == ({"layers": 3}, {"units": 5}, "complete")


def test_reading_makes_an_artifact_the_last_used_but_listing_does_not(shelf):
    for n in range(3):
        publish(shelf, n, age=5 - n)
    artifact._touched.clear()  # as if another process had published them
    before = [entry.last_used for entry in shelf.entries()]
    assert [entry.last_used for entry in shelf.entries()] == before
    artifact_of(shelf, 0).block(0)
    assert shelf.entries()[0].facts == {"n": 0}


def test_what_is_no_artifact_is_neither_listed_nor_touched(shelf):
    publish(shelf, 0)
    strange = ["notes.txt", "Photos/a.png", "activations/zz/x", "activations/00/holiday.jpg"]
    strange += [f"activations/00/{'1' * 64}/family.jpg", "activations/ab.lease"]
    for name in strange:
        path = shelf.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("dear to somebody")
    assert len(shelf.entries()) == 1
    shelf.collect(0, age=0)
    assert shelf.verify() == []
    assert all((shelf.folder / name).exists() for name in strange)


# --- Verifying ---


def test_verify_hashes_everything_tells_what_is_damaged_and_sets_it_aside(shelf):
    artifacts = [publish(shelf, n) for n in range(6)]
    flip(artifacts[0])
    next(artifacts[1].folder.glob("B00001*")).unlink()
    (artifacts[2].folder / "manifest.json").write_text("{}")
    manifest = artifacts[3].folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("model-3", "model-9"))
    unfinished = start(shelf, 7)
    flip(unfinished)
    damage = {d.digest: d.message for d in shelf.verify()}
    assert set(damage) == {a.digest for a in artifacts[:4]} | {unfinished.digest}
    assert "block 0: its bytes have changed" in damage[artifacts[0].digest]
    assert "block 1 is gone" in damage[artifacts[1].digest]
    assert "no manifest" in damage[artifacts[2].digest]
    assert "changed since it was written" in damage[artifacts[3].digest]
    assert artifact_of(shelf, 0).missing() == (0,)
    assert artifact_of(shelf, 4).complete


def test_verify_looks_again_at_what_this_process_has_written(shelf):
    artifact = publish(shelf, 0)
    path = next(artifact.folder.glob("B00000*"))
    status = path.stat()
    flip(artifact)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # nothing seems to have changed
    assert artifact.missing() == ()
    assert len(shelf.verify()) == 1
    assert artifact.missing() == (0,)


def test_verify_reports_progress_in_bytes(shelf):
    class Listener:
        def __init__(self):
            self.events = []

        @hooks.hookimpl
        def corteval_progress(self, event):
            self.events.append(event)

    for n in range(3):
        publish(shelf, n)
    listener = Listener()
    with hooks.observing(listener):
        shelf.verify()
    total = size_on_disk(shelf.folder)
    assert [event.total for event in listener.events] == [total] * 3
    assert [event.completed for event in listener.events] == [total // 3, total * 2 // 3, total]


# --- Shrinking ---


def test_what_was_not_used_for_longest_goes_first_until_the_size_is_reached(shelf):
    for n in range(6):
        publish(shelf, n, age=6 - n)
    removed = shelf.collect(100_000)
    assert [removal.reason for removal in removed] == ["not used for longest"] * 3
    assert numbers(shelf) == {3, 4, 5}
    assert size_on_disk(shelf.folder) <= 100_000
    assert sum(removal.bytes for removal in removed) == pytest.approx(3 * 32_000, rel=0.1)


def test_without_a_size_no_finished_artifact_goes(shelf):
    publish(shelf, 0, age=1000)
    assert shelf.collect(None) == []
    assert numbers(shelf) == {0}


@pytest.mark.parametrize("whose", ["this thread", "another thread", "another process", "unknown"])
def test_what_somebody_works_on_is_never_removed(shelf, whose):
    artifact = publish(shelf, 0, age=9)
    publish(shelf, 1, age=1)
    start(shelf, 2, age=9)
    with holding(shelf, [artifact, artifact_of(shelf, 2)], whose):
        removed = shelf.collect(0)
        assert [removal.digest for removal in removed] == [artifact_of(shelf, 1).digest]
    assert numbers(shelf) == {0, 2}
    shelf.collect(0)
    assert numbers(shelf) == set()


HOLDER = """
import sys
from corteval import store
shelf = store.Store(sys.argv[1])
keys = [{"model": {"identifier": f"model-{n}"}, "layer": "IT"} for n in (0, 2)]
with shelf.claim([shelf.artifact("activations", k, rows=8, rows_per_block=4) for k in keys]):
    print("held", flush=True)
    sys.stdin.readline()
"""


class holding:
    """Leases held by somebody."""

    def __init__(self, shelf, artifacts, whose):
        self.shelf, self.artifacts, self.whose = shelf, artifacts, whose
        self.claim = shelf.claim(artifacts)
        self.begun, self.ended = threading.Event(), threading.Event()

    def __enter__(self):
        if self.whose == "this thread":
            self.claim.__enter__()
        elif self.whose == "another thread":
            self.thread = threading.Thread(target=self.hold)
            self.thread.start()
            self.begun.wait()
        elif self.whose == "another process":
            command = [sys.executable, "-c", HOLDER, self.shelf.folder]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            self.process = subprocess.Popen(command, text=True, **pipes)
            assert self.process.stdout.readline() == "held\n"
        else:
            for artifact in self.artifacts:
                contents.lease_of(artifact.folder).write_text("who knows")

    def hold(self):
        with self.claim:
            self.begun.set()
            self.ended.wait()

    def __exit__(self, *error):
        if self.whose == "this thread":
            self.claim.__exit__(None, None, None)
        elif self.whose == "another thread":
            self.ended.set()
            self.thread.join()
        elif self.whose == "another process":
            self.process.communicate("\n")
        else:
            for artifact in self.artifacts:
                contents.lease_of(artifact.folder).unlink()


def test_leases_of_the_dead_and_those_forgotten_for_a_day_protect_nothing(shelf):
    dead = subprocess.Popen(["true"])
    dead.wait()
    owner = json.loads(leases._text("0" * 16))
    for n, content in enumerate([owner | {"pid": dead.pid}, owner | {"host": "elsewhere"}]):
        path = contents.lease_of(publish(shelf, n, age=9).folder)
        path.write_text(json.dumps(content))
        os.utime(path, (time.time() - 2 * DAY,) * 2)
    shelf.collect(0)
    assert numbers(shelf) == set()
    assert not [*shelf.folder.rglob("*.lease")]


def test_an_unfinished_artifact_is_left_alone_for_a_day(shelf):
    start(shelf, 0, age=0.9)
    start(shelf, 1, age=1.1)
    (removal,) = shelf.collect(None)
    assert removal.reason == "unfinished"
    assert numbers(shelf) == {0}
    shelf.collect(0, age=0)
    assert numbers(shelf) == set()


def test_damaged_files_that_were_kept_are_removed_and_the_rest_stays(shelf):
    artifact = publish(shelf, 0)
    flip(artifact)
    publish(shelf, 0)
    assert len([*artifact.folder.glob("*.corrupt-*")]) == 1
    (removal,) = shelf.collect(None)
    assert (removal.reason, removal.bytes) == ("damaged", 16_128)
    assert not [*artifact.folder.glob("*.corrupt-*")]
    assert artifact_of(shelf, 0).complete


def test_what_is_used_while_others_are_removed_stays(shelf, monkeypatch):
    for n in range(2):
        publish(shelf, n, age=5)
    genuine = leases.take

    def use_meanwhile(path, root):
        os.utime(artifact_of(shelf, 1).folder / "manifest.json")
        return genuine(path, root)

    monkeypatch.setattr(leases, "take", use_meanwhile)
    shelf.collect(0)
    assert numbers(shelf) == {1}


def test_a_removal_that_was_cut_short_is_finished_by_the_next(shelf, monkeypatch):
    publish(shelf, 0)
    with monkeypatch.context() as patch:
        patch.setattr(contents.shutil, "rmtree", lambda *_, **__: None)
        shelf.collect(0)
    assert (numbers(shelf), shelf.entries()) == (set(), [])
    assert size_on_disk(shelf.folder) > 30_000
    shelf.collect(None)
    assert size_on_disk(shelf.folder) == 0


def test_a_block_in_memory_outlives_the_removal_of_its_artifact(shelf):
    block = publish(shelf, 3).block(1)
    shelf.collect(0)
    assert (np.asarray(block) == 4).all()


def test_two_that_shrink_the_same_store_do_not_disturb_each_other(shelf):
    for n in range(30):
        publish(shelf, n, age=40 - n)
    removed = [[], []]
    threads = [
        threading.Thread(target=lambda into=into: into.extend(shelf.collect(100_000)))
        for into in removed
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gone = [removal.digest for removal in removed[0] + removed[1]]
    assert len(gone) == len(set(gone))
    assert len(gone) == 27


@pytest.mark.slow
def test_ten_thousand_artifacts_are_shrunk_in_a_few_seconds(shelf):
    original = publish(shelf, 0)
    for n in range(10_000):
        digest = f"{n:064x}"[::-1]
        copy = shelf.folder / "activations" / digest[:2] / digest
        copy.mkdir(parents=True)
        for file in original.folder.iterdir():
            (copy / file.name).hardlink_to(file)
    begin = time.monotonic()
    shelf.collect(10**12)
    assert time.monotonic() - begin < 5


# --- The limit ---


@pytest.fixture
def limited(shelf, monkeypatch):
    monkeypatch.setenv("CORTEVAL_STORE_LIMIT", "200kB")
    monkeypatch.setattr(folder, "_uses", {})
    return shelf


def test_publishing_keeps_the_store_below_the_limit_and_what_was_published_last(limited):
    for n in range(20):
        publish(limited, n, age=30 - n)
        assert artifact_of(limited, n).complete
    assert size_on_disk(limited.folder) <= 200_000 * 1.2
    assert numbers(limited) == set(range(min(numbers(limited)), 20))
    assert len(numbers(limited)) >= 5


def test_what_a_run_holds_is_kept_beyond_the_limit_with_one_warning(limited, caplog):
    artifacts = [artifact_of(limited, n) for n in range(10)]
    with limited.claim(artifacts):
        for n in range(10):
            publish(limited, n)
        assert numbers(limited) == set(range(10))
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "more than the 200.0 kB of store_limit" in warning


def test_no_limit_removes_nothing(limited, monkeypatch):
    monkeypatch.setenv("CORTEVAL_STORE_LIMIT", "0")
    for n in range(10):
        publish(limited, n)
    assert numbers(limited) == set(range(10))


def test_a_large_store_is_not_counted_at_every_publication(limited, monkeypatch):
    monkeypatch.setenv("CORTEVAL_STORE_LIMIT", "1GB")
    counted = []
    genuine = contents.collect
    monkeypatch.setattr(contents, "collect", lambda *a, **k: counted.append(1) or genuine(*a, **k))
    for n in range(10):
        publish(limited, n)
    assert len(counted) == 1
    monkeypatch.setattr(folder, "RECOUNT", 0.0)  # what others do is noticed after a while
    publish(limited, 11)
    assert len(counted) == 2


# --- The verb ---


@pytest.fixture
def run(shelf, capfd):
    def run(*arguments):
        code = main(["cache", *arguments])
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def as_json(run, *arguments, code=0):
    result = run(*arguments, "--json")
    assert result.code == code, result.err
    return json.loads(result.out)


@pytest.mark.parametrize("arguments", [[], ["ls"]])
def test_the_table_names_model_and_layer(run, shelf, arguments):
    publish(shelf, 0)
    start(shelf, 1)
    shelf.artifact("layouts", {"x": 1}).publish()
    result = run(*arguments)
    header, *rows = result.out.splitlines()
    assert header.split() == ["kind", "what", "size", "last", "used", "state"]
    assert len(rows) == 3
    (row,) = [row for row in rows if "model-0, IT" in row]
    assert row.startswith("activations") and row.endswith("complete") and "32.9 kB" in row
    (row,) = [row for row in rows if row.startswith("layouts")]
    assert shelf.artifact("layouts", {"x": 1}).digest[:12] in row
    assert "of 50.0 GB in 3 artifacts" in result.err
    assert "Downloads" in result.err


@pytest.mark.parametrize("arguments", [[], ["ls"]])
def test_the_json_tells_sizes_limit_downloads_and_artifacts(run, shelf, arguments):
    artifact = publish(shelf, 0)
    file = shelf.folder.parent / "downloads" / "ab" / "file"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(1234))
    answer = as_json(run, *arguments)
    assert answer["schema"] == "corteval.cache-ls/1"
    assert answer["bytes"] == size_on_disk(shelf.folder)
    assert (answer["limit"], answer["downloads"]["bytes"]) == (50_000_000_000, 1234)
    (entry,) = answer["artifacts"]
    assert entry["digest"] == artifact.digest
    assert (entry["what"], entry["state"]) == ("model-0, IT", "complete")
    assert entry["last_used"].endswith("+00:00")


def test_an_empty_store_is_listed(run):
    assert as_json(run)["artifacts"] == []
    assert "0 bytes of 50.0 GB in 0 artifacts" in run().err


def test_gc_shrinks_to_a_size_and_tells_what_went(run, shelf):
    for n in range(4):
        publish(shelf, n, age=9 - n)
    answer = as_json(run, "gc", "--max-size", "70kB")
    assert answer["schema"] == "corteval.cache-gc/1"
    assert [removal["reason"] for removal in answer["removed"]] == ["not used for longest"] * 2
    assert answer["freed"] == sum(removal["bytes"] for removal in answer["removed"])
    assert numbers(shelf) == {2, 3}
    result = run("gc", "--max-size", "0")
    assert len(result.out.splitlines()) == 3
    assert "freed" in result.err


def test_gc_keeps_to_the_limit_in_force(run, shelf, monkeypatch):
    for n in range(4):
        publish(shelf, n, age=9 - n)
    monkeypatch.setenv("CORTEVAL_STORE_LIMIT", "70kB")
    assert len(as_json(run, "gc")["removed"]) == 2


def test_a_size_that_is_none_is_a_usage_error(run):
    assert "much" in as_json(run, "gc", "--max-size", "much", code=2)["error"]["message"]


def test_verify_exits_1_exactly_if_something_was_damaged(run, shelf):
    artifact = publish(shelf, 0)
    publish(shelf, 1)
    answer = as_json(run, "verify")
    assert (answer["schema"], answer["artifacts"]) == ("corteval.cache-verify/1", 2)
    assert answer["damage"] == []
    flip(artifact)
    (damage,) = as_json(run, "verify", code=1)["damage"]
    assert damage["digest"] == artifact.digest and "bytes have changed" in damage["message"]
    flip(publish(shelf, 1))
    result = run("verify", "-q")
    assert result.code == 1
    assert "bytes have changed" in result.out
    assert "2 files were damaged" in result.err or "1 files" in result.err


def test_clear_asks_and_without_anybody_to_ask_wants_yes(run, shelf, monkeypatch):
    publish(shelf, 0)
    start(shelf, 1)
    monkeypatch.setattr(sys, "stdin", None)
    result = run("clear")
    assert (result.code, numbers(shelf)) == (2, {0, 1})
    assert "--yes" in result.err
    answer = as_json(run, "clear", "--yes")
    assert answer["schema"] == "corteval.cache-clear/1"
    assert len(answer["removed"]) == 2
    assert numbers(shelf) == set()
    assert run("clear").code == 0  # of nothing, without asking


def test_clear_leaves_what_is_in_use_and_the_downloads(run, shelf):
    held = publish(shelf, 0)
    publish(shelf, 1)
    file = shelf.folder.parent / "downloads" / "file"
    file.parent.mkdir()
    file.touch()
    with shelf.claim([held]):
        run("clear", "--yes")
    assert numbers(shelf) == {0}
    assert file.exists()


def test_the_verb_shows_the_store_it_speaks_of(run, shelf):
    assert as_json(run)["folder"] == str(shelf.folder)


@pytest.mark.parametrize("path", [[], ["ls"], ["gc"], ["verify"], ["clear"]])
def test_help_ends_with_examples_and_a_sketch_of_the_json(run, path):
    text = run(*path, "--help").out
    assert " ".join(["corteval cache", *path]) in text.split("Examples:")[1]
    assert '"schema": "corteval.cache-' in text.split("\n  JSON")[1]
