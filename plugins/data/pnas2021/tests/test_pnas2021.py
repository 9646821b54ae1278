import csv
import math

import numpy as np
import pandas as pd
import pytest

from corteval import registry
from corteval.errors import NotInData, OptionError
from corteval_pnas2021.summaries import BEHAVIOURAL, NEURAL, best_layers, model_scores, neural_mean

PEREIRA, FEDORENKO, BLANK = NEURAL
NAMES = {"Pereira": PEREIRA, "Fedorenko": FEDORENKO, "Blank": BLANK, "Futrell": BEHAVIOURAL}


@pytest.fixture(scope="module")
def data(mirror):
    return registry.data.create("PNAS2021")


@pytest.fixture(scope="module")
def table(data):
    return data.table()


@pytest.fixture(scope="module")
def scores(table):
    return model_scores(table)


@pytest.fixture(scope="module")
def trained(scores):
    """Best-layer scores of trained models, with the mean of the brains and the perplexity."""
    kept = scores[~scores.index.str.endswith("-untrained")]
    return kept.assign(mean=neural_mean(kept), perplexity=np.exp(kept["wikitext-2"]))


@pytest.fixture(scope="module")
def published(reference_folder):
    path = reference_folder / "pnas2021_best_layer.csv"
    with path.open(newline="") as file:
        return {row["model"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def reference_folder(request):
    """Folder of the reference numbers; the fixture `reference` skips where there is none."""
    request.getfixturevalue("reference")("real_data_numbers.json")
    return request.config.rootpath.parent / "shared" / "reference"


def r(one, other):
    both = pd.concat([one, other], axis=1).dropna()
    return np.corrcoef(both.T)[0, 1]


def test_the_table_is_the_file(table, mirror):
    (path,) = mirror.rglob("precomputed-scores.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(table) == len(rows) == 4885
    for name in ("model", "benchmark", "layer"):
        assert table[name].tolist() == [row[name] for row in rows]
    for name in ("score", "error"):
        written = [float(row[name]) if row[name] else math.nan for row in rows]
        np.testing.assert_array_equal(table[name], written)


def test_there_are_88_models_and_13_benchmarks(table):
    assert (table["model"].nunique(), table["benchmark"].nunique()) == (88, 13)
    assert table.groupby("trained")["model"].nunique().to_dict() == {False: 44, True: 44}
    assert table["score"].isna().sum() == 8
    assert not table.duplicated(["model", "benchmark", "layer"]).any()


def test_the_assembly_says_what_the_table_says(data, table):
    assembly = data.assembly()
    assert assembly.dims == ("entry",)
    np.testing.assert_array_equal(assembly.values, table["score"])
    for name in ("model", "trained", "benchmark", "layer", "error"):
        np.testing.assert_array_equal(assembly[name].values, table[name])
    rows = zip(assembly["model"].values, assembly["layer"].values, assembly.values, strict=True)
    best = [score for model, layer, score in rows if (model, layer) == ("gpt2-xl", "encoder.h.43")]
    assert max(best) == pytest.approx(1.0444, abs=1e-5)


def test_anomalies_of_the_file_are_kept(table, scores):
    """Those that the card and the README name."""
    loss = scores["wikitext-2"]
    for model in ("skip-thoughts", "lm_1b"):
        assert loss[model] == loss[f"{model}-untrained"]
    assert scores[FEDORENKO].idxmax().startswith("albert")
    assert scores[FEDORENKO].idxmax().endswith("-untrained")
    assert scores[FEDORENKO].max() == pytest.approx(1.607, abs=1e-3)
    missing = table[table["score"].isna()]
    assert (len(missing), (missing["error"] == 0).sum()) == (8, 7)


def test_best_layers_are_those_of_another_program(table, published):
    """Two models have no score on two benchmarks there, and none here."""
    best = best_layers(table).set_index(["model", "benchmark"])
    assert len(published) == 88
    for model, row in published.items():
        for name, benchmark in NAMES.items():
            if not row[name]:
                assert (model, benchmark) not in best.index
                continue
            found = best.loc[(model, benchmark)]
            assert found["layer"] == row[f"{name}_layer"]
            assert found["score"] == pytest.approx(float(row[name]), abs=6e-6)
            if row[f"{name}_err"]:
                assert found["error"] == pytest.approx(float(row[f"{name}_err"]), abs=6e-6)
    lacking = [m for m, row in published.items() if not all(row[name] for name in NAMES)]
    assert sorted(lacking) == ["transformer", "transformer-untrained"]


def test_neural_means_and_losses_are_those_of_another_program(scores, published):
    means = neural_mean(scores)
    losses = scores["wikitext-2"]
    for model, row in published.items():
        for values, name in ((means, "neural_mean_clip"), (losses, "wikitext_loss")):
            expected = float(row[name] or "nan")
            assert values[model] == pytest.approx(expected, abs=6e-6, nan_ok=True)


def test_unclipped_means_exceed_clipped_ones_where_a_score_exceeds_1(scores):
    unclipped = neural_mean(scores, clip=None)
    row = scores.loc["gpt2-xl", list(NEURAL)]
    assert unclipped["gpt2-xl"] == pytest.approx(row.sum() / 3)
    assert unclipped["gpt2-xl"] > neural_mean(scores)["gpt2-xl"]
    assert unclipped["glove"] == neural_mean(scores)["glove"]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("wikitext-2", "mean", -0.618),
        ("perplexity", "mean", -0.457),
        ("perplexity", PEREIRA, -0.554),
        ("perplexity", BLANK, -0.465),
        ("perplexity", BEHAVIOURAL, -0.342),
        ("perplexity", FEDORENKO, -0.194),
        ("mean", BEHAVIOURAL, 0.596),
        (PEREIRA, BEHAVIOURAL, 0.584),
        (BLANK, BEHAVIOURAL, 0.471),
        (FEDORENKO, BEHAVIOURAL, 0.424),
        (PEREIRA, FEDORENKO, 0.500),
        (PEREIRA, BLANK, 0.589),
        (FEDORENKO, BLANK, 0.285),
    ],
)
def test_relations_between_benchmarks_of_trained_models(trained, one, other, expected):
    """Spec `language` 3; only the mean of the brains clips."""
    assert r(trained[one], trained[other]) == pytest.approx(expected, abs=6e-4)


def test_glue_is_not_related_to_brains(trained):
    tasks = [name for name in trained if name.startswith("glue-")]
    assert len(tasks) == 8
    mean = trained[tasks].mean(axis=1, skipna=False).rename("glue")
    assert r(mean, trained["mean"]) == pytest.approx(0.086, abs=6e-4)
    each = [r(trained[name], trained["mean"]) for name in tasks]
    assert (min(each), max(each)) == pytest.approx((-0.03, 0.135), abs=1e-3)


@pytest.mark.parametrize(
    ("benchmarks", "expected", "means"),
    [(NEURAL, 0.735, (0.361, 0.241)), ((*NEURAL, BEHAVIOURAL), 0.815, (0.454, 0.363))],
)
def test_untrained_models_go_with_trained_ones(scores, benchmarks, expected, means):
    mean = scores[list(benchmarks)].clip(upper=1).mean(axis=1, skipna=False)
    untrained = mean[mean.index.str.endswith("-untrained")]
    untrained.index = untrained.index.str.removesuffix("-untrained")
    pairs = pd.concat([mean.rename("trained"), untrained.rename("untrained")], axis=1).dropna()
    assert len(pairs) == 43
    assert r(pairs["trained"], pairs["untrained"]) == pytest.approx(expected, abs=6e-4)
    assert tuple(pairs.mean()) == pytest.approx(means, abs=6e-4)


def test_the_best_of_several_losses_is_not_taken(table):
    twice = pd.concat([table, table[table["benchmark"] == "wikitext-2"]], ignore_index=True)
    with pytest.raises(OptionError, match="highest is not the best"):
        best_layers(twice)


def test_there_are_no_stimuli():
    with pytest.raises(NotInData, match="has no stimuli"):
        registry.data.create("PNAS2021").stimuli()
