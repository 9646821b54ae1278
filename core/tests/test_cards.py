import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval.cards import BenchmarkCard, ModelCard, ModelFamily, Resource, check_identifier
from corteval.errors import InvalidIdentifier, OptionError


def card(**fields):
    return ModelCard(
        **{"identifier": "m", "factory": "a.b:c", "summary": "s", "licence": "MIT"} | fields
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "../x",
        "a/b",
        "a" * 300,
        "a\0b",
        "😀",
        "café",
        " x",
        "x ",
        "-x",
        ".x",
        "a..b",
        "x\n",
        "a:b",
    ],
)
def test_hostile_identifiers_are_refused_with_a_reason(text):
    with pytest.raises(InvalidIdentifier, match="identifier"):
        check_identifier(text)


@pytest.mark.parametrize("text", ["Cowley2023.V4-pls", "CORnet-S", "resnet50.a1_in1k", "7"])
def test_identifiers_of_the_field_are_accepted(text):
    assert check_identifier(text) == text


@given(st.text())
def test_what_is_accepted_is_a_harmless_file_name(text):
    try:
        check_identifier(text)
    except InvalidIdentifier:
        return
    assert text.isascii()
    assert not set(text) & set('/\\:*?"<>|\0\n ')
    assert text.strip(".") != ""


def test_a_message_never_contains_raw_control_characters():
    with pytest.raises(InvalidIdentifier) as caught:
        check_identifier("\x1b[31mred")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("member", ["../x", "a//b", "/a", "a/", "a/../b", "x" * 300])
def test_hostile_members_are_refused(member):
    family = ModelFamily(identifier="hf", factory="a:b", summary="s", licence="MIT")
    with pytest.raises(InvalidIdentifier):
        family.member(member)


def test_a_family_member_is_a_model_card_with_the_member_as_option():
    family = ModelFamily(
        identifier="timm", factory="a:b", summary="s", licence="MIT", options={"weights": True}
    )
    member = family.member("resnet50.a1_in1k")
    assert member.identifier == "timm/resnet50.a1_in1k"
    assert member.arguments() == {"weights": True, "member": "resnet50.a1_in1k"}


def test_the_factory_of_a_benchmark_is_given_its_card():
    benchmark = BenchmarkCard(identifier="B", factory="a:b", summary="s", licence="MIT")
    assert benchmark.arguments() == {"card": benchmark}


@pytest.mark.parametrize("factory", ["", "module", "mod:", ":f", "a b:c", "a:b()", "os;x:y"])
def test_a_factory_that_is_no_reference_is_refused(factory):
    with pytest.raises(OptionError, match=r"package\.module:callable"):
        card(factory=factory)


def test_resources_are_pinned_by_a_digest():
    with pytest.raises(OptionError, match="64 hexadecimal"):
        Resource(url="https://x.org/f", sha256="abc", size=1, licence="MIT")
    with pytest.raises(OptionError, match="neither https"):
        Resource(url="file:///etc/passwd", sha256="0" * 64, size=1, licence="MIT")
    resource = Resource(url="https://x.org/a/f.zip?k=v", sha256="0" * 64, size=1, licence="MIT")
    assert resource.filename == "f.zip"
