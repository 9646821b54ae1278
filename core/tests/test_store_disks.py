"""Stored bytes when disks fill up, and when they or their rights refuse."""

import errno
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from core.tests.store_on_disk import (
    KEY,
    artifact_in,
    as_nobody,
    file_of,
    fill,
    flip,
    mounted,
    names,
    read,
    responses,
    warnings_of,
)
from core.tests.store_on_disk import shelf as shelf

from corteval import store
from corteval.errors import StorageFull, StoreError
from corteval.store import blocks


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


@pytest.mark.parametrize("where", ["", "activations", "activations/{prefix}"])
def test_a_file_where_a_folder_should_be_is_told(shelf, where):
    artifact = artifact_in(shelf)
    path = shelf.folder / where.format(prefix=artifact.digest[:2])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(StoreError, match=r"Not a directory|File exists"):
        with shelf.claim([artifact]):
            fill(artifact)
