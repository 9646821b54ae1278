"""How pages read on small screens, in the dark, and to whoever has keys or hears them read."""

from dataclasses import replace

import pytest
from core.tests.test_report import BROWSER, browser, gathered, matrix, opened, score
from core.tests.test_report_details import several_records
from core.tests.test_report_duels import normalised

from corteval.report.charts import ends
from corteval.report.gathering import Gathered
from corteval.report.page import page
from corteval.report.site import site, write_site
from corteval.run.records import folder_of
from corteval.score import Score
from corteval.stats.board import Board

__all__ = ["browser", "opened"]  # fixtures


def every():
    """Records, subjects, ceilings, long notes and cells without a score."""
    made = several_records()
    scores = [*made.board.scores.values(), *normalised(3, 2)]
    scores.append(Score.unscored("failed", "It broke. " * 20, model="model-0", benchmark="B"))
    long = score("model-1", "MajajHong2015public.IT-pls", notes=("Said at length. " * 12,))
    scores.append(replace(long, normalization="r^2/c"))
    return Gathered(board=Board.of(scores), history=made.history)


@pytest.mark.parametrize("most", [10, 27])
def test_a_name_that_does_not_fit_keeps_its_beginning_and_its_end(most):
    names = [f"Geirhos2019.cueconflict-{end}" for end in ("accuracy", "shape_bias")]
    told = [str(ends(name, most)) for name in names]
    assert all(len(t) == most for t in told) and told[0] != told[1]
    assert all(
        t.split("…")[0] in n and n.endswith(t.split("…")[1])
        for t, n in zip(told, names, strict=True)
    )
    assert str(ends("<b>", 3)) == "&lt;b&gt;"


@pytest.fixture
def cards(browser, tmp_path):
    """Opens cards of a site: the page of a model, and of a benchmark."""
    write_site(tmp_path / "site", site(every()))
    contexts = []

    def open_(path, **options):
        contexts.append(browser.new_context(**options))
        tab = contexts[-1].new_page()
        tab.goto((tmp_path / "site" / path).as_uri())
        return tab

    yield open_
    for context in contexts:
        context.close()


PATHS = ("models/m.html", "models/model-1.html", f"benchmarks/{folder_of('B')}.html")


@BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_nobody_is_shut_out_of_a_card(cards, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    for path in PATHS:
        view = {"width": width, "height": 800}
        tab = cards(path, viewport=view, color_scheme=scheme, bypass_csp=True)
        found = axe.Axe().run(tab).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


@BROWSER
def test_on_a_telephone_all_columns_of_a_card_are_in_sight(cards):
    for path in PATHS:
        tab = cards(path, viewport={"width": 375, "height": 800}, java_script_enabled=False)
        inside = tab.locator(".stack td:visible, .stack th[scope=row]:visible")
        edges = inside.evaluate_all("l => l.map(c => c.getBoundingClientRect().right)")
        assert edges and max(edges) <= 375
        assert tab.locator(".stack").evaluate("b => b.scrollWidth <= b.clientWidth + 1")


@BROWSER
@pytest.mark.parametrize("width", [1280, 375])
def test_a_card_is_read_as_a_table_at_any_width(cards, width):
    tab = cards(PATHS[2], viewport={"width": width, "height": 800})
    read = tab.locator("main").aria_snapshot()
    for name in ("Model", "Score", "Interval over", "Raw", "Ceiling", "Normalisation", "Notes"):
        assert f'columnheader "{name}"' in read
    assert read.count("rowheader") == 5 and 'rowheader "model-0"' in read


@BROWSER
@pytest.mark.parametrize("width", [1280, 375])
def test_two_models_are_read_as_a_table_at_any_width(opened, width):
    view = {"width": width, "height": 800}
    tab = opened(page(gathered(normalised())), viewport=view).tab
    tab.select_option("#one", "model-0")
    tab.select_option("#two", "model-3")
    read = tab.locator("#duel").aria_snapshot()
    for name in ("Benchmark", "model-0", "model-3", "Difference", "p", "p (Holm)"):
        assert f'columnheader "{name}"' in read
    right = "l => l.map(c => c.getBoundingClientRect().right)"
    assert max(tab.locator("#duel td").evaluate_all(right)) <= width


@BROWSER
def test_benchmarks_that_neither_model_has_a_score_on_are_left_out_and_counted(opened):
    scores = [*matrix(3, 2), score("other", "Alone"), score("other", "Data0.IT-ridge")]
    tab = opened(page(gathered(scores))).tab
    assert tab.locator("#duel tbody tr").count() == 2
    assert "1 benchmark on which neither has a score" in tab.inner_text("#duel .left")
    tab.select_option("#two", "other")
    assert tab.locator("#duel tbody tr").count() == 3 and not tab.locator("#duel .left").count()


@BROWSER
def test_headings_are_one_stop_of_the_tabulator_key_and_the_arrow_keys_walk_them(opened):
    tab = opened(page(gathered(matrix(3, 6)))).tab
    keys, at = tab.keyboard, "document.activeElement.textContent.trim()"
    tab.focus("#table thead button")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    assert tab.evaluate(at) == "Mean"
    tab.fill("#find-benchmark", "Data4")
    tab.focus("#table thead button >> nth=2")
    keys.press("ArrowRight")
    assert tab.evaluate(at) == "Data4.IT-ridge"  # hidden ones are passed over
    keys.press("Enter")
    assert tab.get_attribute("th:has(button:has-text('Data4'))", "aria-sort") == "descending"
    keys.press("ArrowDown")
    first = tab.evaluate("document.activeElement.dataset.at")
    assert first.endswith(",4")
    keys.press("ArrowUp")
    assert tab.evaluate(at) == "Data4.IT-ridge"
    tab.fill("#find-benchmark", "Data1")
    stops = "[...document.querySelectorAll('#table thead button')].filter(b => b.tabIndex === 0)"
    assert tab.evaluate(f"{stops}.map(b => b.textContent.trim())") == ["Model"]
    keys.press("Shift+Tab")
    tab.focus("#json")
    keys.press("Tab")  # the box that scrolls
    keys.press("Tab")
    keys.press("Tab")
    assert tab.evaluate("document.activeElement.matches('td[data-at]')")


@BROWSER
def test_names_of_the_matrix_are_not_cut_off(opened):
    long = [
        "Geirhos2019.cueconflict-error_consistency",
        "Marques2020.V1-spatial_frequency_bandwidth",
    ]
    scores = [replace(s, benchmark=long[int(s.benchmark[4])]) for s in matrix(5, 2)]
    for script in (True, False):
        tab = opened(page(gathered(scores)), java_script_enabled=script).tab
        edges = """l => l.map(t => t.getBoundingClientRect().left
          - t.closest("svg").getBoundingClientRect().left)"""
        assert min(tab.locator("#agreement-chart svg text").evaluate_all(edges)) >= 0
