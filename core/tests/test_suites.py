"""Suites: editions, weights, means, and how the command line takes them."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from corteval import registry, suites
from corteval.cards import Part, SuiteCard
from corteval.cli import cli
from corteval.errors import InvalidIdentifier, OptionError, UndefinedScore, UnknownIdentifier
from corteval.score import Score
from corteval.testing import toys

TOY = SuiteCard(
    identifier="toy-suite",
    summary="Toy",
    licence="MIT",
    editions={
        "1.0": (Part("A.V1-x"), Part("B.V1-x")),
        "2.0": (Part("A.V1-x", 3.0), Part("rest", parts=(Part("B.V1-x"), Part("C.V1-x", 2.0)))),
    },
)


@pytest.fixture(autouse=True)
def installed():
    with registry.suites.temporary(TOY):
        yield


def scores(**values):
    return [Score(value=v, benchmark=f"{name}.V1-x") for name, v in values.items()]


def test_weights_are_products_over_the_levels_of_the_tree():
    assert suites.named("toy-suite@1.0").weights == {"A.V1-x": 0.5, "B.V1-x": 0.5}
    assert suites.named("toy-suite@2.0").weights == pytest.approx(
        {"A.V1-x": 3 / 4, "B.V1-x": 1 / 12, "C.V1-x": 2 / 12}
    )


def test_the_name_alone_is_the_last_edition_and_case_does_not_matter():
    assert suites.named("Toy-Suite").name == "toy-suite@2.0"
    assert suites.named("toy-suite@runtime").name == "toy-suite@2.0"  # a distribution


def test_an_edition_there_is_not_is_an_error_that_names_the_others():
    with pytest.raises(UnknownIdentifier, match=r"no edition '3.0'; it has 1.0, 2.0"):
        suites.named("toy-suite@3.0")
    with pytest.raises(UnknownIdentifier, match=r"Did you mean toy-suite"):
        suites.named("toy-suit")


def test_the_mean_is_weighted():
    mean = suites.named("toy-suite@2.0").mean(scores(A=0.4, B=0.6, C=0.9))
    assert mean == pytest.approx(0.75 * 0.4 + 0.25 * (0.6 / 3 + 2 * 0.9 / 3))


@given(st.lists(st.floats(0.1, 10), min_size=2, max_size=6), st.floats(-1, 1))
def test_equal_scores_have_themselves_as_mean_whatever_the_weights(weights, value):
    parts = tuple(Part(f"P{n}", w) for n, w in enumerate(weights))
    card = SuiteCard(identifier="s", summary="", licence="MIT", editions={"1": parts})
    same = [Score(value=value, benchmark=f"P{n}") for n in range(len(weights))]
    assert suites.Suite(card=card).mean(same) == pytest.approx(value, abs=1e-12)


def test_a_missing_score_leaves_no_mean():
    with pytest.raises(
        UndefinedScore, match=r"1 of 3 benchmarks of toy-suite@2\.0 have no score: C"
    ):
        suites.named("toy-suite").mean(scores(A=0.4, B=0.6))
    failed = Score.unscored("failed", "it broke", benchmark="C.V1-x")
    with pytest.raises(UndefinedScore, match=r"C\.V1-x"):
        suites.named("toy-suite").mean([*scores(A=0.4, B=0.6), failed])


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan")])
def test_weights_are_positive(weight):
    with pytest.raises(OptionError, match="above 0"):
        Part("A", weight)


def test_hostile_names_and_empty_editions_are_refused():
    with pytest.raises(InvalidIdentifier):
        Part("../etc")
    with pytest.raises(OptionError, match="parts"):
        SuiteCard(identifier="s", summary="", licence="MIT", editions={"1.0": ()})
    with pytest.raises(OptionError, match="edition"):
        SuiteCard(identifier="s", summary="", licence="MIT")


def test_score_takes_a_suite_for_its_benchmarks_and_tells_its_mean():
    whole = SuiteCard(
        identifier="toys",
        summary="",
        licence="MIT",
        editions={"1.0": (Part("ToyData.IT-predictivity"),)},
    )
    with toys.registered(), registry.suites.temporary(whole):
        ran = CliRunner().invoke(cli, ["score", "toy-vision,toy-text", "toys@1.0", "-q"])
        facts = CliRunner().invoke(cli, ["score", "toy-vision", "toys", "-q", "--json"])
    value = json.loads(facts.stdout)["value"]
    (mean, _) = (line for line in ran.stdout.splitlines() if "toys@1.0" in line)
    assert mean.split()[:3] == ["toy-vision", "toys@1.0", f"{value:.4f}"]
    assert "not ranked: 1 of 1 benchmarks of toys@1.0 have no score" in ran.stdout


def test_a_benchmark_of_a_suite_that_is_not_installed_is_named():
    ran = CliRunner().invoke(cli, ["score", "pixels", "toy-suite"])
    assert ran.exit_code != 0
    assert "A.V1-x" in str(ran.exception) + ran.stderr


def test_info_names_members_and_weights():
    shown = CliRunner().invoke(cli, ["info", "toy-suite@1.0"]).stdout
    assert "A.V1-x x 3, rest (B.V1-x, C.V1-x x 2)" in shown
    facts = json.loads(CliRunner().invoke(cli, ["info", "toy-suite", "--json"]).stdout)
    assert facts["cards"][0]["kind"] == "suites"


def test_list_has_suites():
    listed = CliRunner().invoke(cli, ["list", "suites"]).stdout
    assert "toy-suite" in listed
