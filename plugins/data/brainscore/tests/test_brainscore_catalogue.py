"""The packaged catalogue against the registries it was made of, and the cards made of it."""

import re

import pytest

from corteval import registry
from corteval.errors import NotInData, UnknownIdentifier
from corteval.testing.checks.card import bibtex_problem
from corteval_brainscore import catalogue
from corteval_brainscore.card import BRAINSCORE
from corteval_brainscore.members import MEMBERS

CARDS = {name: BRAINSCORE.member(name) for name in MEMBERS}


def test_every_row_of_the_vision_registry_is_there_with_its_files(registry_rows):
    rows = registry_rows("brainscore_vision_data.csv")
    assert len(rows) == 297
    for row in rows:
        held = catalogue.find(row["registry_id"])
        if not row["bucket"]:
            assert held.by_agreement
            continue
        parts = (
            [("nc", held.responses)]
            if row["kind"] == "assembly"
            else [("csv", held.table), ("zip", held.images)]
        )
        for part, resource in parts:
            version = row[f"{part}_version_id"].replace("null", "")
            query = f"?versionId={version}" if version else ""
            address = f"https://{row['bucket']}.s3.amazonaws.com/{row[f'{part}_key']}{query}"
            assert (resource.url, resource.sha1) == (address, row[f"{part}_sha1"])
        if row["kind"] == "assembly":
            assert held.form == row["assembly_class"]
            assert held.merges == (row["merge_stimulus_meta"] == "True")
            both = held.table is not None
            assert held.stimulus_set == (row["stimulus_set"] or (held.member if both else ""))


def test_every_row_of_the_language_registry_is_there(registry_rows):
    rows = registry_rows("brainscore_language_data.csv")
    assert len(rows) == 26
    names = set()
    for row in rows:
        ceiling = row["kind"].startswith("ceiling")
        name = f"{row['identifier']}.{row['kind']}" if ceiling else row["identifier"]
        name = name.replace(":", ".").replace("-<suite>", "")
        held = catalogue.find(name)
        names.add(held.member)
        if row["sha1"]:
            version = f"?versionId={row['version_id']}" if row["version_id"] else ""
            assert held.responses.url == row["location"] + version
            assert held.responses.sha1 == row["sha1"]
        elif row["location_type"] == "S3":
            assert held.unpinned == row["location"]
        else:
            assert held.instead
    assert len(names) == 26


def test_the_card_lists_exactly_the_members_of_the_catalogue():
    assert list(MEMBERS) == sorted(MEMBERS, key=str.casefold)
    assert {name.casefold() for name in MEMBERS} == set(catalogue._holdings())
    assert len(MEMBERS) == 209 + 26


@pytest.mark.parametrize("name", MEMBERS)
def test_every_member_has_a_sound_card(name):
    card = CARDS[name]
    assert card.identifier == f"brainscore/{name}"
    assert 0 < len(card.summary) <= 100
    assert card.bibtex and not bibtex_problem(card.bibtex)
    assert card.licence == "none recorded in the registry"
    for resource in card.resources:
        assert resource.url.startswith("https://brainscore-storage.s3.amazonaws.com/")
        assert re.fullmatch(r"[0-9a-f]{40}", resource.sha1)
        assert resource.size is None
        assert "403" in resource.hint


def test_names_are_found_whatever_their_case():
    assert registry.data.card("brainscore/majajhong2015.PUBLIC") == CARDS["MajajHong2015.public"]


def test_an_unknown_name_is_answered_with_close_ones():
    with pytest.raises(UnknownIdentifier, match=r"brainscore/MajajHong2015\.public"):
        registry.data.create("brainscore/MajajHong2015.publik")
    with pytest.raises(UnknownIdentifier, match="SyntaxGym"):
        registry.data.create("brainscore/syntaxgym-cleft")


def test_an_assembly_brings_the_files_of_its_stimuli():
    names = [resource.filename for resource in CARDS["MajajHong2015.public"].resources]
    assert names == [
        "assy_dicarlo_MajajHong2015_public.nc",
        "stimulus_hvm-public.csv",
        "stimulus_hvm-public.zip",
    ]


@pytest.mark.parametrize(
    ("name", "access", "words"),
    [
        ("MajajHong2015.public", "public", "instructions for beginners"),
        ("FreemanZiemba2013.private", "private", "Private by its name"),
        ("objectome.private", "private", "Private by its name"),
        ("hvm", "private", "holds what hvm-private holds"),
        ("Geirhos2021_colour", "public", "call them public"),
        ("Sanghavi2020", "private", "call them private"),
        ("Kuzovkin2018", "on request", "Access is not known"),
        ("Pereira2018.language", "on request", "Access is not known"),
    ],
)
def test_access_is_said_with_what_it_rests_on(name, access, words):
    assert CARDS[name].access == access
    assert words in " ".join(CARDS[name].notes)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Papale2025_stim_train", "not licensed for redistribution"),
        ("Futrell2018", "shifted by one word"),
        ("Tuckute2024.language", "One neuroid"),
        ("imagenet_val", "ImageNet"),
        ("neural-nlp.Pereira2018", "No digest was ever published"),
        ("Zerbe2026_fmri_stim_full", "data use agreement"),
    ],
)
def test_restrictions_and_errata_are_told(name, words):
    assert words in " ".join(CARDS[name].notes)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("wikitext-2/test", "Wikitext2"),
        ("Fedorenko2010.localization", "Fedorenko2010.localization"),
        ("syntaxgym", "SyntaxGym"),
    ],
)
def test_what_is_not_in_the_bucket_names_what_to_use(name, instead):
    data = registry.data.create(f"brainscore/{name}")
    for part in (data.stimuli, data.assembly):
        with pytest.raises(NotInData, match=instead):
            part()


def test_a_stimulus_set_names_the_recordings_made_with_it():
    with pytest.raises(NotInData, match=r"brainscore/MajajHong2015\.public"):
        registry.data.create("brainscore/hvm-public").assembly()
