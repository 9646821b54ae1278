import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval.errors import AssemblyError, CortevalError, StimuliError
from corteval_syntaxgym.formulas import (
    Combination,
    Comparison,
    Constant,
    RegionSurprisal,
    Sum,
    holds,
    parse,
    regions_of,
)
from corteval_syntaxgym.suites import read_suite

A, B = RegionSurprisal(condition="a", region=1), RegionSurprisal(condition="b", region=2)
VALUES = {("a", 1): 3.0, ("a", 2): 1.0, ("b", 1): 2.0, ("b", 2): 4.0}


def test_a_formula_becomes_a_typed_statement():
    statement = parse("[(1;%a%) - (2;%b%)] + 1.5 > 0 & (1; %a%) = (2; %b%)")
    sum_ = Sum(left=Sum(left=A, sign="-", right=B), sign="+", right=Constant(value=1.5))
    assert statement == Combination(
        left=Comparison(left=sum_, sign=">", right=Constant(value=0)),
        sign="&",
        right=Comparison(left=A, sign="=", right=B),
    )
    assert regions_of(statement) == {A, B}


@pytest.mark.parametrize(
    ("formula", "truth"),
    [
        ("(1;%a%) < (2;%b%)", True),
        ("(1;%a%) > (2;%b%)", False),
        ("(1;%a%)-(1;%b%)-(2;%a%) = 0", True),  # from left to right: 3 - 2 - 1
        ("(1;%a%)-[(1;%b%)-(2;%a%)] = 2", True),
        ("(1;%a%)-((1;%b%)-(2;%a%)) = 2", True),
        ("(*;%a%) = 4", True),
        ("(*;%b%) > 6", False),
        ("1 > 2 | 1 < 2 & 3 < 4", True),  # & binds tighter
        ("[1 < 2 | 1 < 2] & 3 > 4", False),
        ("1 < 2 | 1 < 2 & 3 > 4", True),
        ("[[1 < 2]]", True),
    ],
)
def test_truth_of_a_formula(formula, truth):
    assert holds(parse(formula), VALUES) is truth


@pytest.mark.parametrize(
    ("difference", "equal"), [(0.00099, True), (0.00102, False), (-0.00099, True), (0.0, True)]
)
def test_equal_means_within_a_thousandth(difference, equal):
    assert holds(parse("(1;%a%) = 1"), {("a", 1): 1 + difference}) is equal


def test_infinite_surprisals_are_equal_to_themselves():
    infinite = {("a", 1): math.inf, ("b", 2): math.inf}
    assert holds(parse("(1;%a%) = (2;%b%)"), infinite)


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("", "something is missing"),
        ("(1;%a%)", "it compares nothing"),
        ("(1;%a%) < ", "something is missing"),
        ("(1;%a%) < (1;%b%) < 3", "cannot be chained"),
        ("(1;%a%) & (1;%b%)", "join comparisons"),
        ("[1 < 2] + 3 > 1", "a comparison is no number"),
        ("[1 < 2", "is not closed"),
        ("[1 < 2)", "is not closed"),
        ("1 < 2]", "nothing can follow"),
        ("1 < 2 3", "nothing can follow"),
        ("-1 < 2", "- cannot stand there"),
        ("(1;a) < 2", "character 3 starts nothing"),
        ("(1;%a%) == (1;%b%)", "= cannot stand there"),
        ("(1;%a%) < 1e9", "character 12 starts nothing"),
        ("(-1;%a%) < 1", "starts nothing"),
        ("__import__('os').system('true') < 1", "character 1 starts nothing"),
        ("(1;%a%).__class__ < 1", "character 8 starts nothing"),
        ("(1;%a%) < (lambda: 1)()", "starts nothing"),
        ("9999999999 < 1", "nothing can follow|something|starts|join|compares"),
        ("[" * 21 + "1 < 2" + "]" * 21, "more than 20 deep"),
        ("[" * 999, "more than 20 deep"),
        ("1+" * 501 + "1 < 2", "at most 1000"),
        ("(１;%a%) < 1", "starts nothing"),
        ("(1;%a\n%) < 1", "starts nothing"),
    ],
)
def test_hostile_and_broken_formulas_are_refused(formula, why):
    with pytest.raises(StimuliError, match=why):
        parse(formula)


def test_the_longest_sum_that_is_read_is_evaluated():
    assert holds(parse("1+" * 498 + "1>9"), {})


@given(st.text(alphabet="12;%ab()[]+-<>=&| *.x", max_size=40))
def test_whatever_is_written_is_a_statement_or_refused(text):
    try:
        statement = parse(text)
    except CortevalError:
        return
    assert isinstance(statement, Comparison | Combination)


def test_a_region_without_surprisal_is_named():
    with pytest.raises(AssemblyError, match="region 2 in condition 'c'"):
        holds(parse("(2;%c%) > 0"), VALUES)
    with pytest.raises(AssemblyError, match=r"region \* in condition 'c'"):
        holds(parse("(*;%c%) > 0"), VALUES)


def suite(**changes):
    regions = [{"region_number": 1, "content": "He"}, {"region_number": 2, "content": "is."}]
    content = {
        "meta": {"name": "toy", "metric": "sum"},
        "region_meta": {"1": "np", "2": "verb"},
        "predictions": [{"type": "formula", "formula": "(2;%a%) < 1"}],
        "items": [{"item_number": 1, "conditions": [{"condition_name": "a", "regions": regions}]}],
    }
    return {**content, **changes}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"predictions": [{"formula": "(2;%b%) < 1"}]}, "no region 2 in a condition 'b'"),
        ({"predictions": [{"formula": "(3;%a%) < 1"}]}, "no region 3 in a condition 'a'"),
        ({"predictions": [{"formula": "exit() < 1"}]}, "character 1 starts nothing"),
        ({"meta": {"name": "toy", "metric": "mean"}}, "takes the 'mean'"),
        ({"items": [{"item_number": 1}]}, "is no test suite"),
        ({"items": 3}, "is no test suite"),
    ],
)
def test_a_broken_suite_is_refused(tmp_path, changes, why):
    file = tmp_path / "toy.json"
    file.write_text(json.dumps(suite(**changes)))
    with pytest.raises(StimuliError, match=why):
        read_suite(file)


def test_what_is_no_json_is_refused(tmp_path):
    file = tmp_path / "toy.json"
    file.write_text("[" * 100_000)
    with pytest.raises(StimuliError, match="is no test suite"):
        read_suite(file)


def test_a_sound_suite_is_read(tmp_path):
    file = tmp_path / "toy.json"
    file.write_text(json.dumps(suite()))
    assert read_suite(file).region_names == {1: "np", 2: "verb"}
