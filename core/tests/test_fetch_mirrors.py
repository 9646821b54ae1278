"""Files from mirrors, from hooks, and offline."""

from pathlib import Path

import pytest
from core.tests.file_server import BODY, mirrored, of
from core.tests.file_server import home as home
from core.tests.file_server import site as site
from core.tests.file_server import waits as waits

from corteval.errors import FetchError
from corteval.fetch import fetch, local_path
from corteval.hooks import FetchRequested, hookimpl, observing


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
