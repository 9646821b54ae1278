"""Two models on the page: their paired tests are those of ``corteval compare``."""

import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from core.tests.test_report import BROWSER, browser, gathered, matrix, opened, score

from corteval.cli import main
from corteval.errors import CortevalError
from corteval.intervals import Replicates
from corteval.report.duels import SCALE, paired_tests
from corteval.report.gathering import from_file
from corteval.report.page import page
from corteval.score import Estimate, Score, normalize
from corteval.stats.board import Board
from corteval.stats.paired import compare
from corteval.stats.ranks import holm

__all__ = ["browser", "opened"]  # fixtures


def drawn(rng, shared, value, scopes, count=400):
    """Replicates of a value whose draws are partly those of all models of a benchmark."""
    return tuple(
        Replicates(
            scope=scope,
            sizes=(30, 20)[: 1 + scope.count("×")],
            values=tuple(
                (value + 0.04 * shared[scope] + 0.02 * rng.standard_normal(count)).tolist()
            ),
            draw="d1",
        )
        for scope in scopes
    )


def normalised(models=4, benchmarks=3, *, two=True):
    """Scores over ceilings, resampled over one or two factors with the same draws."""
    scopes = ("stimuli", "neuroids", "stimuli×neuroids") if two else ("stimuli",)
    rng = np.random.default_rng(3)
    found = []
    for b in range(benchmarks):
        shared = {scope: rng.standard_normal(400) for scope in scopes}
        ceiling = Estimate(value=0.8, replicates=drawn(rng, shared, 0.8, scopes))
        for m in range(models):
            value = 0.4 + 0.02 * m
            raw = Estimate(value=value, replicates=drawn(rng, shared, value, scopes))
            bare = Score(value=value, raw=raw, model=f"model-{m}", benchmark=f"Data{b}.V4-pls")
            found.append(normalize(bare, ceiling, normalization="r/c"))
    return found


def of(board, **options):
    return paired_tests(board, board.models, board.benchmarks, str, **options)


@pytest.mark.parametrize("scores", [matrix(4, 3), normalised(), normalised(two=False)])
def test_every_test_is_that_of_compare_with_holm_over_the_benchmarks_of_its_pair(scores):
    board = Board.of(scores)
    told = of(board)
    assert told["models"] == len(board.models) and len(told["pairs"]) == 6
    for (i, one), (j, other) in combinations(enumerate(board.models), 2):
        results = [compare(board.scores[one, b], board.scores[other, b]) for b in board.benchmarks]
        adjusted = holm({str(n): r.p_value for n, r in enumerate(results)})
        for n, (place, *numbers) in enumerate(told["pairs"][f"{i},{j}"][1:]):
            r = results[n]
            expected = (r.difference, r.interval.low, r.interval.high, r.p_value, adjusted[str(n)])
            assert place == n
            np.testing.assert_allclose(np.array(numbers) / SCALE, expected, atol=0.51 / SCALE)


def test_a_corrected_p_above_5_percent_is_not_rounded_down_to_it():
    from corteval.report.duels import _Result, _whole

    assert [_whole(_Result(), p)[-1] for p in (0.05, 0.050001, 0.0501)] == [500, 501, 501]


def test_scores_that_share_no_draws_have_the_reason_that_compare_gives():
    bare = Score(value=0.3, raw=Estimate(value=0.3), model="bare", benchmark="A")
    other = score("other", "A")
    moved = replace(other.raw, replicates=(replace(other.raw.replicates[0], draw="else"),))
    unlike = replace(other, model="unlike", raw=moved)
    without = replace(other, model="without", raw=None)
    board = Board.of([bare, other, unlike, without, score("third", "A")])
    told = of(board)
    for (i, one), (j, two) in combinations(enumerate(board.models), 2):
        line = told["pairs"][f"{i},{j}"][1]
        if {one, two} == {"other", "third"}:
            assert len(line) == 6
            continue
        with pytest.raises(CortevalError) as raised:
            compare(board.scores[one, "A"], board.scores[two, "A"])
        assert told["words"][line[1]] == str(raised.value)


def test_cells_without_a_score_have_no_test():
    board = Board.of(
        [*matrix(2, 2), Score.unscored("failed", "x", model="z", benchmark="Data0.IT-ridge")]
    )
    told = of(board)
    assert [len(told["pairs"][pair]) for pair in ("0,1", "0,2", "1,2")] == [3, 1, 1]


def test_of_too_many_pairs_there_are_those_of_the_first_models():
    board = Board.of(matrix(8, 4))
    rows = [*board.models][::-1]
    told = paired_tests(board, rows, board.benchmarks, str, most=27)
    assert told["models"] == 4 and {*told["pairs"]} == {"0,1", "0,2", "0,3", "1,2", "1,3", "2,3"}
    assert paired_tests(board, rows, board.benchmarks, str, most=3)["models"] == 1
    every = of(board, most=28 * 4)
    assert every["models"] == 8 and len(every["pairs"]) == 28
    assert of(board, most=28 * 4 - 1)["models"] == 7


def test_a_test_takes_less_than_forty_bytes():
    told = of(Board.of(matrix(10, 20)))
    assert told["models"] == 10
    assert len(json.dumps(told, separators=(",", ":"))) < 40 * 45 * 20


def shown(tab):
    """Rows of the table of two models: benchmark, difference, bounds, p and Holm's p as numbers."""
    found = {}
    for cells in tab.locator("#duel tbody tr").evaluate_all(
        "rows => rows.map(r => [...r.cells].map(c => c.innerText.trim()))"
    ):
        name, _, _, difference, *p = cells
        value, _, bounds = difference.partition("\n")
        low, _, high = bounds.partition(" to ")
        found[name] = [float(x) for x in (value, low, high, *p)]
    return found


@BROWSER
@pytest.mark.parametrize("scores", [matrix(5, 6), normalised(5, 4)])
def test_the_page_shows_what_compare_says_of_any_pair(opened, tmp_path, capsys, scores):
    file = tmp_path / "scores.jsonl"
    file.write_text("\n".join(s.to_json() for s in scores))
    tab = opened(page(from_file(file))).tab
    for one, two in (("model-0", "model-3"), ("model-4", "model-1"), ("model-2", "model-0")):
        tab.select_option("#one", one)
        tab.select_option("#two", two)
        assert main(["compare", one, two, "--from", str(file), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)["benchmarks"]
        found = shown(tab)
        assert {*found} == {row["benchmark"] for row in said}
        for row in said:
            expected = [row[n] for n in ("difference", "low", "high", "p", "p_holm")]
            np.testing.assert_allclose(found[row["benchmark"]], expected, atol=0.51 / SCALE)
        sure = [row["difference"] for row in said if row["p_holm"] <= 0.05]
        better, worse = sum(d > 0 for d in sure), sum(d < 0 for d in sure)
        words = tab.inner_text("#verdict")
        assert words.startswith(f"{one} is better on {better} and worse on {worse} of the ")
        assert f"corteval compare {one} {two}" in tab.inner_text("#tested")


@BROWSER
def test_where_there_is_no_test_the_page_says_so_in_words(opened, monkeypatch):
    published = Score(
        value=0.3, raw=Estimate(value=0.3), model="it's old", benchmark="Data0.IT-ridge"
    )
    made = opened(page(gathered([*matrix(3, 2), published])))
    made.tab.select_option("#one", "model-2")
    made.tab.select_option("#two", "it's old")
    assert "There is no paired test: the last column says why." in made.tab.inner_text("#verdict")
    assert "Score both models on the same data" in made.tab.inner_text("#duel")
    made.tab.select_option("#one", "it's old")
    assert "The same model twice" in made.tab.inner_text("#verdict")
    monkeypatch.setattr("corteval.report.details.paired_tests", fewer)
    made = opened(page(gathered([*matrix(3, 2), published])))
    made.tab.select_option("#one", "it's old")
    made.tab.select_option("#two", "model-2")
    assert "No paired test of this pair is on this page" in made.tab.inner_text("#verdict")
    told = made.tab.inner_text("#tested")
    assert "first 2 models" in told and "corteval compare 'it'\\''s old' model-2" in told
    assert made.tab.locator("#duel thead th").count() == 4 and made.said == []


def fewer(*given):
    return paired_tests(*given, most=4)


@BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_nobody_is_shut_out_of_a_duel(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    view = {"width": width, "height": 800}
    made = opened(page(gathered(normalised())), viewport=view, color_scheme=scheme, bypass_csp=True)
    made.tab.select_option("#two", "model-3")
    found = axe.Axe().run(made.tab).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert made.tab.evaluate("document.documentElement.scrollWidth") <= width
