"""A store of five blocks, and how its files are read, signed and damaged."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from corteval import store
from corteval.store import blocks

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


def contents_of(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.glob("B*")}


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


def signed(content):
    """A manifest with the right check, as a stranger who knows the code makes it."""
    content = {name: value for name, value in content.items() if name != "check"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps(content | {"check": sha256(text.encode()).hexdigest()})


def changed(**changes):
    return lambda content: signed(content | changes)
