"""Downloads against a server that misbehaves on demand: the right bytes and clear words."""

import os
import re
import subprocess
import sys
import traceback

import pytest
from core.tests.file_server import BODY, PAGE, SECRET, digest, of, redirect, send, short, status
from core.tests.file_server import home as home
from core.tests.file_server import site as site
from core.tests.file_server import waits as waits
from hypothesis import given
from hypothesis import strategies as st

from corteval import settings
from corteval.errors import FetchError, InvalidIdentifier, NotInData
from corteval.fetch import fetch, is_cached, local_path, provided
from corteval.hooks import hookimpl, observing

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
