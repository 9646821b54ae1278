"""Several files fetched at a time."""

import signal
import threading
import time

import pytest
from core.tests.file_server import BODY, part_of, pause, run_fetch, serve, wait_for
from core.tests.file_server import home as home
from core.tests.file_server import site as site
from core.tests.file_server import waits as waits

from corteval.errors import FetchError
from corteval.fetch import fetch, fetch_all, is_cached, local_path
from corteval.hooks import hookimpl, observing


def several(site, count, **changes):
    bodies = [f"file {number}".encode() * 100 for number in range(count)]
    return [site.resource(f"/set/{n}.bin", body, **changes) for n, body in enumerate(bodies)]


class Counter:
    """Hears progress."""

    def __init__(self):
        self.seen = []

    @hookimpl
    def corteval_progress(self, event):
        self.seen.append(event)


def test_files_of_a_set_come_in_order_with_one_progress(site):
    resources = several(site, 12)
    site.faults.extend([pause] * 3)  # the first ones arrive last
    counter = Counter()
    with observing(counter):
        paths = fetch_all(resources)
    assert paths == [local_path(resource) for resource in resources]
    assert [path.read_bytes().split(b"file ")[1] for path in paths] == [
        str(number).encode() for number in range(12)
    ]
    assert [(e.task, e.completed, e.total, e.unit) for e in counter.seen] == [
        ("fetch 12 files", done, 12, "files") for done in range(1, 13)
    ]
    assert fetch_all(resources) == paths and len(site.requests) == 12


def test_eight_files_at_most_are_asked_for_at_a_time(site):
    lock, here, most = threading.Lock(), [0], []

    def slow(handler, body):
        with lock:
            here[0] += 1
            most.append(here[0])
        time.sleep(0.05)
        with lock:
            here[0] -= 1
        serve(handler, body)

    site.faults.extend([slow] * 20)
    fetch_all(several(site, 20))
    assert 1 < max(most) <= 8


def test_a_set_of_one_file_or_none_is_fetched_as_a_file_is(site):
    counter = Counter()
    with observing(counter):
        assert fetch_all([]) == []
        (path,) = fetch_all(several(site, 1))
    assert path.read_bytes() == b"file 0" * 100
    assert {event.task for event in counter.seen} == {"download 0.bin"}


def test_a_missing_file_stops_a_set_and_what_arrived_stays(site):
    resources = several(site, 40)
    missing = resources[10]
    del site.files["/set/10.bin"]
    site.faults.extend([pause] * 40)  # and a 404 for the missing one, at once
    with pytest.raises(FetchError, match=r"10\.bin .* was not fetched"):
        fetch_all(resources)
    cached = [is_cached(resource) for resource in resources]
    assert all(cached[:10]) and not cached[10]  # those before it had begun
    assert sum(cached) < 30  # and of the others, those beside it
    site.resource("/set/10.bin", b"file 10" * 100)
    site.faults.clear()
    asked = len(site.requests)
    assert all(path.is_file() for path in fetch_all(resources))
    assert len(site.requests) == asked + 40 - sum(cached) and is_cached(missing)


def test_a_set_that_cannot_be_had_is_told_of_once(site, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    caplog.set_level("INFO", "corteval")
    with pytest.raises(FetchError, match="was not fetched"):
        fetch_all(several(site, 9))
    ours = [record for record in caplog.records if record.name.startswith("corteval")]
    assert ours and {record.levelname for record in ours} == {"INFO"}


def test_a_file_alone_that_a_source_lacks_is_warned_of(site, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path))
    fetch(site.resource())
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_interrupt_does_not_wait_for_the_files_of_a_set_and_their_beginnings_stay(site):
    end = threading.Event()

    def drip(handler, body):
        handler.answer(200, body[: len(body) // 4], length=len(body))
        for start in range(len(body) // 4, len(body), 1000):
            if end.wait(0.05):
                return
            handler.wfile.write(body[start : start + 1000])
            handler.wfile.flush()

    site.faults.extend([drip] * 8)
    resources = [site.resource(f"/set/{n}.bin", BODY[n:]) for n in range(20)]
    process = run_fetch(resources, "fetch_all")
    try:
        parts = [part_of(resource) for resource in resources[:8]]
        wait_for(lambda: all(part.exists() and part.stat().st_size for part in parts))
        process.send_signal(signal.SIGINT)
        process.wait(timeout=10)  # the files would take 40 seconds
    finally:
        process.kill()
        end.set()
    assert len(site.requests) == 8 and all(part.stat().st_size for part in parts)
    assert [path.read_bytes() for path in fetch_all(resources)] == [BODY[n:] for n in range(20)]
    assert {path for path, header in site.requests if header} == {f"/set/{n}.bin" for n in range(8)}
