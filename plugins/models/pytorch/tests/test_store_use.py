"""What the store does for the engine: nothing twice, nothing lost, nothing wrong."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from corteval import store
from corteval.errors import StorageFull
from corteval.model import record
from corteval.requests import OneOf, Recording, UnitFilter
from corteval_pytorch import commit

PROGRAM = """
import sys, time
import numpy as np, pandas as pd, torch
from torch import nn
from corteval import store
from corteval.model import record
from corteval.stimuli import StimulusSet
from corteval_pytorch import Preprocessing, commit, initialised

folder, log, count, pause = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
torch.set_num_threads(1)
ids = [f"p{i:04d}" for i in range(count)]

def image(stimulus_id):
    return np.random.default_rng(int(stimulus_id[1:])).integers(0, 256, (8, 8, 3), np.uint8)

table = pd.DataFrame(index=pd.Index(ids, name="stimulus_id"))
stimuli = StimulusSet(identifier="many", modality="image", table=table, images=image)
with initialised(0):
    network = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 4, 3))

def note(module, inputs):
    time.sleep(pause)
    with open(log, "a") as file:
        print(len(inputs[0]), file=file, flush=True)

network.register_forward_pre_hook(note)
subject = commit(network, Preprocessing(size=8), {"V1": "0", "IT": "2"}, batch_size=64)
print("ready", flush=True)
with store.using(store.Store(folder)):
    answers = [record(subject, stimuli, target).values for target in ("V1", "IT")]
"""


@pytest.fixture
def program(tmp_path):
    """`program(folder, log, count, pause)`: a process that records two layers."""
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))

    def start(folder, log, count, pause=0.0):
        words = [sys.executable, path, folder, log, count, pause]
        pipe = subprocess.PIPE
        return subprocess.Popen([*map(str, words)], stdout=pipe, stderr=pipe, text=True)

    return start


def rows(log):
    return sum(int(line) for line in log.read_text().split()) if log.exists() else 0


def contents(folder):
    """Every block of every artifact, by what it is called."""
    found = {}
    for path in sorted(folder.rglob("*.npy")):
        found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def test_a_second_recording_runs_no_forward_pass(plain, passes, small, pictures, shelf):
    subject = commit(plain, small, {"V1": "conv1", "V4": "conv2"})
    requests = [Recording("V1"), Recording("V4")]
    first = subject.respond(pictures(20), requests)
    assert passes == [1, 20]
    again = commit(plain, small, {"V4": "conv2", "V1": "conv1"})
    second = again.respond(pictures(20), requests[::-1])
    part = again.respond(pictures(20), [Recording("V1", units=_channel(2))])
    assert passes == [1, 20]
    for request in requests:
        np.testing.assert_array_equal(second[request].values, first[request].values)
    (values,) = part.values()
    chosen = first[requests[0]]["channel"].values == 2
    np.testing.assert_array_equal(values.values, first[requests[0]].values[:, chosen])


def _channel(number):
    return UnitFilter((OneOf("channel", (number,)),))


def test_a_layer_recorded_alongside_is_there_for_the_next(plain, passes, small, pictures, shelf):
    from dataclasses import replace

    subject = commit(plain, small, {"V1": "conv1", "IT": "output"})
    names = subject.extractor.layer_names()
    assert names == ["conv1", "relu", "conv2", "norm", "drop", "head"]
    curious = replace(subject, extractor=subject.extractor.recording_alongside(names))
    record(curious, pictures(9), "V1")
    assert passes == [1, 9]
    for name in names:
        record(commit(plain, small, {"IT": name}), pictures(9), "IT")
    assert passes == [1, 9]


def test_without_a_store_nothing_is_kept(plain, passes, small, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    subject = commit(plain, small, {"V1": "conv1"})
    with store.using(None):
        for _ in range(2):
            record(subject, pictures(5), "V1")
    assert passes == [1, 5, 5] and not (tmp_path / "home").exists()


@pytest.mark.parametrize("harm", ["flipped", "truncated", "missing"])
def test_a_damaged_block_alone_is_computed_again(
    harm, plain, passes, small, pictures, shelf, caplog, monkeypatch
):
    monkeypatch.setattr("corteval_pytorch.passes._BLOCK_BYTES", 4 * 4 * 256 * 4)
    subject = commit(plain, small, {"V1": "conv1"}, batch_size=4)
    before = record(subject, pictures(16), "V1").values
    blocks = sorted(shelf.folder.rglob("B00002-*.npy"))
    content = blocks[0].read_bytes()
    if harm == "missing":
        blocks[0].unlink()
    else:
        half = len(content) // 2
        broken = (
            content[:half] if harm == "truncated" else content[:half] + b"?" + content[half + 1 :]
        )
        blocks[0].write_bytes(broken)
    passes.clear()
    caplog.clear()
    np.testing.assert_array_equal(record(subject, pictures(16), "V1").values, before)
    assert passes == [4]
    assert [r.levelname for r in caplog.records].count("WARNING") == 1
    assert blocks[0].read_bytes() == content


def test_a_full_disk_is_a_clear_error_without_debris(plain, small, pictures, shelf):
    import resource

    subject = commit(plain, small, {"V1": "conv1"})
    subject.extractor.layer_names()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(StorageFull, match="corteval cache gc"):
            record(subject, pictures(40), "V1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    left = [p for p in shelf.folder.rglob("*") if p.is_file() and "activations" in p.parts]
    assert [p for p in left if p.suffix in {".npy", ".json", ".tmp"}] == []
    assert record(subject, pictures(40), "V1").shape == (40, 1024)


@pytest.mark.slow
def test_two_processes_compute_every_row_once(program, tmp_path):
    folder, log = tmp_path / "store", tmp_path / "log"
    both = [program(folder, log, 700, 0.02) for _ in range(2)]
    for process in both:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    # 2 x 700 rows, for the targets are asked one after the other, and the look at the shapes
    assert rows(log) <= 2 * 700 + 2


@pytest.mark.slow
def test_killed_at_any_moment_a_run_loses_at_most_one_block(program, tmp_path):
    count, whole = 6000, tmp_path / "whole"
    program(whole, tmp_path / "log-whole", count).communicate(timeout=120)
    folder, log, kills = tmp_path / "store", tmp_path / "log", 0
    rng = random.Random(0)
    for _ in range(60):
        process = program(folder, log, count, 0.03)
        process.stdout.readline()
        time.sleep(rng.uniform(0.05, 0.4))
        done = process.poll()
        os.kill(process.pid, signal.SIGKILL) if done is None else None
        process.communicate()
        kills += done is None
        if done == 0 or kills == 20:
            break
    process = program(folder, log, count)
    assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
    lost = rows(log) - rows(tmp_path / "log-whole")
    assert kills == 20
    assert lost <= kills * (256 + 1)  # a group of rows, and a look at the shapes
    assert contents(folder) == contents(whole)
    store.Store(folder).collect(None, age=0)  # what a killed process was writing is swept up
    assert contents(folder) == contents(whole)
    assert not [p for p in folder.rglob("*") if p.name.endswith((".tmp", ".lease"))]
