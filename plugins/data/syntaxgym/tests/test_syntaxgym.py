import csv
import json

import numpy as np
import pytest
import xarray as xr

from corteval import registry
from corteval.errors import AssemblyError, OptionError
from corteval_syntaxgym.card import SUITES
from corteval_syntaxgym.formulas import holds

#: Accuracy over all items of the released outcomes.
ACCURACY = {"gpt2": 673 / 842, "gpt2-xl": 718 / 842, "grnn": 453 / 842, "jrnn": 508 / 842}
RELEASED = {"gpt2": "gpt-2-pretrained", "gpt2-xl": "gpt-2-xl-pretrained"}


@pytest.fixture(scope="module")
def data(mirror):
    return registry.data.create("SyntaxGym")


@pytest.fixture(scope="module")
def table(data):
    return data.stimuli().table


@pytest.fixture(scope="module")
def files(mirror):
    """The suites as plain JSON, by name."""
    paths = mirror.rglob("syntactic-generalization/*/test_suites/json/*.json")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


@pytest.fixture(scope="module")
def outcomes(mirror):
    """(model, suite) -> outcomes in the order of the file, read by the csv module alone."""
    found = {}
    for model in ACCURACY:
        (path,) = mirror.rglob(f"syntaxgym_results_{RELEASED.get(model, model)}_.csv")
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault((model, row["suite"]), []).append(row["correct"])
    return found


def surprisals(stimulus_ids, values):
    return xr.DataArray(
        values, dims=["presentation"], coords={"stimulus_id": ("presentation", stimulus_ids)}
    )


def test_there_is_a_card_for_each_of_the_34_suites(files):
    assert len(files) == 34
    assert set(files) == set(SUITES)
    for name in files:
        card = registry.data.card(f"SyntaxGym.{name}")
        assert card.options == {"suite": name}
        assert len(card.resources) == 5
    assert len(registry.data.card("SyntaxGym").resources) == 38


def test_items_and_conditions_are_those_of_the_files(data, files):
    suites = {suite.name: suite for suite in data.suites()}
    assert sum(len(suite.items) for suite in suites.values()) == 842
    for name, content in files.items():
        assert len(suites[name].items) == len(content["items"])
        for item, written in zip(suites[name].items, content["items"], strict=True):
            names = [condition["condition_name"] for condition in written["conditions"]]
            assert [condition.name for condition in item.conditions] == names
            assert item.number == written["item_number"]
        formulas = [prediction["formula"] for prediction in content["predictions"]]
        assert [prediction.formula for prediction in suites[name].predictions] == formulas


def test_joined_texts_are_the_sentences(table, files):
    joined = table.groupby("context_id", sort=False)["text"].agg("".join).to_dict()
    for name, content in files.items():
        for item in content["items"]:
            for condition in item["conditions"]:
                words = " ".join(region["content"] for region in condition["regions"]).split()
                context = f"{name}/{item['item_number']}/{condition['condition_name']}"
                assert joined.pop(context) == " ".join(words)
    assert not joined


def test_columns_say_where_a_region_belongs(table):
    row = table.loc["cleft.1.np_mismatch.6"]
    assert row["text"] == " the meal"
    assert row["context_id"] == "cleft/1/np_mismatch"
    assert (row["suite"], row["item"], row["condition"]) == ("cleft", 1, "np_mismatch")
    assert (row["position"], row["region"], row["region_name"]) == (6, 6, "matrix_v")


def test_regions_without_words_are_no_stimuli_and_no_prediction_is_about_one(data, table):
    assert (table["text"].str.strip() != "").all()
    empty = {
        (suite.name, condition.name, number)
        for suite in data.suites()
        for item in suite.items
        for condition in item.conditions
        for number, content in condition.regions.items()
        if not content.strip()
    }
    assert len({suite for suite, _, _ in empty}) == 14
    for name, predictions in data.predictions().items():
        for prediction in predictions:
            for suite, condition, number in empty:
                assert suite != name or f"({number};%{condition}%)" not in prediction.formula


def test_attached_punctuation_follows_the_word(mirror):
    name = "subordination_pp-pp"
    stimuli = registry.data.create(f"SyntaxGym.{name}", punctuation="attached").stimuli()
    sentence = stimuli.table[stimuli.table["context_id"] == f"{name}/1/sub_matrix"]["text"]
    assert "".join(sentence).endswith("in cancer therapy, the nurse walked into the room.")
    published = registry.data.create(f"SyntaxGym.{name}").stimuli()
    sentence = published.table[published.table["context_id"] == f"{name}/1/sub_matrix"]["text"]
    assert "".join(sentence).endswith("in cancer therapy , the nurse walked into the room .")


def test_released_outcomes_are_those_of_the_csv_files(data, outcomes):
    assembly = data.assembly()
    assert assembly.dims == ("model", "item")
    assert assembly.shape == (4, 842)
    for (model, suite), written in outcomes.items():
        of_suite = assembly.sel(model=model, item=assembly["suite"] == suite)
        assert list(of_suite["item_number"].values) == list(range(1, len(written) + 1))
        assert of_suite.values.tolist() == [word == "True" for word in written]
    assert len(outcomes) == 4 * 34
    xr.testing.assert_identical(assembly, data.outcomes())


@pytest.mark.parametrize("model", ACCURACY)
def test_released_accuracy_over_all_items(data, model):
    assert float(data.assembly().sel(model=model).mean()) == pytest.approx(ACCURACY[model])


def test_outcomes_of_a_suite_are_a_part_of_those_of_all(data, mirror):
    whole = data.assembly()
    part = registry.data.create("SyntaxGym.mvrr").assembly()
    xr.testing.assert_identical(part, whole.sel(item=whole["suite"] == "mvrr"))


def test_some_suites_are_a_part_of_all_whatever_their_order(data, mirror, table):
    some = registry.data.create("SyntaxGym", suite=("mvrr", "cleft", "mvrr"))
    assert [suite.name for suite in some.suites()] == ["cleft", "mvrr"]
    rows = table[table["suite"].isin(["cleft", "mvrr"])]
    assert some.stimuli().stimulus_ids == list(rows.index)
    whole = data.assembly()
    xr.testing.assert_identical(
        some.assembly(), whole.sel(item=whole["suite"].isin(["cleft", "mvrr"]))
    )


def plainly(formula, value):
    """Truth of a trusted formula, by rewriting it as Python."""
    import re

    text = re.sub(
        r"\((\d+);%([^%]+)%\)", lambda m: repr(value[m[2], int(m[1])]), formula.replace("=", "==")
    )
    for comparison in "<>":
        text = text.replace(comparison, f" {comparison} ")
    return bool(eval(text.replace("[", "(").replace("]", ")")))


def test_evaluation_agrees_with_the_formulas_rewritten_as_python(data, files, table):
    """Surprisals are whole numbers from 1 to 4, so that equal ones occur."""
    ids = list(table.index)
    values = np.random.default_rng(0).integers(1, 5, len(ids)).astype(float)
    shuffled = np.random.default_rng(1).permutation(len(ids))
    found = data.evaluate(surprisals(np.array(ids)[shuffled], values[shuffled]))
    by_id = dict(zip(ids, values, strict=True))
    expected = {}
    for name, content in files.items():
        for item in content["items"]:
            value = {
                (c["condition_name"], r["region_number"]): by_id.get(
                    f"{name}.{item['item_number']}.{c['condition_name']}.{r['region_number']}", 0.0
                )
                for c in item["conditions"]
                for r in c["regions"]
            }
            expected[f"{name}.{item['item_number']}"] = all(
                plainly(prediction["formula"], value) for prediction in content["predictions"]
            )
    assert dict(zip(found["item"].values, found.values, strict=True)) == expected
    assert 0.1 < found.mean() < 0.9


def test_the_predictions_of_fgd_hierarchy_exclude_each_other(data):
    below, equal = (prediction.statement for prediction in data.predictions()["fgd_hierarchy"])
    one, other = ("what_subjgap", 6), ("that_subjgap", 6)
    names = ("what_nogap", "that_nogap")
    rest = {(name, 6): 2.0 - n for n, name in enumerate(names)} | {(name, 9): 1.0 for name in names}
    assert holds(below, {one: 1.0, other: 2.0, **rest})
    assert not holds(equal, {one: 1.0, other: 2.0, **rest})
    assert holds(equal, {one: 1.0, other: 1.0, **rest})
    assert not holds(below, {one: 1.0, other: 1.0, **rest})
    released = data.assembly()
    assert (released.sel(item=released["suite"] == "fgd_hierarchy").mean("item") >= 0.5).all()


def test_a_region_without_surprisal_is_named(mirror):
    suite = registry.data.create("SyntaxGym.nn-nv-rpl")
    ids = suite.stimuli().stimulus_ids
    with pytest.raises(AssemblyError, match=ids[3]):
        suite.evaluate(surprisals([*ids[:3], *ids[4:]], np.ones(len(ids) - 1)))
    with pytest.raises(AssemblyError, match="is not a number"):
        suite.evaluate(surprisals(ids, np.full(len(ids), np.nan)))
    with pytest.raises(AssemblyError, match="one number a stimulus"):
        suite.evaluate(surprisals(ids, np.ones(len(ids))).expand_dims(choice=["a"], axis=1))


def test_unknown_options_are_answered_with_known_ones():
    with pytest.raises(OptionError, match=r"no suite 'number_orcs'; there is number_orc"):
        registry.data.create("SyntaxGym", suite="number_orcs")
    with pytest.raises(OptionError, match=r"no suite 'mvr'; there is mvrr"):
        registry.data.create("SyntaxGym", suite=["mvr", "cleft"])
    for nothing in ([], 3):
        with pytest.raises(OptionError, match="There is no suite"):
            registry.data.create("SyntaxGym", suite=nothing)
    with pytest.raises(OptionError, match="published or attached"):
        registry.data.create("SyntaxGym", punctuation="none")
