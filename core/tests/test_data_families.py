"""Families of data sets: one entry point, a card for each member, made of its name."""

import json
import sys
from dataclasses import replace
from difflib import get_close_matches
from hashlib import sha256
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from corteval import registry, settings
from corteval.assembly import neural
from corteval.cards import DataCard, DataFamily, Resource
from corteval.cli import main
from corteval.errors import (
    InvalidIdentifier,
    NotInData,
    OptionError,
    PluginError,
    UnknownIdentifier,
)
from corteval.stimuli import StimulusSet
from corteval.testing import batteries, run_checks

CONTENT = b"responses of member one"
MEMBERS = ("Red2020.V1", "Red2020.V4", "Green2021")
FAMILY = DataFamily(
    identifier="colours",
    factory=f"{__name__}:Member",
    catalogue=f"{__name__}:catalogue",
    summary="Toy data sets by colour",
    licence="various, see each",
    members=MEMBERS,
    access="on request",
)


def catalogue(name):
    """Card of a member, whatever the case of its name."""
    sys.stdout.write("a catalogue that talks\n")
    known = {member.casefold(): member for member in MEMBERS}
    if name.casefold() not in known:
        close = get_close_matches(name.casefold(), known, cutoff=0.5)
        hint = (
            f" Did you mean {' or '.join(f'colours/{known[n]}' for n in close)}?" if close else ""
        )
        raise UnknownIdentifier(f"colours has no data set {name!r}.{hint}")
    name = known[name.casefold()]
    file = Resource(
        url=f"https://toy.example/{name}.bin",
        sha256=sha256(CONTENT).hexdigest(),
        size=len(CONTENT),
        licence="CC-BY-4.0",
    )
    return DataCard(
        identifier=f"colours/{name}",
        factory=f"{__name__}:Member",
        options={"name": name},
        summary=f"Toy data {name}",
        licence="CC-BY-4.0",
        bibtex="@misc{colours, title = {Colours}}",
        modality="text",
        resources=(file,),
        notes=("two of its neuroids were mislabelled",),
    )


def failing(name):
    raise RuntimeError(f"the table of {name} is torn")


def leaving(name):
    raise SystemExit(3)


class Member:
    """A data set of three words."""

    def __init__(self, name, shade="plain"):
        self.name, self.shade = name, shade

    def stimuli(self):
        table = pd.DataFrame(
            {"text": ["a", "b", "c"]}, index=pd.Index(["s1", "s2", "s3"], name="stimulus_id")
        )
        return StimulusSet(identifier=self.name, modality="text", table=table)

    def assembly(self):
        return neural(np.eye(3), ["s1", "s2", "s3"], {"neuroid_id": ["n1", "n2", "n3"]})


class OnlyStimuli(Member):
    """A localizer: words to which nobody's responses were kept."""

    def assembly(self):
        raise NotInData("Colours are a localizer: there are words to show, and no responses.")


class OnlyResponses(Member):
    """Responses to words that may not be passed on."""

    def stimuli(self):
        raise NotInData("The words of colours may not be passed on; ask their authors.")


@pytest.fixture(autouse=True)
def family():
    with registry.data.temporary(FAMILY):
        yield FAMILY


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """The command line, with a home of its own and a mirror that has the files of the family."""
    for name in ("CORTEVAL_OFFLINE", "CORTEVAL_MIRROR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CORTEVAL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("CORTEVAL_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    for name in MEMBERS:
        file = tmp_path / "mirror/toy.example" / f"{name}.bin"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(CONTENT)

    def run(*arguments):
        code = main(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


# The registry


def test_a_member_has_the_card_that_the_catalogue_makes(capsys):
    card = registry.data.card("colours/Red2020.V1")
    assert (card.identifier, card.size) == ("colours/Red2020.V1", len(CONTENT))
    assert registry.data_card("COLOURS/red2020.v1") == card
    assert registry.data.member_card("colours/Red2020.V1") == card
    assert capsys.readouterr().out == ""  # what a catalogue prints is no data


def test_a_member_is_created_with_the_options_of_its_card():
    made = registry.data.create("colours/Green2021", shade="dark")
    assert (made.name, made.shade) == ("Green2021", "dark")
    how = registry.creation_of(made)
    assert (how.identifier, how.options) == ("colours/Green2021", {"shade": "dark"})
    with pytest.raises(OptionError, match="hue"):
        registry.data.create("colours/Green2021", hue=3)


@pytest.mark.parametrize("ask", [registry.data.card, registry.data.create, registry.find])
def test_an_unknown_member_is_told_in_the_words_of_the_catalogue(ask):
    with pytest.raises(UnknownIdentifier) as caught:
        ask("colours/Red2020.V2")
    assert str(caught.value).startswith("colours has no data set 'Red2020.V2'. Did you mean")
    assert "colours/Red2020.V1" in str(caught.value)
    with pytest.raises(UnknownIdentifier, match=r"^colours has no data set 'zzzz'\.$"):
        ask("colours/zzzz")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("failing", "RuntimeError: the table of Green2021 is torn"),
        ("leaving", "sys.exit(3)"),
        ("missing", "AttributeError"),
    ],
)
def test_a_catalogue_that_breaks_is_an_error_that_names_its_plugin(function, said):
    broken = replace(FAMILY, identifier="broken", catalogue=f"{__name__}:{function}")
    with registry.data.temporary(broken), pytest.raises(PluginError) as caught:
        registry.data.card("broken/Green2021")
    assert "broken/Green2021" in str(caught.value) and said in str(caught.value)
    assert caught.value.__cause__ is not None


def test_a_family_itself_is_no_data_set():
    assert registry.data.card("colours") is FAMILY
    for ask in (registry.data_card, registry.data.create, registry.data.member_card):
        with pytest.raises(UnknownIdentifier) as caught:
            ask("colours")
        assert "colours is a family of data" in str(caught.value)
        assert "such as colours/Red2020.V1, colours/Red2020.V4" in str(caught.value)


def test_a_family_that_names_no_members_makes_up_none():
    with registry.data.temporary(replace(FAMILY, identifier="nameless", members=())):
        with pytest.raises(
            UnknownIdentifier, match=r"^nameless is a family of data; name a member"
        ):
            registry.data.create("nameless")
        assert {r.status for r in run_checks("nameless")} <= {"passed", "skipped"}


@pytest.mark.parametrize("name", ["../x", "a//b", "", "a/../b", "x" * 300, "a b"])
def test_hostile_members_never_reach_the_catalogue(name, monkeypatch):
    with pytest.raises(InvalidIdentifier):
        registry.data.card(f"colours/{name}")
    with pytest.raises(InvalidIdentifier):
        FAMILY.member(name)


# The command line


def test_list_marks_a_family(run):
    line = next(line for line in run("list", "data").out.splitlines() if "colours" in line)
    assert "colours/…" in line and "Toy data sets by colour" in line
    plugins = json.loads(run("list", "data", "--json").out)["plugins"]
    assert [p["family"] for p in plugins if p["identifier"] == "colours"] == [True]


def test_info_shows_a_family_and_its_members(run):
    text = run("info", "colours").out
    assert text.startswith("colours/… (data)")
    assert "on request" in text and "Red2020.V1" in text
    (card,) = json.loads(run("info", "colours", "--json").out)["cards"]
    assert (card["family"], card["members"]) == (True, list(MEMBERS))


def test_info_shows_a_member_with_its_files_and_what_must_be_known(run):
    text = run("info", "colours/red2020.v1").out
    assert text.startswith("colours/Red2020.V1 (data)")
    for fact in ("CC-BY-4.0", "23 bytes", "not downloaded", "mislabelled", "@misc{colours"):
        assert fact in text
    (card,) = json.loads(run("info", "colours/Red2020.V1", "--json").out)["cards"]
    assert card["notes"] == ["two of its neuroids were mislabelled"]
    assert card["resources"][0]["sha256"] == sha256(CONTENT).hexdigest()


@pytest.mark.parametrize("verb", [["info"], ["data", "fetch"], ["check"]])
def test_an_unknown_member_is_a_usage_error_with_close_names(run, verb):
    result = run(*verb, "colours/Red2020.V2")
    assert (result.code, result.out) == (2, "")
    assert "Did you mean" in result.err and "colours/Red2020.V1" in result.err


def test_ls_counts_the_members_of_families_apart(run):
    result = run("data", "ls")
    assert "colours" not in result.out
    assert "colours/…: 3 more. Toy data sets by colour" in result.err
    names = [d["identifier"] for d in json.loads(run("data", "ls", "--json").out)["data"]]
    assert "colours" not in names


def test_fetch_takes_members_by_name_and_no_patterns_of_them(run):
    result = run("data", "fetch", "colours/Red2020.V1,COLOURS/green2021", "--json")
    assert result.code == 0, result.err
    names = [file["identifier"] for file in json.loads(result.out)["files"]]
    assert names == ["colours/Red2020.V1", "colours/Green2021"]
    assert "downloaded" in run("info", "colours/Red2020.V1").out
    pattern, family = run("data", "fetch", "colours/*"), run("data", "fetch", "colours")
    assert (pattern.code, family.code) == (2, 2)
    assert "Members of a family are named in full" in pattern.err
    assert "such as colours/Red2020.V1" in family.err


def test_check_runs_the_battery_of_data_on_a_member(run):
    result = run("check", "colours/Green2021", "--json")
    checks = json.loads(result.out)["checks"]
    assert result.code == 0, result.err
    assert len(checks) == len(batteries.CARD + batteries.DATA)
    assert {c["status"] for c in checks} == {"passed", "skipped"}
    assert [c["name"] for c in checks if c["status"] == "skipped"] == ["light_import"]


def test_a_family_is_checked_by_its_card_alone():
    assert len(run_checks("colours")) == len(batteries.CARD)
    assert {r.status for r in run_checks("colours")} == {"passed", "skipped"}


def test_a_family_whose_catalogue_lacks_its_own_member_fails_a_check():
    with registry.data.temporary(replace(FAMILY, identifier="torn", members=("Blue",))):
        failed = [r for r in run_checks("torn") if not r.ok]
    assert [r.name for r in failed] == ["factory"]
    assert "'Blue'" in failed[0].message


# Data sets that lack a part


@pytest.mark.parametrize(
    ("kind", "reason", "left"),
    [
        ("OnlyStimuli", "localizer", {"stimuli_digest", "modality", "stimuli_load"}),
        ("OnlyResponses", "may not be passed on", {"assembly_digest", "schema"}),
    ],
)
def test_checks_of_a_part_that_data_do_not_have_are_skipped_with_the_reason(kind, reason, left):
    card = replace(
        catalogue("Green2021"),
        identifier="Partial",
        factory=f"{__name__}:{kind}",
        options={"name": "Partial"},
    )
    with registry.data.temporary(card):
        results = {r.name: r for r in run_checks("Partial") if r.name != "light_import"}
    assert all(r.ok and not r.missing_data for r in results.values())
    passed = {name for name, r in results.items() if r.status == "passed"}
    assert left <= passed
    for name in {"stimuli_match", "schema", "stimuli_load", "assembly_digest"} - left:
        assert (results[name].status, reason in results[name].message) == ("skipped", True), name
    names = {check.__name__.removeprefix("check_") for check in batteries.DATA}
    assert {n for n, r in results.items() if r.status == "skipped"} == names - passed
