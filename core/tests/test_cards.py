import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval.cards import (
    BenchmarkCard,
    DataCard,
    MetricCard,
    ModelCard,
    ModelFamily,
    Resource,
    check_identifier,
    human_size,
    total_size,
)
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


def resource(**fields):
    return Resource(**{"url": "https://x.org/f", "licence": "MIT"} | fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "is not pinned: give its sha256, or its sha1"),
        ({"size": 3}, "is not pinned"),
        ({"sha256": "0" * 40}, "sha256 '0+' is not 64 hexadecimal"),
        ({"sha1": "0" * 64}, "sha1 '0+' is not 40 hexadecimal"),
        ({"sha1": "A" * 40}, "sha1 'A+' is not 40 hexadecimal"),
        ({"sha1": "0" * 40 + "\n"}, "is not 40 hexadecimal"),
        ({"sha256": "0" * 64, "sha1": "0"}, "sha1 '0' is not 40 hexadecimal"),
        ({"sha1": "0" * 40, "size": -1}, "size -1 is negative"),
    ],
)
def test_a_resource_that_nothing_pins_or_that_is_mistyped_is_refused(fields, message):
    with pytest.raises(OptionError, match=message):
        resource(**fields)


def test_a_resource_may_be_pinned_by_sha1_and_its_size_be_unknown():
    weak, strong = "a" * 40, "b" * 64
    loose = resource(sha1=weak)
    assert (loose.algorithm, loose.digest, loose.size, loose.hint) == ("sha1", weak, None, "")
    tight = resource(sha256=strong, size=0)
    assert (tight.algorithm, tight.digest, tight.size) == ("sha256", strong, 0)
    both = resource(sha256=strong, sha1=weak)  # the stronger one counts
    assert (both.algorithm, both.digest) == ("sha256", strong)


def test_the_total_is_unknown_if_one_size_is():
    sized = [resource(sha1="0" * 40, size=size) for size in (5, 0, 7)]
    assert total_size(sized) == 12
    assert total_size([]) == 0
    assert total_size([*sized, resource(sha1="0" * 40)]) is None
    fields = {"identifier": "D", "factory": "a:b", "summary": "s", "licence": "MIT"}
    assert DataCard(**fields, resources=tuple(sized)).size == 12
    assert DataCard(**fields, resources=(resource(sha1="0" * 40),)).size is None


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, "size unknown"), (0, "0 bytes"), (999, "999 bytes"), (2_560_128, "2.6 MB")],
)
def test_sizes_are_said_in_units_of_a_thousand(count, words):
    assert human_size(count) == words


def test_a_metric_takes_means_of_neural_responses_unless_it_says_otherwise():
    plain = MetricCard(identifier="m", factory="a:b", summary="s", licence="MIT")
    assert (plain.takes, plain.needs, plain.ceilings) == ("neural", (), ())
    assert not plain.cross_validated
