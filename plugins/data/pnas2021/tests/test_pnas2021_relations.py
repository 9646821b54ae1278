import numpy as np
import pandas as pd
import pytest
from scipy import stats

from corteval import registry
from corteval.errors import OptionError
from corteval_pnas2021.families import FAMILIES, families_of, family_of
from corteval_pnas2021.relations import QUESTIONS, Question, glue_tasks, model_table, relations

#: Spec `language` 3, three decimals as printed there.
PRINTED = {
    ("WikiText-2 perplexity", "neural mean"): -0.457,
    ("WikiText-2 perplexity", "Pereira2018"): -0.554,
    ("WikiText-2 perplexity", "Blank2014"): -0.465,
    ("WikiText-2 perplexity", "Futrell2018"): -0.342,
    ("WikiText-2 perplexity", "Fedorenko2016"): -0.194,
    ("WikiText-2 loss", "neural mean"): -0.618,
    ("GLUE mean", "neural mean"): 0.086,
    ("neural mean", "Futrell2018"): 0.596,
    ("Pereira2018", "Futrell2018"): 0.584,
    ("Blank2014", "Futrell2018"): 0.471,
    ("Fedorenko2016", "Futrell2018"): 0.424,
    ("Pereira2018", "Fedorenko2016"): 0.500,
    ("Pereira2018", "Blank2014"): 0.589,
    ("Fedorenko2016", "Blank2014"): 0.285,
    ("neural mean, untrained", "neural mean"): 0.735,
    ("mean of four, untrained", "mean of four"): 0.815,
}


@pytest.fixture(scope="module")
def scores(mirror):
    return model_table(registry.data.create("PNAS2021").table())


@pytest.fixture(scope="module")
def found(scores):
    return {(q.x, q.y): answer for q, answer in relations(scores, resamples=1000).items()}


@pytest.mark.parametrize("pair", PRINTED)
def test_relations_are_those_of_another_program(found, pair):
    assert round(found[pair].r, 3) == PRINTED[pair]


def test_every_relation_is_asked_for_once(found):
    assert set(found) == set(PRINTED)
    assert len(QUESTIONS) == len(PRINTED)


def test_relations_are_of_as_many_models_as_have_both_scores(scores, found):
    for (x, y), answer in found.items():
        assert answer.models == int(scores[[x, y]].notna().all(axis=1).sum())
        assert answer.r == pytest.approx(scores[x].corr(scores[y]), abs=1e-12)
    assert found["WikiText-2 perplexity", "neural mean"].models == 42


def test_tasks_of_glue_are_unrelated_to_brains_one_by_one(scores):
    tasks = glue_tasks(scores)
    asked = [Question(x=task, y="neural mean", about="") for task in tasks]
    r = [answer.r for answer in relations(scores, asked, resamples=200).values()]
    assert len(r) == 8
    # printed as -.03 and .135
    assert (round(min(r), 2), round(max(r), 3)) == (-0.03, 0.135)


def test_means_with_and_without_training_are_those_of_another_program(scores):
    for name, trained, untrained in (
        ("neural mean", 0.361, 0.241),
        ("mean of four", 0.454, 0.363),
    ):
        pairs = scores[[name, f"{name}, untrained"]].dropna()
        assert len(pairs) == 43
        assert tuple(pairs.mean().round(3)) == (trained, untrained)


def test_without_a_family_r_is_that_of_the_rest(scores, found):
    answer = found["neural mean", "Futrell2018"]
    for family, r in answer.left_out.items():
        rest = scores[scores["family"] != family][["neural mean", "Futrell2018"]].dropna()
        assert r == pytest.approx(stats.pearsonr(*rest.T.to_numpy()).statistic, abs=1e-12)
    low, high = answer.range
    assert low < answer.r < high


def test_the_untrained_twin_is_that_of_the_same_model(scores):
    table = registry.data.create("PNAS2021").table()
    own = table[table["model"] == "gpt2-xl-untrained"]
    best = own.groupby("benchmark")["score"].max()
    three = [name for name in best.index if name.endswith("-encoding") and "Futrell" not in name]
    assert len(three) == 3
    expected = best[three].clip(upper=1).mean()
    assert scores.loc["gpt2-xl", "neural mean, untrained"] == pytest.approx(expected)


def test_every_model_is_of_one_family(scores):
    assert len(scores) == 44
    counts = pd.Series(families_of(scores.index)).value_counts().to_dict()
    assert counts == {
        "ALBERT": 8,
        "GPT": 6,
        "T5": 5,
        "XLM": 5,
        "BERT": 5,
        "RoBERTa": 3,
        "embeddings": 3,
        "XLM-RoBERTa": 2,
        "XLNet": 2,
        "recurrent": 2,
        "Transformer-XL": 1,
        "CTRL": 1,
        "translation transformer": 1,
    }
    assert set(counts) == set(FAMILIES)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("xlm-roberta-base", "XLM-RoBERTa"),
        ("xlm-mlm-en-2048", "XLM"),
        ("distilroberta-base", "RoBERTa"),
        ("distilbert-base-uncased-untrained", "BERT"),
        ("transfo-xl-wt103", "Transformer-XL"),
        ("transformer-untrained", "translation transformer"),
        ("openaigpt", "GPT"),
        ("ETM", "embeddings"),
    ],
)
def test_families_are_told_by_the_longest_beginning(model, family):
    assert family_of(model) == family


def test_a_model_of_no_family_is_an_error():
    with pytest.raises(OptionError, match="'mamba' is of no family"):
        family_of("mamba")


def test_intervals_over_families_are_wider_on_the_whole(found):
    widths = np.array(
        [
            (a.by_cluster.high - a.by_cluster.low) / (a.interval.high - a.interval.low)
            for a in found.values()
        ]
    )
    assert np.median(widths) > 1.1


def test_what_the_example_page_says_comes_out(scores):
    """With its own number of draws; the bound nearest to zero is 0.03 away."""
    found = relations(scores)
    reach = [
        [interval.low <= 0 <= interval.high for interval in (a.interval, a.by_cluster)]
        for a in found.values()
    ]
    assert np.sum(reach, axis=0).tolist() == [4, 10]
    matter = [a.most_influential for a in found.values()]
    assert matter.count("embeddings") == 12
    (reading,) = [a for q, a in found.items() if (q.x[-10:], q.y) == ("perplexity", "Futrell2018")]
    assert reading.r < 0 < reading.left_out["embeddings"]
