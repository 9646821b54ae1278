"""Downloads that processes share, that were killed, and that the disk refuses or changes."""

import errno
import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from core.tests.file_server import BODY, mirrored, of, part_of, run_fetch, wait_for
from core.tests.file_server import home as home
from core.tests.file_server import site as site
from core.tests.file_server import waits as waits

from corteval.errors import FetchError
from corteval.fetch import fetch, local_path

# Processes


def test_a_killed_download_is_gone_on_with(site):
    hold = threading.Event()

    def half(handler, body):
        handler.answer(200, body[: len(body) // 2], length=len(body))
        hold.wait(10)

    resource = site.resource()
    site.faults.append(half)
    process = run_fetch(resource)
    part = part_of(resource)
    wait_for(lambda: part.exists() and part.stat().st_size > len(BODY) // 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    hold.set()
    assert not local_path(resource).exists()
    have = part.stat().st_size
    assert fetch(resource).read_bytes() == BODY
    assert site.starts == [0, have] and not part.exists()


def test_a_second_process_waits_and_finds_the_file(site):
    go = threading.Event()

    def slow(handler, body):
        go.wait(10)
        handler.answer(200, body)

    resource = site.resource()
    site.faults.extend([slow, slow])
    processes = [run_fetch(resource) for _ in range(2)]
    wait_for(lambda: site.requests)
    time.sleep(0.5)  # the other one is at the lock by now, or would have asked the server
    go.set()
    assert [process.wait() for process in processes] == [0, 0]
    assert len(site.requests) == 1


def test_threads_share_one_download(site):
    resource = site.resource()
    threads = [threading.Thread(target=fetch, args=(resource,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(site.requests) == 1 and local_path(resource).read_bytes() == BODY


# The disk


@pytest.mark.parametrize("damage", [BODY[:-1] + b"?", BODY[:-1], b""])
def test_a_file_that_changed_on_the_disk_is_moved_aside_and_fetched_again(site, caplog, damage):
    path = fetch(site.resource())
    path.write_bytes(damage)
    assert fetch(site.resource()).read_bytes() == BODY
    assert path.with_name("stimuli.bin.corrupt").read_bytes() == damage
    assert "no longer has the bytes" in caplog.text


def test_a_file_put_there_by_hand_is_taken(site):
    resource = of("http://127.0.0.1:9/x.bin")
    with pytest.raises(FetchError, match=re.escape(str(local_path(resource)))):
        fetch(resource)
    local_path(resource).write_bytes(BODY)
    assert fetch(resource) == local_path(resource)


def test_a_home_that_cannot_be_written_is_an_error_for_people(site, home):
    home.write_text("a file where the folder should be")
    with pytest.raises(FetchError, match=r"cannot be written.*CORTEVAL_HOME"):
        fetch(site.resource())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_read_only_home_is_an_error_for_people_but_its_files_are_found(site, home):
    path = fetch(site.resource())
    for folder in (path.parent, home / "downloads"):
        folder.chmod(0o555)
    try:
        assert fetch(site.resource()) == path
        with pytest.raises(FetchError, match=r"Permission denied.*CORTEVAL_HOME"):
            fetch(site.resource("/other.bin", BODY[::-1]))
    finally:
        for folder in (path.parent, home / "downloads"):
            folder.chmod(0o755)


def test_a_found_file_takes_no_lock(site, monkeypatch):
    path = fetch(site.resource())
    monkeypatch.setattr("corteval.fetch.download.writing", None)
    assert fetch(site.resource()) == path


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_named_as_such(tmp_path, monkeypatch):
    resource = mirrored(tmp_path / "mirror", monkeypatch)
    part_of(resource).parent.mkdir(parents=True)
    part_of(resource).symlink_to("/dev/full")
    with pytest.raises(FetchError, match="no space left on the disk") as caught:
        fetch(resource)
    assert caught.value.__cause__.errno == errno.ENOSPC
