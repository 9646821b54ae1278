"""Options behind identifiers: one text for a model, read back as it was, in keys and records."""

import json
import string
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval import model_options, registry
from corteval.cards import ModelCard
from corteval.cli import main
from corteval.cli.selection import expand
from corteval.controls import controls_of
from corteval.errors import CortevalError, OptionError
from corteval.run import cells
from corteval.run.cells import Cell, key_of
from corteval.scoring import score, subject_named
from corteval.testing import toys

NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=8).filter(
    lambda name: name not in {"identifier", "member", "card"}
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
BENCHMARK = "ToyData.IT-predictivity"


def build(identifier, width=3, seed=0, weights=None):
    del width, seed, weights
    built = toys.vision()
    assert identifier == "wide"
    return built


WIDE = ModelCard(
    identifier="wide",
    factory=f"{__name__}:build",
    options={"identifier": "wide"},
    summary="A toy",
    licence="MIT",
)
TWIN = ModelCard(
    identifier="wide-untrained", factory="a:b", summary="Its untrained twin", licence="MIT"
)
CACHES = (cells.key_of, cells._benchmark, cells._side, cells._package_digest)


@pytest.fixture(autouse=True)
def known():
    for cached in CACHES:
        cached.cache_clear()
    with toys.registered(), registry.models.temporary(WIDE, TWIN):
        yield
    for cached in CACHES:
        cached.cache_clear()


@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_is_read_back(options):
    text = model_options.named("family/member@dist", options)
    assert model_options.parse(text) == ("family/member@dist", options)
    assert text.isprintable()
    assert not set(text) & set(",*?[]\"' \\")


@given(st.dictionaries(NAMES, VALUES, min_size=2, max_size=4))
def test_the_order_in_which_options_are_given_does_not_matter(options):
    backwards = dict(reversed(options.items()))
    assert model_options.named("m", options) == model_options.named("m", backwards)


@pytest.mark.parametrize(
    ("written", "value"),
    [("7", 7), ("1e-3", 0.001), ("true", True), ("False", False), ("None", None), ("gru", "gru"),
     ('"7"', "7"), ("a%2Cb", "a,b"), ("%5B1%2C2%5D", [1, 2]), ("NaN", "NaN"), ("", "")],
)  # fmt: skip
def test_values_are_json_or_texts(written, value):
    assert model_options.parse(f"m:x={written}") == ("m", {"x": value})


@pytest.mark.parametrize("text", ["m:", "m:7", "m:=7", "m:a b=7", "m:x=1:x=2", "m:member=a"])
def test_what_is_no_option_is_refused_with_how_to_write_one(text):
    with pytest.raises(OptionError, match=r"^m:"):
        model_options.parse(text)
    with pytest.raises(CortevalError):
        key_of(Cell(model=text, benchmark=BENCHMARK))


def test_a_model_is_named_by_its_options_in_one_way():
    assert expand("models", "WIDE:width=5:seed=1,toy-vision") == [
        "wide:seed=1:width=5",
        "toy-vision",
    ]
    assert subject_named("wide:width=5:seed=1").name == "wide:seed=1:width=5"
    assert subject_named("wide").name == "wide"
    # from Python, options that the name does not hold are told as before
    assert subject_named(registry.models.create("wide", width=5)).name == "wide (modified)"


def test_options_behind_a_pattern_are_those_of_all_it_matches():
    assert expand("models", "wid?:width=5") == ["wide:width=5"]


def test_an_option_that_the_model_does_not_take_is_refused_before_anything_is_computed():
    with pytest.raises(OptionError, match="did you mean width"):
        expand("models", "toy-vision,wide:widht=5")


def test_paths_are_absolute_for_models_are_built_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (found,) = expand("models", "wide:weights=./w.npz")
    assert model_options.parse(found)[1] == {"weights": str(tmp_path / "w.npz")}


def test_options_are_in_the_score_and_its_provenance():
    found = score("wide:width=5", BENCHMARK, store=None)
    assert found.model == "wide:width=5"
    assert found.provenance.options["models/wide"] == "width=5"


def test_keys_tell_options_apart_and_not_their_order():
    def key(model):
        return key_of(Cell(model=model, benchmark=BENCHMARK))

    names = ["wide", "wide:width=5", "wide:width=6", "wide:width=5:seed=1", 'wide:width="5"']
    assert len({key(name) for name in names}) == len(names)
    assert key("wide:width=5:seed=1") == key("wide:seed=1:width=5")


def test_keys_hold_the_content_of_files_that_options_name(tmp_path):
    file = tmp_path / "weights"
    cell = Cell(model=f"wide:weights={tmp_path}", benchmark=BENCHMARK)
    found = set()
    for content in ("first", "second", "first"):
        file.write_text(content)
        for cached in CACHES:
            cached.cache_clear()
        found.add(key_of(cell))
    assert len(found) == 2


def test_a_twin_is_that_of_the_model_whatever_its_options():
    assert controls_of("wide:width=5", BENCHMARK) == controls_of("wide", BENCHMARK)


def test_only_models_take_options():
    with pytest.raises(CortevalError):
        expand("benchmarks", f"{BENCHMARK}:seed=3")


def test_a_name_with_options_survives_a_plan(tmp_path):
    from corteval.run import index
    from corteval.run.plan import Plan, make_plan
    from corteval.run.records import Records

    with index.opened(Records(tmp_path)) as kept:
        plan = make_plan(["wide:width=5"], [BENCHMARK], kept)
    assert json.loads(plan.to_json())["models"] == ["wide:width=5"]
    assert Plan.from_json(plan.to_json()).tasks == plan.tasks


def typed(
    identifier,
    count: int = 1,
    share: "float | None" = None,
    deep: bool = False,
    folder: "str | None" = None,
    either: Literal["a", "b"] = "a",
    path: "Path | None" = None,  # noqa: F821
):
    del count, share, deep, folder, either, path
    return build(identifier)


TYPED = replace(WIDE, factory=f"{__name__}:typed")


@pytest.fixture
def annotated():
    registry.models.add(TYPED, replace=True)


@pytest.mark.parametrize(
    ("written", "words"),
    [("count=abc", "count takes a whole number, not 'abc'"),
     ("count=7.5", "count takes a whole number, not 7.5"),
     ("count=True", "count takes a whole number, not True"),
     ("count=None", "count takes a whole number, not None"),
     ("share=[1]", r"share takes a number or None, not \[1\]"),
     ("deep=1", "deep takes True or False, not 1"),
     ("folder=7", "folder takes a text or None, not 7. As a text it is written folder=%227%22")],
)  # fmt: skip
def test_a_value_of_a_type_that_cannot_be_is_refused_when_it_is_named(annotated, written, words):
    with pytest.raises(OptionError, match=f"^wide: the option {words}"):
        expand("models", f"wide:{written}")
    with pytest.raises(OptionError, match=words):
        registry.models.create(f"wide:{written}")


@pytest.mark.parametrize(
    "written",
    ["count=7", "share=7", "share=0.5", "share=None", "deep=true", "folder=%227%22", "folder=x",
     "either=7", "path=7"],
)  # fmt: skip
def test_values_of_the_type_and_of_types_that_are_not_plain_are_taken(annotated, written):
    assert expand("models", f"wide:{written}") == [
        model_options.named(*model_options.parse(f"wide:{written}"))
    ]


@given(st.text())
def test_how_a_text_is_quoted_is_read_back_as_it(text):
    said = model_options.quoting("x", model_options._read(text), (str,))
    if said:
        written = said.removeprefix(" As a text it is written ").removesuffix(".")
        assert isinstance(model_options.parse(f"m:{written}")[1]["x"], str)


def test_a_card_is_found_behind_options(capsys):
    assert [kind for kind, _ in registry.find("wide:width=5/6")] == ["models"]
    for command in ("info", "cite"):
        assert main([command, "wide:width=5"]) == 0
    assert "wide (models)" in capsys.readouterr().out
