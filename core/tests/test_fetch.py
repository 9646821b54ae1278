"""Downloads against a server that misbehaves on demand: the right bytes or a clear error."""

import errno
import functools
import hashlib
import io
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from corteval import settings
from corteval.cards import Resource
from corteval.errors import FetchError, InvalidIdentifier, NotInData, WrongContent
from corteval.fetch import fetch, fetch_all, is_cached, local_path, provided, transfer
from corteval.hooks import FetchRequested, hookimpl, observing

BODY = bytes(range(256)) * 4000  # 1 024 000 bytes
SECRET = "hush" * 2  # no line of this file shows it in a traceback
PAGE = b"<!DOCTYPE html>\n<title>Down for maintenance</title>" + b" " * 1000


class Site:
    """Files by path, faults for the next requests in order, and a record of what happened."""

    def __init__(self):
        self.files = {}
        self.faults = deque()
        self.requests = []
        self.sent = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, self))
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def resource(self, path="/data/stimuli.bin", body=BODY, **changes):
        self.files[path] = body
        return of(f"http://{self.address}{path}", body, **changes)

    @property
    def starts(self):
        """First byte asked for by each request."""
        return [int(re.findall(r"\d+", header)[0]) if header else 0 for _, header in self.requests]


class Handler(BaseHTTPRequestHandler):
    def __init__(self, site, *arguments):
        self.site = site
        super().__init__(*arguments)

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.site.requests.append((self.path, self.headers.get("Range")))
        fault = self.site.faults.popleft() if self.site.faults else serve
        body = self.site.files.get(self.path)
        if body is None:
            fault = status(404)
        fault(self, body)

    def answer(self, code, body=b"", length=None, **headers):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.site.sent += len(body)
        self.wfile.write(body)
        self.wfile.flush()
        self.close_connection = True


def serve(handler, body):
    header = handler.headers.get("Range")
    if not header:
        return handler.answer(200, body)
    start = int(re.findall(r"\d+", header)[0])
    span = f"bytes {start}-{len(body) - 1}/{len(body)}"
    return handler.answer(206, body[start:], Content_Range=span)


def ignore_range(handler, body):
    handler.answer(200, body)


def status(code, **headers):
    return lambda handler, body: handler.answer(code, b"no", **headers)


def send(body):
    return lambda handler, _: handler.answer(200, body)


def short(handler, body):
    """Announce all, send 40 %, close."""
    handler.answer(200, body[: len(body) * 4 // 10], length=len(body))


def announce_half(handler, body):
    handler.answer(200, body[: len(body) // 2])


def announce_double(handler, body):
    handler.answer(200, body, length=2 * len(body))


def reset(handler, body):
    """Announce all, send 30 %, reset the connection."""
    handler.answer(200, body[: len(body) * 3 // 10], length=len(body))
    time.sleep(0.1)  # let the client read what was sent
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.wfile = handler.rfile  # nothing left to flush


def chunked(handler, body, pieces=5, whole=True):
    """Send chunks without saying how many bytes there will be; the last one may never come."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    length = -(-len(body) // pieces)
    for start in range(0, len(body) if whole else length, length):
        piece = body[start : start + length]
        handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        handler.site.sent += len(piece)
    if whole:
        handler.wfile.write(b"0\r\n\r\n")
    handler.wfile.flush()
    handler.close_connection = True


def beyond_the_end(handler, body):
    """416, as servers answer that are asked to go on after the last byte."""
    handler.answer(416, b"", Content_Range=f"bytes */{len(body)}")


def pause(handler, body):
    time.sleep(0.05)
    serve(handler, body)


def wrong_content_range(handler, body):
    handler.answer(206, body[7:], Content_Range=f"bytes 7-{len(body) - 1}/{len(body)}")


def redirect(target):
    return lambda handler, _: handler.answer(302, b"", Location=target)


@pytest.fixture
def site():
    site = Site()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own; whatever a test did, no wrong file stands under a final name."""
    for name in ("CORTEVAL_MIRROR", "CORTEVAL_OFFLINE", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield tmp_path / "home"
    for file in (tmp_path / "home" / "downloads").glob("*/*/*"):
        if not file.name.startswith(".") and file.suffix != ".corrupt":
            body = file.read_bytes()
            assert file.parent.name in {digest(body), sha1(body)}


@pytest.fixture(autouse=True)
def waits(monkeypatch):
    """Seconds that would have been slept."""
    waits = []
    monkeypatch.setattr(transfer, "sleep", waits.append)
    return waits


def digest(body):
    return hashlib.sha256(body).hexdigest()


def sha1(body):
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()


def loosely(body=BODY, size=None):
    """Changes of a resource whose publisher gives a sha1 and, if `size` is None, no size."""
    return {"sha256": "", "sha1": sha1(body), "size": size}


def of(url, body=BODY, **changes):
    pinned = {"sha256": digest(body), "size": len(body), "licence": "CC-BY-4.0"}
    return Resource(url=url, **(pinned | changes))


def part_of(resource):
    path = local_path(resource)
    return path.with_name(f".{path.name}.part")


def run_fetch(resource, function="fetch"):
    """A process of its own that fetches `resource`, or several."""
    code = (
        "from corteval.cards import Resource\n"
        f"from corteval.fetch import {function}\n{function}({resource})"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", code], env=environment)


def wait_for(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


# The way it should be


def test_a_file_is_downloaded_once_and_then_found(site):
    resource = site.resource()
    assert not is_cached(resource)
    path = fetch(resource)
    assert path == local_path(resource) and path.read_bytes() == BODY and is_cached(resource)
    assert fetch(resource) == path
    assert len(site.requests) == 1


def test_the_place_is_made_of_the_hash_and_the_last_part_of_the_address(home):
    resource = of("https://example.org/a/b/stimuli%20v1.zip?sig=x#y")
    sha256 = resource.sha256
    assert local_path(resource) == home / "downloads" / sha256[:2] / sha256 / "stimuli_v1.zip"


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_no_address_leads_out_of_its_folder(text):
    resource = of("https://example.org/" + text)
    name = local_path(resource).name
    assert local_path(resource).parent.name == resource.sha256
    assert re.fullmatch(r"[A-Za-z0-9._+=@-]{1,101}", name) and not name.startswith(".")


@pytest.mark.parametrize("tail", ["..", "%2e%2e", "%2e%2e%2fx", "", "con", "a\0b", "nul.txt"])
def test_hostile_names_become_harmless(tail):
    name = local_path(of("https://example.org/" + tail)).name
    assert name not in {"", ".", "..", "con", "nul.txt"} and not set(name) & set("/\\\0")


def test_an_empty_file_needs_no_bytes(site):
    assert fetch(site.resource(body=b"")).read_bytes() == b""


def test_progress_and_the_end_are_told(site, monkeypatch):
    monkeypatch.setattr("corteval.fetch.download.REPORT_EVERY", 0.0)
    seen, finished = [], []

    class Observer:
        @hookimpl
        def corteval_progress(self, event):
            seen.append(event)

        @hookimpl
        def corteval_fetch_finished(self, event):
            finished.append(event)

    resource = site.resource()
    with observing(Observer()):
        path = fetch(resource)
        fetch(resource)
    assert {(event.task, event.total, event.unit) for event in seen} == {
        ("download stimuli.bin", len(BODY), "bytes")
    }
    assert [event.completed for event in seen] == sorted(event.completed for event in seen)
    assert len(seen) > 2 and seen[-1].completed == len(BODY)
    assert [(event.path, event.origin) for event in finished] == [(path, resource.url)]


def test_progress_is_not_told_for_every_chunk(site):
    seen = []

    class Observer:
        @hookimpl
        def corteval_progress(self, event):
            seen.append(event.completed)

    with observing(Observer()):
        fetch(site.resource())
    assert len(seen) < 5 and seen[-1] == len(BODY)


def test_a_proxy_is_used(site, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://{site.address}")
    site.files["http://example.invalid/x.bin"] = BODY
    assert fetch(of("http://example.invalid/x.bin")).read_bytes() == BODY


# Where a publisher gives a sha1 only, and no size


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_file_pinned_by_sha1_is_downloaded_once_and_then_found(site, home, size):
    resource = site.resource(**loosely(size=size))
    assert not is_cached(resource)
    path = fetch(resource)
    assert path.read_bytes() == BODY and is_cached(resource)
    assert path.parent == home / "downloads" / sha1(BODY)[:2] / sha1(BODY)
    assert fetch(resource) == path
    assert len(site.requests) == 1


@pytest.mark.parametrize("fault", [reset, short])
def test_without_a_size_only_the_missing_bytes_are_sent_too(site, fault):
    site.faults.append(fault)
    assert fetch(site.resource(**loosely())).read_bytes() == BODY
    first, second = site.starts
    arrived = {reset: 3, short: 4}[fault] * len(BODY) // 10
    assert first == 0 and arrived - 2 * transfer.CHUNK <= second <= arrived
    assert site.sent == arrived + len(BODY) - second


def test_a_body_without_a_length_is_taken(site):
    def nameless(handler, body):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    for number, fault in enumerate((chunked, nameless)):
        body = BODY[number:]
        site.faults.append(fault)
        resource = site.resource(f"/data/{number}.bin", body, **loosely(body))
        assert fetch(resource).read_bytes() == body
    assert site.starts == [0, 0]


def test_chunks_that_end_early_are_gone_on_with(site):
    site.faults.append(functools.partial(chunked, whole=False))
    assert fetch(site.resource(**loosely())).read_bytes() == BODY
    assert site.starts == [0, len(BODY) // 5]


def test_what_ends_early_unsaid_is_asked_for_anew(site):
    site.faults.append(announce_half)
    assert fetch(site.resource(**loosely())).read_bytes() == BODY
    assert site.starts == [0, 0]  # only the digest tells, and not what is lacking


def test_an_empty_file_of_unknown_size_needs_no_bytes(site):
    assert fetch(site.resource(body=b"", **loosely(b""))).read_bytes() == b""


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_wrong_bytes_are_never_kept_whatever_pins_them(site, size):
    resource = site.resource(**loosely(size=size))
    site.files["/data/stimuli.bin"] = BODY[::-1]
    with pytest.raises(WrongContent, match=f"have sha1 {sha1(BODY[::-1])}, not {sha1(BODY)}"):
        fetch(resource)
    assert len(site.requests) == 2
    assert not local_path(resource).exists() and not part_of(resource).exists()


@pytest.mark.parametrize("announced", [len(PAGE), 9 * len(PAGE)])
def test_an_error_page_instead_of_a_file_of_unknown_size_is_called_one(site, announced):
    site.faults.extend([lambda handler, _: handler.answer(200, PAGE, length=announced)] * 2)
    with pytest.raises(WrongContent, match="the server sent an HTML page"):
        fetch(site.resource(**loosely()))


@pytest.mark.parametrize(
    ("left", "starts"), [(BODY, []), (BODY + b"x", [len(BODY) + 1, 0]), (BODY[:99], [99])]
)
def test_of_unknown_size_an_earlier_part_is_gone_on_with_if_it_is_not_whole(site, left, starts):
    """A part that is whole needs no request, and one that is too long gets a 416 and is dropped."""
    resource = site.resource(**loosely())
    part_of(resource).parent.mkdir(parents=True)
    part_of(resource).write_bytes(left)
    if len(left) > len(BODY):
        site.faults.append(beyond_the_end)
    assert fetch(resource).read_bytes() == BODY
    assert site.starts == starts


def test_a_file_of_unknown_size_that_changed_on_the_disk_is_fetched_again(site):
    path = fetch(site.resource(**loosely()))
    path.write_bytes(b"short")
    assert is_cached(site.resource(**loosely()))  # its bytes are not looked at
    assert fetch(site.resource(**loosely())).read_bytes() == BODY
    assert path.with_name("stimuli.bin.corrupt").read_bytes() == b"short"


def test_of_unknown_size_progress_has_no_total_until_the_end(site, monkeypatch):
    monkeypatch.setattr("corteval.fetch.download.REPORT_EVERY", 0.0)
    seen = []

    class Observer:
        @hookimpl
        def corteval_progress(self, event):
            seen.append((event.completed, event.total))

    with observing(Observer()):
        fetch(site.resource(**loosely()))
    assert {total for _, total in seen[:-1]} == {None}
    assert seen[-1] == (len(BODY), len(BODY))  # which tells displays that it is over


@pytest.mark.parametrize("code", [403, 404])
def test_a_hint_is_told_where_a_file_is_refused(site, code):
    hint = "Ask the authors of Somebody2020 for access."
    site.faults.append(status(code))
    with pytest.raises(FetchError) as caught:
        fetch(site.resource(hint=hint, **loosely()))
    first, second, *_ = str(caught.value).splitlines()
    assert first == "stimuli.bin (size unknown, licence CC-BY-4.0) was not fetched."
    assert second == hint
    assert f"answered {code}" in str(caught.value)


def test_a_mirror_holds_a_version_under_the_name_with_its_query(site, tmp_path, monkeypatch):
    url = "https://bucket.example/data/a.nc?versionId=Zz9.k_1"
    mirrored(tmp_path / "m", monkeypatch, url, "bucket.example/data/a.nc?versionId=Zz9.k_1")
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    path = fetch(of(url, **loosely()))
    assert (path.name, path.read_bytes()) == ("a.nc", BODY)
    other = of(url.replace("Zz9", "Zz8"), BODY[1:], **loosely(BODY[1:]))
    with pytest.raises(FetchError, match="its name goes on with '\\?' and the query"):
        fetch(other)
    monkeypatch.delenv("CORTEVAL_OFFLINE")
    site.files["/m/bucket.example/data/a.nc%3FversionId%3DZz8.k_1"] = BODY[1:]
    monkeypatch.setenv("CORTEVAL_MIRROR", f"http://{site.address}/m")
    assert fetch(other).read_bytes() == BODY[1:]


# Several files


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


# What a user provides


def test_what_a_user_provides_is_looked_for_by_identifier(home):
    folder = home / "provided" / "family" / "Some2020"
    for state in ("does not exist", "is empty"):
        with pytest.raises(NotInData) as caught:
            provided("family/Some2020", "the images", "Its authors send them.")
        said = str(caught.value)
        assert f"family/Some2020: the images cannot be downloaded, and {folder} {state}." in said
        assert said.endswith("by the option `folder`. Its authors send them.")
        folder.mkdir(parents=True, exist_ok=True)
    (folder / "image.png").touch()
    assert provided("family/Some2020", "the images") == folder


def test_a_user_may_name_another_folder(tmp_path, monkeypatch):
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/image.png").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("lab", "~/lab", tmp_path / "lab"):
        assert provided("Some2020", "the images", folder=folder) == tmp_path / "lab"
    for folder, state in (("none", "does not exist"), ("lab/image.png", "is no folder")):
        with pytest.raises(NotInData, match=f"{folder} {state}"):
            provided("Some2020", "the images", folder=folder)


@pytest.mark.parametrize("identifier", ["../x", "/etc", "a/../../b", "a//b", "", "~", "a\0b"])
def test_no_identifier_leads_out_of_what_is_provided(identifier):
    with pytest.raises(InvalidIdentifier):
        provided(identifier, "the images")


# Servers and connections that fail for a while


def test_after_a_reset_only_the_missing_bytes_are_sent(site):
    site.faults.append(reset)
    assert fetch(site.resource()).read_bytes() == BODY
    first, second = site.starts
    assert first == 0 and second >= len(BODY) * 3 // 10 - 2 * transfer.CHUNK
    assert site.sent == len(BODY) * 3 // 10 + len(BODY) - second


def test_a_short_body_is_gone_on_with(site):
    site.faults.append(short)
    assert fetch(site.resource()).read_bytes() == BODY
    assert site.starts[1] > 0


def test_a_length_that_is_announced_too_short_is_gone_on_with(site):
    site.faults.append(announce_half)
    assert fetch(site.resource()).read_bytes() == BODY
    assert site.starts == [0, len(BODY) // 2]


def test_a_length_that_is_announced_too_long_gets_a_second_chance(site):
    site.faults.append(announce_double)
    assert fetch(site.resource()).read_bytes() == BODY
    assert site.starts == [0, 0]


def test_a_busy_server_is_asked_again_ever_later(site, waits):
    site.faults.extend([status(503), status(503), status(500)])
    assert fetch(site.resource()).read_bytes() == BODY
    assert waits == [1, 2, 4]


def test_retry_after_is_honoured_within_bounds(site, waits):
    date = "Fri, 31 Dec 2999 23:59:59 GMT"
    site.faults.extend(status(429, Retry_After=text) for text in ("7", date, "soon"))
    assert fetch(site.resource()).read_bytes() == BODY
    assert waits == [7, transfer.LONGEST_WAIT, 4]


def test_three_retries_are_the_most(site):
    site.faults.extend([status(503)] * 9)
    with pytest.raises(FetchError, match=r"answered 503 \(Service Unavailable\) \(4 tries\)"):
        fetch(site.resource())
    assert len(site.requests) == 4


def test_a_server_that_falls_silent_is_given_up(site, monkeypatch):
    monkeypatch.setattr(transfer, "TIMEOUT", (0.2, 0.1))
    monkeypatch.setattr(transfer.Interrupted, "retries", 1)
    site.faults.extend([lambda *_: time.sleep(0.3)] * 2)
    with pytest.raises(FetchError, match="did not answer in time"):
        fetch(site.resource())


def test_a_server_that_ignores_ranges_sends_all_again(site):
    site.faults.extend([short, ignore_range])
    assert fetch(site.resource()).read_bytes() == BODY


@pytest.mark.parametrize("fault", [status(416), wrong_content_range])
def test_a_refused_or_wrong_range_starts_anew(site, fault):
    site.faults.extend([short, fault])
    assert fetch(site.resource()).read_bytes() == BODY
    assert [start > 0 for start in site.starts] == [False, True, False]


@pytest.mark.parametrize("left", [BODY[:1000], BODY, BODY + b"x", b"wrong" * 99])
def test_whatever_an_earlier_run_left_the_file_is_right(site, left):
    resource = site.resource()
    part_of(resource).parent.mkdir(parents=True)
    part_of(resource).write_bytes(left)
    assert fetch(resource).read_bytes() == BODY
    assert len(site.requests) == {1000: 1, len(BODY): 0, len(BODY) + 1: 1, 495: 2}[len(left)]


def test_a_gzip_that_is_labelled_as_encoding_is_kept_as_it_is(site):
    site.faults.append(lambda handler, body: handler.answer(200, body, Content_Encoding="gzip"))
    assert fetch(site.resource()).read_bytes() == BODY


# Servers that send something else


def test_wrong_bytes_are_asked_for_once_more(site):
    site.faults.append(send(BODY[::-1]))
    assert fetch(site.resource()).read_bytes() == BODY
    assert site.starts == [0, 0]


def test_wrong_bytes_are_never_kept(site):
    resource = site.resource()
    site.files["/data/stimuli.bin"] = BODY[::-1]
    with pytest.raises(WrongContent, match=f"have sha256 {digest(BODY[::-1])}"):
        fetch(resource)
    assert len(site.requests) == 2
    assert not local_path(resource).exists() and not part_of(resource).exists()


@pytest.mark.parametrize("size", [100, len(PAGE), len(BODY)])
def test_an_error_page_is_called_one(site, size):
    resource = site.resource(body=PAGE, size=size, sha256=digest(BODY))
    with pytest.raises(WrongContent, match="the server sent an HTML page"):
        fetch(resource)
    assert len(site.requests) == 2 and not part_of(resource).exists()


def test_more_bytes_than_promised_are_not_taken(site):
    class Endless:
        def __call__(self, handler, body):
            handler.send_response(200)  # no length
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(body)
                    site.sent += len(body)
            except OSError:
                handler.wfile = handler.rfile

    site.faults.extend([Endless()] * 2)
    with pytest.raises(FetchError, match=r"more than the promised 1024000 bytes arrived"):
        fetch(site.resource())
    assert site.sent < 100 * len(BODY)


@pytest.mark.parametrize("code", [401, 403, 404, 410])
def test_a_refusal_is_final(site, code):
    site.faults.append(status(code))
    with pytest.raises(FetchError, match=f"answered {code}"):
        fetch(site.resource())
    assert len(site.requests) == 1


def test_a_closed_port_is_named_as_such():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    with pytest.raises(FetchError, match=r"Connection refused \(4 tries\)"):
        fetch(of(f"http://127.0.0.1:{port}/x.bin"))


@pytest.mark.parametrize("url", ["http://[::1/x", "http://a:b/x", "http://", "http://\0/x"])
def test_an_impossible_address_is_an_error_for_people(url):
    with pytest.raises(FetchError, match="Tried"):
        fetch(of(url))


# Redirects


def test_redirects_are_followed_and_resumed(site):
    resource = site.resource()
    site.files["/old"] = b""
    site.faults.extend([redirect("/data/stimuli.bin"), short, redirect("/data/stimuli.bin")])
    assert fetch(of(f"http://{site.address}/old")).read_bytes() == BODY
    assert [path for path, _ in site.requests] == ["/old", "/data/stimuli.bin"] * 2
    assert site.starts[3] == site.starts[2] > 0
    assert resource.url.endswith(site.requests[-1][0])


def test_endless_redirects_end(site):
    site.faults.extend([redirect("/data/stimuli.bin")] * 99)
    with pytest.raises(FetchError, match="redirects more than 10 times"):
        fetch(site.resource())


@pytest.mark.parametrize(
    "target", ["http://example.org/x", "ftp://example.org/x", "//[", "file:///x"]
)
def test_a_redirect_to_something_less_safe_is_refused(monkeypatch, target):
    def answer(session, url, headers):
        response = requests.Response()
        response.status_code, response.raw = 302, io.BytesIO()
        response.headers["Location"] = target
        return response

    monkeypatch.setattr(transfer, "_get", answer)
    with pytest.raises(FetchError, match="it redirects"):
        fetch(of("https://example.org/x"))


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


# Hooks, mirrors, offline


def mirrored(folder, monkeypatch, url="https://example.invalid/data/x.bin", name=None, body=BODY):
    """A resource that a folder mirror holds."""
    file = folder / (name or url.removeprefix("https://"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    monkeypatch.setenv("CORTEVAL_MIRROR", str(folder))
    return of(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h.org/a/x.bin", "h.org/a/x.bin"),
        ("https://H.org:443/a/x.bin", "h.org/a/x.bin"),
        ("https://h.org:8443/a/x.bin", "h.org:8443/a/x.bin"),
        ("http://u:p@h.org:80/a//x.bin#f", "h.org/a/x.bin"),
        ("https://h.org/x?id=1&t=a%20b", "h.org/x?id=1&t=a b"),
        ("https://h.org/x?path=/a/b", "h.org/x?path=%2Fa%2Fb"),
        ("https://h.org/a%20b/c%2Fd.bin", "h.org/a b/c%2Fd.bin"),
        ("https://h.org/a%20b/x.bin", "h.org/a%20b/x.bin"),
    ],
)
def test_a_folder_mirror_is_laid_out_as_by_wget(tmp_path, monkeypatch, url, name):
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    assert fetch(mirrored(tmp_path / "m", monkeypatch, url, name)).read_bytes() == BODY


def test_a_mirror_is_not_left_by_dots(tmp_path, monkeypatch):
    (tmp_path / "x.bin").write_bytes(BODY)
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "m"))
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    for tail in ("../../x.bin", "%2e%2e/%2e%2e/x.bin", "..%2f..%2fx.bin"):
        with pytest.raises(FetchError, match="no such file"):
            fetch(of(f"https://h.org/{tail}"))


def test_a_mirror_may_be_a_file_address(tmp_path, monkeypatch):
    resource = mirrored(tmp_path / "a mirror", monkeypatch)
    monkeypatch.setenv("CORTEVAL_MIRROR", (tmp_path / "a mirror").as_uri())
    assert fetch(resource).read_bytes() == BODY


def test_an_address_mirror_is_asked_first(site, monkeypatch):
    site.files["/m/example.invalid/a%20b/x%3Fid%3D1"] = BODY
    monkeypatch.setenv("CORTEVAL_MIRROR", f"http://{site.address}/m/")
    assert fetch(of("https://example.invalid/a%20b/x?id=1")).read_bytes() == BODY


def test_a_mirror_that_lacks_the_file_is_passed_over(site, tmp_path, monkeypatch):
    for mirror in (tmp_path / "nowhere", f"http://{site.address}/m"):
        monkeypatch.setenv("CORTEVAL_MIRROR", str(mirror))
        path = fetch(site.resource())
        path.unlink()
    name = f"{site.address.replace(':', '%3A')}/data"
    assert len(site.requests) == 3 and name not in site.requests[1][0]


@pytest.mark.parametrize("body", [BODY[::-1], BODY[:-1], b""])
def test_a_mirror_with_a_wrong_file_is_passed_over(site, tmp_path, monkeypatch, caplog, body):
    resource = site.resource()
    name = f"{site.address}/data/stimuli.bin"
    mirrored(tmp_path / "m", monkeypatch, resource.url, name, body)
    assert fetch(resource).read_bytes() == BODY
    assert "Could not get stimuli.bin from mirror" in caplog.text


def test_an_address_mirror_with_a_wrong_file_is_passed_over(site, monkeypatch):
    monkeypatch.setenv("CORTEVAL_MIRROR", f"http://{site.address}/m")
    resource = site.resource()
    site.files[f"/m/{site.address}/data/stimuli.bin"] = BODY[::-1]
    assert fetch(resource).read_bytes() == BODY
    assert len(site.requests) == 3


def test_offline_nothing_is_asked(site, monkeypatch):
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    monkeypatch.setenv("CORTEVAL_MIRROR", f"http://{site.address}/m")
    with pytest.raises(FetchError, match="the network: not used, for offline is set"):
        fetch(site.resource())
    assert not site.requests


def test_offline_a_fetched_file_is_found(site, monkeypatch):
    path = fetch(site.resource())
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    assert fetch(site.resource()) == path


class Provider:
    def __init__(self, value):
        self.value = value

    @hookimpl
    def corteval_fetch(self, event):
        assert isinstance(event, FetchRequested)
        return self.value


@pytest.mark.parametrize("kind", [Path, str])
def test_a_hook_may_provide_the_file_even_offline(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    (tmp_path / "lab.bin").write_bytes(BODY)
    resource = of("https://example.invalid/x.bin")
    with observing(Provider(kind(tmp_path / "lab.bin"))):
        assert fetch(resource) == local_path(resource)
    assert (tmp_path / "lab.bin").exists()


def test_what_a_hook_provides_is_verified(site, tmp_path):
    (tmp_path / "lab.bin").write_bytes(BODY[::-1])
    for place in (tmp_path / "lab.bin", tmp_path, tmp_path / "none"):
        with observing(Provider(place)):
            path = fetch(site.resource())
        assert path.read_bytes() == BODY
        path.unlink()
    assert len(site.requests) == 3


def test_a_hook_that_gives_no_path_is_an_error_for_people(site):
    with observing(Provider(7)), pytest.raises(FetchError, match="returned 7"):
        fetch(site.resource())


# What people read


def test_the_error_says_what_was_tried_and_what_to_do(site, tmp_path, monkeypatch):
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "m"))
    resource = site.resource(size=1_234_567)
    site.files.clear()
    with pytest.raises(FetchError) as caught:
        fetch(resource)
    file = f"{site.address}/data/stimuli.bin"
    assert str(caught.value).splitlines() == [
        "stimuli.bin (1.2 MB, licence CC-BY-4.0) was not fetched.",
        "Tried:",
        f"  - mirror {tmp_path / 'm' / file}: there is no such file",
        f"  - http://{file}: it answered 404 (Not Found)",
        "To have it, do one of these:",
        "  (1) connect to the network and run the command again",
        f"  (2) download http://{file} elsewhere and put it at",
        f"      {local_path(resource)}",
        f"  (3) set CORTEVAL_MIRROR to a folder that holds {file}",
    ]


@pytest.mark.parametrize(
    ("flags", "advice"),
    [
        ({"offline": "1"}, "leave out `--offline`"),
        ({}, "switch offline off (environment variable CORTEVAL_OFFLINE)"),
    ],
)
def test_the_error_says_how_to_go_online(site, monkeypatch, flags, advice):
    monkeypatch.setattr(settings, "_flags", flags)
    monkeypatch.setenv("CORTEVAL_OFFLINE", "1")
    with pytest.raises(FetchError, match=re.escape(f"network, {advice} and run")):
        fetch(site.resource())


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (5 * 10**13, "50.0 TB")],
)
def test_sizes_are_for_people(size, shown):
    sha256 = digest(b"something else")
    with pytest.raises(FetchError, match=re.escape(f"({shown}, licence")):
        fetch(of("http://127.0.0.1:9/x.bin", sha256=sha256, size=size))


@pytest.mark.parametrize("mirror", [f"http://u:{SECRET}@127.0.0.1:9/m?key={SECRET}", "m"])
@pytest.mark.parametrize(
    "fault", [status(404), status(503), short, send(PAGE), redirect(f"/?{SECRET}")]
)
def test_no_secret_of_an_address_is_shown(site, tmp_path, monkeypatch, caplog, fault, mirror):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORTEVAL_MIRROR", mirror)
    caplog.set_level("INFO", "corteval")
    path = f"/data/x.bin?signature={SECRET}"
    site.resource(path)
    site.faults.extend([fault] * 99)
    with pytest.raises(FetchError) as caught:
        fetch(of(f"http://user:{SECRET}@{site.address}{path}"))
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("corteval")]
    shown = "".join([*traceback.format_exception(caught.value), *ours])
    assert SECRET not in shown and "data/x.bin" in shown


def test_importing_fetch_is_cheap():
    code = "import sys, corteval.fetch; print({'requests', 'numpy', 'filelock'} & set(sys.modules))"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, env=environment, text=True).strip() == "set()"
