"""Before much is downloaded, or anything that is not for everybody, people are asked."""

import io
import json
import os
import pty
import subprocess
import sys
import textwrap
from dataclasses import replace
from hashlib import sha1
from types import SimpleNamespace

import pytest

from corteval import registry, settings
from corteval.cards import DataCard, Resource
from corteval.cli import consent, main
from corteval.errors import FetchError
from corteval.fetch import is_cached, local_path
from corteval.testing import toys

CONTENT = b"what was recorded"
SIZE = len(CONTENT)


def file(name="toy.bin", size=SIZE):
    digest = sha1(name.encode() if name != "toy.bin" else CONTENT, usedforsecurity=False)
    return Resource(
        url=f"https://toy.example/{name}", sha1=digest.hexdigest(), size=size, licence="CC-BY-4.0"
    )


def data(identifier="Asked", *files, **fields):
    common = {"factory": "corteval.testing.toys:ToyData", "summary": "Toy", "licence": "CC-BY-4.0"}
    return DataCard(identifier=identifier, resources=files or (file(),), **common | fields)


class Terminal(io.StringIO):
    """A person who types."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def environment(tmp_path, monkeypatch):
    """A mirror that has toy.bin, and nobody at the keyboard."""
    for name in ("CORTEVAL_OFFLINE", "CORTEVAL_PLUGIN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mirror/toy.example").mkdir(parents=True)
    (tmp_path / "mirror/toy.example/toy.bin").write_bytes(CONTENT)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def typing(monkeypatch):
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


def ask(*cards, yes=False):
    consent.ask(cards, yes=yes)


# What is asked for


@pytest.mark.parametrize(
    "cards",
    [
        [],
        [data()],
        [data("A", file(size=consent.UNASKED))],
        [data("A", file("a", 60_000_000)), data("B", file("b", 40_000_000))],
        [replace(data(access="private"), resources=())],
    ],
    ids=["nothing", "small", "at the limit", "together at the limit", "no files"],
)
def test_what_is_small_and_public_is_downloaded_unasked(cards, capsys):
    ask(*cards)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("cards", "size"),
    [
        ([data("A", file(size=consent.UNASKED + 1))], "100.0 MB"),
        ([data("A", file("a", 60_000_000)), data("B", file("b", 40_000_001))], "100.0 MB"),
        ([data("A", file("a", 3), file("b", None))], "size unknown"),
        ([data("A", file("a", 3)), data("B", file("b", None))], "size unknown"),
        ([data(access="on request")], "17 bytes"),
        ([data(access="private")], "17 bytes"),
    ],
    ids=["large", "large together", "unknown size", "one unknown", "on request", "private"],
)
def test_what_is_large_unknown_or_restricted_is_refused_if_nobody_can_be_asked(cards, size):
    with pytest.raises(FetchError) as caught:
        ask(*cards)
    assert str(caught.value) == (
        f"This would download files ({size}), and there is nobody to ask. Say --yes to agree, "
        "or --offline to do without."
    )
    ask(*cards, yes=True)


@pytest.mark.parametrize("stdin", [None, io.StringIO("y\n")], ids=["closed", "a pipe"])
def test_a_pipe_or_a_closed_stdin_is_nobody(stdin, monkeypatch):
    monkeypatch.setattr(sys, "stdin", stdin)
    with pytest.raises(FetchError, match="nobody to ask"):
        ask(data(access="private"))


@pytest.mark.parametrize("yes", [True, False])
def test_licence_size_access_and_notes_are_shown_before(yes, typing, capsys):
    typing("y\n")
    card = data("Noted", access="on request", notes=("Mail the authors.", "Session 3 is short."))
    ask(card, data("Other", file("b", None)), yes=yes)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[:4] == [
        "Noted: 17 bytes, licence CC-BY-4.0, on request",
        "  Mail the authors.",
        "  Session 3 is short.",
        "Other: size unknown, licence CC-BY-4.0, public",
    ]
    assert ("Download these files (size unknown)?" in err) is not yes


@pytest.mark.parametrize("answer", ["n\n", "\n", "no\n", "what?\nN\n"])
def test_anything_but_yes_downloads_nothing(answer, typing):
    typing(answer)
    with pytest.raises(FetchError, match=r"^Nothing was downloaded\.$"):
        ask(data(access="private"))


def test_files_that_are_here_are_not_counted():
    large = data("A", file(), file("b", consent.UNASKED))
    with pytest.raises(FetchError):
        ask(large)
    here = local_path(large.resources[0])
    here.parent.mkdir(parents=True)
    here.write_bytes(CONTENT)
    ask(large)
    ask(data("A", access="private"))


# The verbs


def test_fetch_asks_and_what_is_refused_is_not_fetched(run, typing):
    with registry.data.temporary(data(access="on request", notes=("Mail the authors.",))):
        nobody = run("data", "fetch", "Asked")
        assert (nobody.code, nobody.out) == (1, "")
        assert "Error: This would download files (17 bytes)" in nobody.err
        assert "Say --yes" in nobody.err and "Mail the authors." in nobody.err
        typing("n\n")
        no = run("data", "fetch", "Asked")
        assert (no.code, no.out) == (1, "") and "Error: Nothing was downloaded." in no.err
        assert not is_cached(file())
        typing("y\n")
        agreed = run("data", "fetch", "Asked")
        assert (agreed.code, agreed.out) == (0, f"{local_path(file())}\n")
        assert "Download these files (17 bytes)? [y/N]" in agreed.err
    assert is_cached(file())


@pytest.mark.parametrize("flag", ["--yes", "-y"])
def test_fetch_with_yes_asks_nobody_but_says_what_it_does(run, flag):
    with registry.data.temporary(data(access="private", notes=("Ours.",))):
        result = run("data", "fetch", "Asked", flag, "--json")
    assert result.code == 0
    assert [f["identifier"] for f in json.loads(result.out)["files"]] == ["Asked"]
    assert "private" in result.err and "Ours." in result.err


def test_fetch_of_a_small_public_set_is_silent(run):
    with registry.data.temporary(data(notes=("Nothing to worry about.",))):
        result = run("data", "fetch", "Asked")
    assert (result.code, result.err) == (0, "")


def test_as_json_a_refusal_is_an_envelope_and_an_answer_leaves_stdout_clean(run, typing):
    with registry.data.temporary(data(access="private")):
        refused = run("data", "fetch", "Asked", "--json")
        assert refused.code == 1
        assert json.loads(refused.out)["error"]["type"] == "FetchError"
        typing("y\n")
        agreed = run("data", "fetch", "Asked", "--json")
    assert agreed.out[0] == "{"
    assert json.loads(agreed.out)["files"][0]["path"] == str(local_path(file()))


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (["score", "toy-vision", "ToyData.IT-predictivity"], 0),
        (["layers", "toy-vision", "ToyData.IT-predictivity"], 2),  # a toy has no layers to list
        (["check", "ToyData.IT-predictivity"], 0),
        (["check", "ToyData"], 0),
    ],
    ids=["score", "layers", "check a benchmark", "check data"],
)
def test_verbs_that_use_data_ask_before_anything_is_computed(run, typing, verb, code):
    with toys.registered():
        asked = replace(toys.DATA, resources=(file(),), access="on request", notes=("A note.",))
        registry.data.add(asked, replace=True)
        refused = run(*verb, "--json")
        assert refused.code == 1
        assert json.loads(refused.out)["error"]["type"] == "FetchError"
        assert refused.err.count("ToyData: 17 bytes") == 1 and "A note." in refused.err
        typing("y\n")
        agreed = run(*verb, "--json")
        assert (agreed.code, json.loads(agreed.out) is not None) == (code, True), agreed.err
        with_flag = run(*verb, "--yes", "--json")
        assert (with_flag.code, json.loads(with_flag.out) is not None) == (code, True)
        assert "nobody" not in with_flag.err


def test_data_of_several_benchmarks_are_asked_for_once(run):
    with toys.registered():
        registry.data.add(replace(toys.DATA, resources=(file(size=None),)), replace=True)
        other = replace(toys.BENCHMARK, identifier="ToyData.V4-predictivity", target="V4")
        with registry.benchmarks.temporary(other):
            result = run("score", "toy-vision", "ToyData.*")
    assert result.code == 1
    assert result.err.count("ToyData: size unknown") == 1


def test_benchmarks_that_need_no_consent_are_scored_whatever_the_answer_for_others(run, typing):
    with toys.registered():
        asked = replace(toys.DATA, identifier="Asked", access="private", resources=(file(),))
        other = replace(toys.BENCHMARK, identifier="Asked.IT-predictivity", data=("Asked",))
        with registry.data.temporary(asked), registry.benchmarks.temporary(other):
            nobody = run("score", "toy-vision", "ToyData.IT-predictivity,Asked.IT-predictivity")
            typing("n\n")
            refused = run("score", "toy-vision", "ToyData.IT-predictivity,Asked.IT-predictivity")
    for result in (nobody, refused):
        assert result.code == 3
        scored, failed = (line.split() for line in result.out.splitlines()[1:3])
        assert (scored[-1], failed[-1]) == ("scored", "failed")
        assert "1 of 2 benchmarks are not scored" in result.err


def test_a_benchmark_whose_data_are_not_installed_is_no_reason_to_ask(run):
    with toys.registered():
        lone = replace(toys.BENCHMARK, identifier="Lone.IT-predictivity", data=("Absent",))
        with registry.benchmarks.temporary(lone):
            result = run("score", "toy-vision", "Lone.IT-predictivity")
    assert result.code == 3 and "Absent" in result.err


def test_on_a_terminal_the_question_goes_to_stderr_and_stdout_holds_data_only(tmp_path):
    """A real terminal, for libraries that edit lines write to it as they like."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins/toys.py").write_text(
        textwrap.dedent(f"""
            from corteval.cards import DataCard, Resource
            ASKED = DataCard(identifier="Asked", factory="toys:d", summary="Toy", licence="MIT",
                access="on request", resources=(Resource(url="https://toy.example/toy.bin",
                sha1="{file().sha1}", licence="MIT"),))
        """)
    )
    outer, inner = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "corteval", "data", "fetch", "Asked"],
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"CORTEVAL_PLUGIN_PATH": str(tmp_path / "plugins")},
        text=True,
    )
    os.close(inner)
    os.write(outer, b"y\n")
    out, err = running.communicate(timeout=20)
    os.close(outer)
    assert running.returncode == 0, err
    assert out == f"{local_path(file())}\n"
    assert "Download these files (size unknown)? [y/N]" in err
