"""Downloads against a server that misbehaves on demand: the right bytes or a clear error."""

import io
import socket
import time

import pytest
import requests
from core.tests.file_server import (
    BODY,
    PAGE,
    announce_double,
    announce_half,
    digest,
    ignore_range,
    of,
    part_of,
    redirect,
    reset,
    send,
    short,
    status,
    wrong_content_range,
)
from core.tests.file_server import home as home
from core.tests.file_server import site as site
from core.tests.file_server import waits as waits

from corteval.errors import FetchError, WrongContent
from corteval.fetch import fetch, local_path, transfer

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
