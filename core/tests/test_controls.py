"""Margins over controls, on scores made here."""

from dataclasses import replace

import numpy as np
import pytest

from corteval import registry
from corteval.cards import BenchmarkCard, ModelCard
from corteval.controls import controls_of, margins, untrained, with_controls
from corteval.intervals import Replicates
from corteval.score import Estimate, Score, normalize
from corteval.stats.paired import compare

NAMES = ("net", "net-untrained", "low", "high")
BENCHMARK = BenchmarkCard(
    identifier="Toy.V4-mean",
    factory="a:b",
    summary="Toy",
    licence="MIT",
    controls=("low", "HIGH", "absent", "{model}-untrained"),
)


@pytest.fixture(autouse=True)
def plugins():
    models = [ModelCard(identifier=n, factory="a:b", summary="Toy", licence="MIT") for n in NAMES]
    with registry.models.temporary(*models), registry.benchmarks.temporary(BENCHMARK):
        yield


def scored(model, value, seed):
    noise = 0.01 * np.random.default_rng(seed).standard_normal(400)
    draws = Replicates(
        scope="stimuli",
        sizes=(50,),
        values=tuple((value + noise).tolist()),
        median=False,
        seed=0,
        draw="same",
    )
    raw = Estimate(value=value, replicates=(draws,), quantity="similarity")
    ceiling = Estimate(value=1.0, quantity="similarity")
    score = normalize(Score(value=value, raw=raw), ceiling)
    return replace(score, model=model, benchmark="Toy.V4-mean")


def test_a_card_names_controls_and_the_twin_of_each_model():
    assert controls_of("net", "Toy.V4-mean") == ["low", "high", "net-untrained"]
    assert controls_of("low", "Toy.V4-mean") == ["high"]
    assert controls_of("net", "Unknown.V4-mean") == []
    assert with_controls(["net"], ["Toy.V4-mean"]) == ["net", "low", "high", "net-untrained"]


def test_the_margin_is_over_the_best_control_with_the_paired_interval():
    net, low, high = scored("net", 0.5, 1), scored("low", 0.1, 2), scored("high", 0.3, 3)
    found = margins([net, low, high])
    margin = found["net", "Toy.V4-mean"]
    assert margin.control == "high"
    assert margin.difference == pytest.approx(0.2)
    assert margin.interval == compare(net, high).interval
    assert margin.interval.low < 0.2 < margin.interval.high
    assert found["high", "Toy.V4-mean"].control == "low"


def test_without_a_control_there_is_no_margin():
    assert margins([scored("net", 0.5, 1)]) == {}


def test_controls_without_a_score_are_left_out():
    failed = Score.unscored("failed", "broken", model="high", benchmark="Toy.V4-mean")
    found = margins([scored("net", 0.5, 1), failed, scored("low", 0.1, 2)])
    assert found["net", "Toy.V4-mean"].control == "low"
    assert ("high", "Toy.V4-mean") not in found


def test_scores_of_other_draws_have_a_difference_and_no_interval():
    low = scored("low", 0.1, 2)
    (draws,) = low.raw.replicates
    low = replace(low, raw=replace(low.raw, replicates=(replace(draws, draw="other"),)))
    margin = margins([scored("net", 0.5, 1), low])["net", "Toy.V4-mean"]
    assert margin.interval is None
    assert margin.difference == pytest.approx(0.4)


def test_the_margin_counts_the_controls_that_a_score_is_above():
    cells = [scored("net", 0.2, 1), scored("low", 0.1, 2), scored("high", 0.3, 3)]
    margin = margins(cells)["net", "Toy.V4-mean"]
    assert (margin.beaten, margin.of, margin.percentile) == (1, 2, 50.0)


def test_untrained_twins_are_told_by_mean_and_spread_over_seeds():
    values = {"net-untrained": 0.1, "net-untrained-seed1": 0.2, "net-untrained-seed2": 0.6}
    cells = [scored(name, value, 1) for name, value in values.items()]
    (found,) = untrained([scored("net", 0.9, 1), *cells])
    assert (found.model, found.twins, found.trained) == ("net", 3, 0.9)
    assert found.mean == pytest.approx(np.mean([*values.values()]))
    assert found.sd == pytest.approx(np.std([*values.values()], ddof=1))
    assert untrained(cells[:1]) == []
