"""Figures of scores: what is grey, where the ceiling lies, which benchmarks share a panel."""

import csv
import io
import math

import numpy as np
import pytest

from corteval import registry
from corteval.cards import BenchmarkCard, ModelCard
from corteval.errors import OptionError
from corteval.intervals import Replicates
from corteval.report.bars import as_csv, bars_of, draw
from corteval.score import Estimate, Score, normalize

CARDS = [
    BenchmarkCard(
        identifier=name, factory="a:b", summary="Bars", licence="MIT", controls=("length",)
    )
    for name in ("Bars.V4-ridge", "Bars.V4-ridge-shuffle", "Bars.IT-ridge")
]


@pytest.fixture(autouse=True)
def plugins():
    models = [
        ModelCard(identifier=n, factory="a:b", summary="Bars", licence="MIT")
        for n in ("net", "length")
    ]
    with registry.models.temporary(*models), registry.benchmarks.temporary(*CARDS):
        yield


def scored(model, benchmark, value, ceiling=0.8):
    draws = tuple(
        Replicates(scope="stimuli", sizes=(50,), values=tuple(v + noise), draw="same")
        for v, noise in (
            (value, 0.01 * np.random.default_rng(0).standard_normal(200)),
            (ceiling, 0.02 * np.random.default_rng(1).standard_normal(200)),
        )
    )
    raw = Estimate(value=value, replicates=draws[:1], quantity="similarity")
    above = Estimate(value=ceiling, replicates=draws[1:], quantity="similarity")
    from dataclasses import replace

    return replace(normalize(Score(value=value, raw=raw), above), model=model, benchmark=benchmark)


def test_controls_that_a_benchmark_names_are_marked():
    bars = bars_of([scored("net", "Bars.V4-ridge", 0.4), scored("length", "Bars.V4-ridge", 0.3)])
    assert [bar.control for bar in bars] == [False, True]


def test_the_band_is_the_interval_of_the_ceiling_in_units_of_the_score():
    (bar,) = bars_of([scored("net", "Bars.V4-ridge", 0.4)])
    assert bar.band_low < 1 < bar.band_high
    # of normal replicates with sd .02 about a ceiling of .8
    assert bar.band_high - bar.band_low == pytest.approx(2 * 1.96 * 0.02 / 0.8, rel=0.2)


def test_numbers_beside_a_figure_round_trip_and_leave_out_what_is_unknown():
    failed = Score.unscored("failed", "no", model="net", benchmark="Bars.IT-ridge")
    good = scored("net", "Bars.V4-ridge", 0.4)
    rows = list(csv.DictReader(io.StringIO(as_csv(bars_of([good, failed])))))
    assert float(rows[0]["value"]) == good.value
    assert float(rows[0]["low"]) == good.interval.low
    assert rows[1]["value"] == "" and rows[1]["status"] == "failed"
    assert math.isnan(bars_of([failed])[0].value)


def test_a_leaky_variant_shares_the_panel_of_what_it_is_a_variant_of():
    pytest.importorskip("matplotlib")
    scores = [scored("net", card.identifier, 0.4) for card in CARDS]
    text = draw(scores, ".svg").decode()
    assert text.count("Bars.V4-ridge") == 1  # one title for both
    assert "folds divide groups" in text
    assert "folds divide groups" not in draw(scores[::2], ".svg").decode()


def test_twenty_models_keep_their_names_and_rows():
    pytest.importorskip("matplotlib")
    names = [f"a-model-with-a-long-name-{n:02d}" for n in range(20)]
    text = draw([scored(n, "Bars.V4-ridge", 0.3) for n in names], ".svg").decode()
    assert all(name in text for name in names)


def test_other_formats_and_no_scores_are_errors():
    with pytest.raises(OptionError, match=r"\.png, \.svg, \.pdf"):
        draw([scored("net", "Bars.V4-ridge", 0.4)], ".gif")
    with pytest.raises(OptionError, match="no scores"):
        draw([], ".png")


def test_long_names_of_benchmarks_are_broken_into_lines_that_fit_a_panel():
    from corteval.report.bars import _LONGEST, _broken

    for name in ("Marques2020.V1-spatial_frequency_bandwidth", "x" * 80, "a" * 30 + "." + "b" * 70):
        lines = _broken(name).split("\n")
        assert "".join(lines) == name and max(map(len, lines)) <= _LONGEST
    first, second = _broken("Marques2020.V1-spatial_frequency_bandwidth").split("\n")
    assert first.endswith("frequency_") and second == "bandwidth"
