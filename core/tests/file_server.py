"""A server of files that misbehaves on demand, and a home that it is fetched into."""

import functools
import hashlib
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from corteval.cards import Resource
from corteval.fetch import local_path, transfer

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


def mirrored(folder, monkeypatch, url="https://example.invalid/data/x.bin", name=None, body=BODY):
    """A resource that a folder mirror holds."""
    file = folder / (name or url.removeprefix("https://"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    monkeypatch.setenv("CORTEVAL_MIRROR", str(folder))
    return of(url)
