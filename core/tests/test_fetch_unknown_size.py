"""Files of which a publisher gives a sha1 only, and no size."""

import functools

import pytest
from core.tests.file_server import (
    BODY,
    PAGE,
    announce_half,
    beyond_the_end,
    chunked,
    loosely,
    mirrored,
    of,
    part_of,
    reset,
    sha1,
    short,
    status,
)
from core.tests.file_server import home as home
from core.tests.file_server import site as site
from core.tests.file_server import waits as waits

from corteval.errors import FetchError, WrongContent
from corteval.fetch import fetch, is_cached, local_path, transfer
from corteval.hooks import hookimpl, observing


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
