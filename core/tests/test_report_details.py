"""What lies behind the table of a page: subjects, records, agreement of benchmarks, weights."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from core.tests.test_report import (
    BROWSER,
    HOSTILE,
    browser,
    gathered,
    matrix,
    opened,
    score,
    text_of,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from corteval.cards import Part, SuiteCard
from corteval.report.details import subjects
from corteval.report.gathering import Gathered
from corteval.report.matrix import heat_map, spearman
from corteval.report.matrix import matrix as agreement
from corteval.report.page import page
from corteval.report.track import track
from corteval.run.cells import Cell
from corteval.run.records import Measured, Record
from corteval.score import Score
from corteval.stats.board import Board
from corteval.suites import Suite

__all__ = ["browser", "opened"]  # fixtures


def facts_of(source):
    (text,) = re.findall(r'<script type="application/json" id="facts">(.*?)</script>', source)
    return json.loads(text)


def with_subjects(made, seed=0):
    values = np.random.default_rng(seed).random((2, 30))
    values[0, 0] = np.nan
    names = ["Ann"] * 10 + ["Bob"] * 20
    samples = xr.DataArray(
        values, dims=("split", "neuroid"), coords={"subject": ("neuroid", names)}
    )
    return replace(made, samples=samples), values


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12))
def test_agreement_of_four_models_and_more_is_scipys_spearman(pairs):
    x, y = np.array(pairs, float).T
    found = spearman(x, y)
    if len(pairs) < 4:
        assert found.rho is None and found.text == f"too few models ({len(pairs)} of 4)"
    elif np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found.rho is None and found.text == "all models score alike"
    else:
        assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert found.models == len(pairs)


def test_agreement_is_of_shared_models_only_and_says_why_there_is_none():
    x = np.array([1.0, 2.0, 3.0, np.nan, 5.0, 6.0])
    assert spearman(x, np.array([3.0, 2.0, 1.0, 9.0, np.nan, 0.0])).rho == pytest.approx(-1)
    few = spearman(x, np.array([3.0, 2.0, 1.0, 9.0, np.nan, np.nan]))
    assert (few.rho, few.text, few.models) == (None, "too few models (3 of 4)", 3)
    assert spearman(x, np.array([np.nan] * 3 + [2.0] + [np.nan] * 2)).text == "no model on both"


def test_the_matrix_keeps_the_benchmarks_with_most_scores_in_the_order_given():
    scores = [s for s in matrix(5, 4) if s.benchmark != "Data1.IT-ridge" or s.model == "model-0"]
    found = agreement(Board.of(scores), [f"Data{n}.IT-ridge" for n in (3, 1, 0, 2)], most=3)
    assert found.benchmarks == ("Data3.IT-ridge", "Data0.IT-ridge", "Data2.IT-ridge")
    assert found.left_out == 1 and found.pairs[0][1] == found.pairs[1][0]
    assert found.pairs[0][0] is None


def test_the_page_has_the_matrix_as_a_picture_and_as_a_table():
    board = Board.of(matrix(6, 3))
    names = board.benchmarks
    rho = stats.spearmanr(board.values()[:, 0], board.values()[:, 1]).statistic
    source = page(gathered(matrix(6, 3)))
    assert source.count(f"{rho:.2f}<i>6 models</i>") >= 2
    assert f"2 and 1: {rho:.2f}, 6 models" in source
    assert heat_map(agreement(board, names), HOSTILE[:3]).count("<script") == 0


def test_three_models_have_neither_a_matrix_nor_a_scatter_but_words():
    sources = {n: page(gathered(matrix(n, 3))) for n in (3, 4)}
    for models, source in sources.items():
        text = text_of(source)
        assert ("All pairs of benchmarks" in text) == ("r = " in text) == (models == 4)
        assert ("a relation needs four" in text) == (models == 3)


def test_a_pair_of_three_models_beside_others_of_more_has_words():
    gone = {("model-0", "Data2.IT-ridge"), ("model-1", "Data2.IT-ridge")}
    scores = [s for s in matrix(5, 3) if (s.model, s.benchmark) not in gone]
    text = text_of(page(gathered(scores)))
    assert text.count("too few models (3 of 4)") >= 2 and "5 models" in text


def test_one_benchmark_has_no_matrix():
    assert "All pairs" not in text_of(page(gathered([score("a", "B"), score("b", "B")])))


def test_the_spread_of_subjects_is_of_means_over_splits():
    made, values = with_subjects(score("m", "B"))
    ann, bob = subjects(made)
    means = np.nanmean(values, axis=0)
    assert (ann.subject, ann.count, bob.subject, bob.count) == ("Ann", 10, "Bob", 20)
    assert ann.median == pytest.approx(np.median(means[:10]))
    assert (bob.low, bob.high) == pytest.approx(tuple(np.quantile(means[10:], [0.25, 0.75])))


def test_without_subjects_there_are_none():
    assert subjects(score("m", "B")) == ()
    assert subjects(replace(score("m", "B"), samples=xr.DataArray([1.0], dims="split"))) == ()


def test_a_subject_of_undefined_values_is_named():
    samples = xr.DataArray([np.nan, 1.0], dims="subject", coords={"subject": ["Ann", "Bob"]})
    ann, bob = subjects(replace(score("m", "B"), samples=samples))
    assert (ann.median, ann.count, bob.median) == (None, 0, 1.0)


def test_subjects_that_would_swell_the_page_are_left_out_and_it_says_so():
    from corteval.report.details import facts

    made = gathered([with_subjects(score("m", "B"))[0]])
    kept = json.loads(facts(made, ["m"], ["B"], str))
    without = json.loads(facts(made, ["m"], ["B"], str, most=10))
    assert not kept["leftOut"] and len(kept["cells"][0][6]) == 2
    assert without["leftOut"] and len(without["cells"][0]) == 6


def record(made, sequence):
    return Record(
        cell=Cell(model=made.model, benchmark=made.benchmark),
        key="k" * 64,
        score=made,
        measured=Measured(sequence=sequence, started=f"2026-01-0{sequence}T10:11:12+00:00"),
    )


def several_records():
    broken = Score.unscored("failed", "it broke", model="m", benchmark="B")
    made = [score("m", "B", 0.125), broken, with_subjects(score("m", "B", 0.5))[0]]
    records = tuple(record(s, n + 1) for n, s in enumerate(made))
    return Gathered(board=Board.of([made[-1], score("n", "B")]), history={("m", "B"): records})


def test_a_cell_with_several_records_tells_value_and_date_of_each():
    (cell,) = [c for c in facts_of(page(several_records()))["cells"] if len(c) > 6]
    assert cell[5] == [
        [0.125, "2026-01-01 10:11"],
        ["failed", "2026-01-02 10:11"],
        [0.5, "2026-01-03 10:11"],
    ]


def toy_suite():
    parts = (
        Part("ventral", 2.0, (Part("Data0.IT-ridge"), Part("Data1.IT-ridge", 3.0))),
        Part("Data2.IT-ridge"),
    )
    summary = "Closed on 1 May 2027."
    card = SuiteCard(identifier="toy", summary=summary, licence="MIT", editions={"1.0": parts})
    return Suite(card=card)


def test_shares_of_a_track_are_the_weights_of_the_suite():
    suite = toy_suite()
    leaves = {p.name: p.share for p in track(suite).parts if not p.group}
    assert leaves == pytest.approx(dict(suite.weights)) and sum(leaves.values()) == 1


def test_the_page_of_a_track_shows_its_weights():
    suite = toy_suite()
    made = page(gathered(matrix(4, 3)), name=suite.name, weights=suite.weights, track=track(suite))
    text = text_of(made)
    assert "What toy@1.0 counts Closed on 1 May 2027." in text
    assert "ventral 2 66.67 % in all Data0.IT-ridge 1 16.67 % Data1.IT-ridge 3 50.00 %" in text
    assert "What" not in text_of(page(gathered(matrix(4, 3)))).split("Means and ranks")[0]


@BROWSER
def test_a_cell_opens_to_its_records_and_subjects(opened):
    shown = opened(page(several_records()))
    shown.tab.click("td[data-at='0,0']")
    said = shown.tab.inner_text("#detail")
    dates = re.findall(r"2026-01-0\d 10:11", said)
    assert dates == sorted(dates) and len(dates) == 3 and "failed" in said
    assert re.search(r"Ann\s+0\.\d+\s+0\.\d+ to 0\.\d+\s+10", said)
    shown.tab.click("#close")
    shown.tab.click("td[data-at='1,0']")
    assert "Ann" not in shown.tab.inner_text("#detail") and shown.said == []


@BROWSER
def test_two_models_are_set_side_by_side_with_intervals(opened):
    scores = matrix(3, 2)
    shown = opened(page(gathered(scores)))
    shown.tab.select_option("#one", "model-2")
    shown.tab.select_option("#two", "model-1")
    text = shown.tab.inner_text("#duel")
    for s in scores:
        bound = f"{s.interval.low:.3f}".replace("0.", ".", 1)
        assert (bound in text) == (s.model != "model-0")


@BROWSER
def test_a_large_table_is_whole_though_only_rows_in_sight_are_in_the_document(opened):
    scores = matrix(120, 30)
    column = [s for s in scores if s.benchmark == "Data2.IT-ridge"]
    values = {s.model: round(s.value, 3) for s in column}
    worst = min(values, key=values.get)
    shown = opened(page(gathered(scores)))
    tab = shown.tab
    tab.click("th:has-text('Data2.IT-ridge') button")
    first = shown.models()
    assert [values[m] for m in first] == sorted(values.values(), reverse=True)[: len(first)]
    assert len(first) < 60
    tab.evaluate("document.querySelector('#table').parentElement.scrollTop = 1e6")
    tab.wait_for_function(
        "name => [...document.querySelectorAll('tbody bdi')].some(b => b.textContent == name)",
        arg=worst,
    )
    assert values[shown.models()[-1]] == values[worst]
    with tab.expect_download() as waiting:
        tab.click("#csv")
    assert len(waiting.value.path().read_text().splitlines()) == 121
    tab.fill("#find-model", worst)
    assert worst in shown.models()
    assert tab.get_attribute("#table", "aria-rowcount") == "122" and shown.said == []


@BROWSER
def test_keys_walk_through_all_rows_of_a_large_table(opened):
    shown = opened(page(gathered(matrix(120, 30))))
    tab = shown.tab
    tab.focus("td[data-at='0,0']")
    for _ in range(119):
        tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.dataset.at") == "119,0"
    tab.keyboard.press("Enter")
    assert tab.is_visible("#detail")
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.dataset.at") == "119,0"


@BROWSER
def test_a_link_into_a_large_table_opens_its_cell(opened):
    shown = opened(page(gathered(matrix(120, 30))))
    shown.tab.goto(shown.address + "#at=model-7%7CData3.IT-ridge")
    shown.tab.wait_for_selector("#detail:visible")
    assert "model-7 on Data3.IT-ridge" in shown.tab.inner_text("#detail")
    shown.tab.click("#close")
    assert shown.tab.evaluate("document.activeElement.matches('td[data-at]')")
