"""Charts that Observable Plot draws on the page: what they show, and that they are the vendored."""

import base64
import hashlib
import html
import json
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from core.tests.test_report import (
    BROWSER,
    HOSTILE,
    browser,
    gathered,
    matrix,
    opened,
    private,
    score,
    text_of,
)
from core.tests.test_report_details import several_records

from corteval.report.agreement import correlations
from corteval.report.document import PARTS, breaking
from corteval.report.gathering import Gathered
from corteval.report.page import page
from corteval.score import Score
from corteval.stats.board import Board
from corteval.stats.relations import line_band, relate

__all__ = ["browser", "opened"]  # fixtures

ASSETS = resources.files("corteval.report") / "assets"
BUILD = Path(__file__).parents[1] / "report-assets"


def recorded():
    return json.loads((ASSETS / "plot" / "plot.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["plot.min.js", "LICENCES.txt"])
def test_the_bundle_and_its_licences_are_the_recorded_ones(name):
    assert hashlib.sha256((ASSETS / "plot" / name).read_bytes()).hexdigest() == recorded()[name]


def test_the_page_allows_the_recorded_bundle_by_its_hash():
    source = page(gathered(matrix(2, 2)))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', source)
    digest = base64.b64encode(bytes.fromhex(recorded()["plot.min.js"])).decode()
    assert f"'sha256-{digest}'" in html.unescape(policy)


def test_the_bundle_can_stand_in_a_page():
    text = (ASSETS / "plot" / "plot.min.js").read_text("utf-8")
    for refused in ("</script", "<!--", "eval(", "new Function", "import("):
        assert refused not in text
    addresses = set(re.findall(r"https?://[\w./]+", text))
    assert all(address.startswith("http://www.w3.org/") for address in addresses)


def test_every_package_in_the_bundle_is_locked_and_has_its_licence():
    lock = json.loads((BUILD / "package-lock.json").read_text("utf-8"))
    licences = (ASSETS / "plot" / "LICENCES.txt").read_text("utf-8")
    found = recorded()["packages"]
    assert "@observablehq/plot" in found and "d3-scale" in found
    for name, told in found.items():
        locked = lock["packages"][f"node_modules/{name}"]
        assert locked["version"] == told["version"] and locked["integrity"]
        assert told["licence"] == "ISC" and f"{name} {told['version']}\n" in licences


def test_the_lock_names_no_registry_and_versions_are_exact():
    text = (BUILD / "package-lock.json").read_text("utf-8")
    wanted = json.loads((BUILD / "package.json").read_text("utf-8"))
    assert '"resolved"' not in text
    for version in [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


def test_the_script_of_the_page_is_in_parts_that_can_be_read():
    names = {p.name for p in (ASSETS / "page").iterdir()}
    assert names == {f"{part}.js" for part in PARTS}
    for part in PARTS:
        assert len((ASSETS / "page" / f"{part}.js").read_text("utf-8").splitlines()) < 400


@pytest.mark.parametrize(
    "name", [*HOSTILE, "A.b-c_d/e", "-a-", "a&b<c>-'\"", "MajajHong2015public"]
)
def test_a_name_that_may_break_is_the_same_text(name):
    made = str(breaking(name))
    assert html.unescape(made.replace("<wbr>", "")) == name
    assert not re.search(r"[a-z]<wbr>[a-z]", made)


def test_scores_on_private_data_are_marked_in_their_cells_and_no_others():
    source = page(gathered([private("open", D="public"), private("secret", D="private")]))
    rows = dict(re.findall(r'<tr><th scope="row"><bdi>(\w+)</bdi></th>(.*?)</tr>', source))
    assert "<b>private</b>" in rows["secret"] and "<b>" not in rows["open"]
    assert "1 scores are on private data" in text_of(source)


@pytest.mark.parametrize("models", [3, 4])
def test_fewer_than_four_models_in_common_have_words_and_no_scatter(models):
    source = page(gathered(matrix(models, 3)))
    section = source.partition('id="relations"')[2].partition("</section>")[0]
    enough = models >= 4
    assert section.count("<svg") == (3 if enough else 0)
    assert ("There is nothing to relate" in section) is not enough
    assert ("r = " in section) is enough


def names_in_scatter(source):
    section = source.partition('id="relations"')[2].partition("</section>")[0]
    texts = re.findall(r'<text class="in near"[^>]*>([^<]*)', section)
    return texts, re.findall(r"<circle[^>]*><title>([^<]*)", section)


@pytest.mark.parametrize("models", [4, 8, 12, 13])
def test_points_of_few_models_have_their_names_as_text(models):
    texts, titles = names_in_scatter(page(gathered(matrix(models, 2, seed=models))))
    assert sorted(titles) == sorted(f"model-{m}" for m in range(models))
    assert sorted(texts) == (sorted(titles) if models <= 12 else [])


def test_models_that_score_alike_have_names_one_by_one_or_none():
    scores = [
        score(f"m{n}", b, 0.5 + 1e-6 * n * k) for n in range(12) for k, b in ((1, "A"), (2, "B"))
    ]
    scores += [score("far", "A", 0.9), score("far", "B", 0.1)]
    source = page(gathered(scores[2:]))
    places = re.findall(r'<text class="in near" x="([^"]*)" y="([^"]*)"', source)
    assert len(places) == len({*places}) > 6


def test_figures_of_pairs_have_the_band_of_bootstrap_draws():
    scores = matrix(8, 2)
    values = np.array([s.value for s in scores]).reshape(8, 2)
    x, y = values.T
    at = np.linspace(x.min(), x.max(), 30)
    _, low, high = line_band(x, y, at)
    (points,) = re.findall(r'<polygon class="band" points="([^"]+)"', page(gathered(scores)))
    drawn = np.array([[float(v) for v in p.split(",")] for p in points.split()])[:30]
    bottom, top = min(low.min(), y.min()), max(high.max(), y.max())
    share = (high - (bottom - 0.05 * (top - bottom))) / (1.1 * (top - bottom))
    np.testing.assert_allclose(drawn[:, 1], 360 - 44 - 272 * share, atol=0.06)


@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_correlations_of_all_pairs_are_those_of_each_alone(shift):
    rng = np.random.default_rng(0)
    values = rng.random((12, 6)) + shift
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 4] = 0.1
    values[2:, 5] = np.nan
    expected = {}
    for i in range(6):
        for j in range(i + 1, 6):
            both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
            x, y = values[both, i], values[both, j]
            if both.sum() >= 4 and np.ptp(x) > 0 and np.ptp(y) > 0:
                expected[i, j] = np.corrcoef(x, y)[0, 1]
    found = {(i, j): r for r, i, j in correlations(values)}
    assert len(expected) == 6 and found == pytest.approx(expected, abs=1e-9)
    assert [*found] == sorted(found, key=found.get)


def rounded(scores, benchmark):
    names = sorted({s.model for s in scores}, key=str.casefold)
    of = {s.model: round(s.value, 3) for s in scores if s.benchmark == benchmark}
    return np.array([of[name] for name in names])


@BROWSER
@pytest.mark.parametrize("models", [5, 12, 90])
def test_band_and_interval_are_those_of_the_command(opened, models):
    scores = matrix(models, 2, seed=models)
    shown = opened(page(gathered(scores)))
    shown.tab.wait_for_function("document.querySelector('#plot').uncertainty")
    found = shown.tab.evaluate("document.querySelector('#plot').uncertainty")
    x, y = (rounded(scores, f"Data{n}.IT-ridge") for n in (0, 1))
    interval = relate(x, y).interval
    assert found["interval"] == pytest.approx([interval.low, interval.high], abs=1e-9)
    places = np.array([place for place, _ in found["band"]])
    np.testing.assert_allclose(places, np.linspace(x.min(), x.max(), 50), atol=1e-12)
    _, low, high = line_band(x, y, np.linspace(x.min(), x.max(), 50))
    bounds = np.array([pair for _, pair in found["band"]])
    np.testing.assert_allclose(bounds, np.array([low, high]).T, atol=1e-9)
    said = shown.tab.inner_text("#plot figcaption")
    assert f"{interval.low:.2f} to {interval.high:.2f}" in said and f"{models} models" in said


@BROWSER
def test_too_few_models_and_scores_that_do_not_vary_are_told_in_words(opened):
    scores = [score(f"m{n}", "flat", 0.5) for n in range(6)]
    scores += [score(f"m{n}", "few", n / 5) for n in range(2)]
    scores += [score(f"m{n}", "all", n / 7) for n in range(6)]
    scores.append(Score.unscored("failed", "why", model="m0", benchmark="none"))
    shown = opened(page(gathered(scores)))
    told = {}
    for x in ("few", "flat", "none"):
        shown.tab.select_option("#x", x)
        shown.tab.select_option("#y", "all")
        told[x] = shown.tab.inner_text("#plot figcaption")
    assert "2 models have both scores, a relation needs four" in told["few"]
    assert "all models score 0.5" in told["flat"] and "nothing to draw" in told["none"]
    assert shown.said == []


@BROWSER
def test_names_in_a_scatter_cover_neither_points_nor_each_other(opened):
    shown = opened(page(gathered(matrix(12, 2))))
    covered = shown.tab.evaluate(
        """() => {
          const all = [...document.querySelectorAll(".pair .near, .pair circle")];
          const boxes = all.map((e) => e.getBoundingClientRect()), found = [];
          boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b, j) => {
            const text = [all[i], all[i + 1 + j]].some((e) => e.tagName === "text");
            const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (text && wide > 3 && high > 6) found.push(all[i].textContent);
          }));
          return found;
        }"""
    )
    assert covered == []


@BROWSER
def test_on_a_telephone_the_chart_of_means_fits_and_its_letters_can_be_read(opened):
    shown = opened(page(gathered(matrix())), viewport={"width": 375, "height": 800})
    seen = shown.tab.locator("[aria-labelledby=means] svg:visible")
    assert seen.count() == 1
    wide, letters = seen.evaluate(
        "s => [s.getBoundingClientRect().right, 12 * s.clientWidth / s.viewBox.baseVal.width]"
    )
    assert wide <= 375 and letters >= 10


@BROWSER
def test_keys_walk_from_model_to_model_and_each_is_said(opened):
    scores = matrix(6, 2)
    shown = opened(page(gathered(scores)))
    keys = shown.tab.keyboard
    across = {s.model: s.value for s in scores if s.benchmark == "Data0.IT-ridge"}
    order = sorted(across, key=across.get)
    shown.tab.focus("#plot .walk")
    for name in order:
        keys.press("ArrowRight")
        assert shown.tab.inner_text("#plot .said").startswith(f"{name}: ")
        tip = shown.tab.locator("#plot svg text").all_text_contents()
        assert any(name in line for line in tip)
    keys.press("Home")
    assert shown.tab.inner_text("#plot .said").startswith(f"{order[0]}: ")
    keys.press("Escape")
    assert shown.tab.inner_text("#plot .said") == ""


@BROWSER
def test_the_pointer_shows_the_model_under_it(opened):
    shown = opened(page(gathered(matrix(6, 2))))
    dots = shown.tab.locator("#plot .dots circle")
    dots.first.scroll_into_view_if_needed()
    dots.first.hover(force=True)
    shown.tab.wait_for_function(
        "/model-\\d: .*across/.test(document.querySelector('#plot svg').textContent)"
    )
    assert shown.said == []


@BROWSER
def test_a_square_of_the_matrix_draws_its_pair(opened):
    shown = opened(page(gathered(matrix(6, 4))))
    shown.tab.focus("#agreement-chart .walk")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):  # the first enters
        shown.tab.keyboard.press(key)
    shown.tab.keyboard.press("ArrowRight")
    said = shown.tab.inner_text("#agreement-chart .said")
    assert said.startswith("Data1.IT-ridge and Data2.IT-ridge: ") and "6 models" in said
    shown.tab.keyboard.press("Enter")
    assert "x=Data2.IT-ridge&y=Data1.IT-ridge" in shown.tab.url
    label = shown.tab.get_attribute("#plot svg", "aria-label")
    assert label == "Data1.IT-ridge against Data2.IT-ridge, 6 models"


@BROWSER
def test_a_cell_draws_its_records_and_subjects_beside_their_tables(opened):
    shown = opened(page(several_records()))
    shown.tab.click("td[data-at='0,0']")
    labels = shown.tab.locator("#detail svg").evaluate_all("l => l.map(s => s.ariaLabel)")
    assert labels == ["Scores of 2 records over time", "Median and quartiles of 2 subjects"]
    assert shown.tab.locator("#detail svg").first.locator("circle").count() == 2
    shown.tab.focus("#detail .walk >> nth=1")
    shown.tab.keyboard.press("ArrowRight")
    assert shown.tab.locator("#detail .said").nth(1).inner_text().startswith("Ann: ")
    shown.tab.keyboard.press("Escape")
    assert shown.tab.is_visible("#detail")  # the first leaves the chart
    shown.tab.keyboard.press("Escape")
    assert not shown.tab.is_visible("#detail") and shown.said == []


@BROWSER
def test_plot_brings_no_style_of_its_own(opened):
    shown = opened(page(several_records()))
    shown.tab.click("td[data-at='0,0']")
    assert shown.tab.locator("style").count() == 1
    assert shown.tab.locator("svg.plot").count() >= 2 and shown.said == []


@BROWSER
def test_without_a_script_all_charts_are_there_as_they_were_drawn(opened):
    shown = opened(page(gathered(matrix())), java_script_enabled=False)
    assert shown.tab.locator("#agreement-chart svg[role=img]").is_visible()
    assert shown.tab.locator(".pair svg[role=img]").count() == 6
    assert shown.tab.locator("svg.plot").count() == 0


@BROWSER
def test_header_words_do_not_break(opened):
    scores = [score("timm/resnet50.a1_in1k", "Marques2020.V1-spatial_frequency_selective")]
    scores += [score("m", "MajajHong2015public.IT-pls"), score("m", "x" * 300)]
    for width in (1280, 375):
        shown = opened(page(gathered(scores)), viewport={"width": width, "height": 800})
        torn = shown.tab.evaluate(
            """() => [...document.querySelectorAll("th")].flatMap(th => {
              const walker = document.createTreeWalker(th, NodeFilter.SHOW_TEXT), found = [];
              while (walker.nextNode()) {
                const word = walker.currentNode, range = document.createRange();
                range.selectNodeContents(word);
                const lines = range.getClientRects().length;
                if (!/\\s/.test(word.data.trim()) && lines > 1) found.push(word.data);
              }
              return found;
            })"""
        )
        assert set(torn) <= {"x" * 300}
        wide = shown.tab.evaluate(
            "Math.max(...[...document.querySelectorAll('#table th')].map(c => c.offsetWidth))"
        )
        assert wide < 400


@BROWSER
def test_marks_are_exported_and_told_in_the_detail(opened, tmp_path):
    shown = opened(page(gathered([private("open", D="public"), private("secret", D="private")])))
    with shown.tab.expect_download() as waiting:
        shown.tab.click("#json")
    waiting.value.save_as(tmp_path / "x.json")
    marked = {r["model"]: r.get("marked") for r in json.loads((tmp_path / "x.json").read_text())}
    assert marked == {"open": None, "secret": "private"}
    place = [*marked].index("secret")
    shown.tab.click(f"td[data-at='{place},0']")
    assert re.search(r"Marked\s+private", shown.tab.inner_text("#detail"))
    text = shown.tab.inner_text("#detail")
    assert f"{private('secret').interval.low:.3f}".replace("0.", ".", 1) in text


@BROWSER
def test_hostile_names_are_inert_in_charts_too(opened):
    rng = np.random.default_rng(0)
    names = [*HOSTILE[:3], "ok", "fine"]
    scores = [score(m, b, float(rng.random()), notes=(m,)) for m in names for b in HOSTILE[:3]]
    shown = opened(page(gathered(scores)))
    for frame in ("#plot", "#agreement-chart"):
        shown.tab.focus(f"{frame} .walk")
        for _ in range(5):
            shown.tab.keyboard.press("ArrowRight")
    assert shown.tab.evaluate("window.hurt") is None
    assert shown.said == [] and shown.asked == [shown.address]


@BROWSER
@pytest.mark.parametrize("width", [1280, 375])
def test_nobody_is_shut_out_of_the_charts(opened, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    scores = [*several_records().board.scores.values(), *matrix(5, 3)]
    every = Gathered(board=Board.of(scores), history=several_records().history)
    shown = opened(page(every), viewport={"width": width, "height": 800}, bypass_csp=True)
    shown.tab.select_option("#x", "Data0.IT-ridge")
    shown.tab.select_option("#y", "Data1.IT-ridge")
    for frame in ("#agreement-chart", "#plot"):
        shown.tab.focus(f"{frame} .walk")
        shown.tab.keyboard.press("ArrowRight")
        shown.tab.keyboard.press("ArrowRight")
    place = shown.models().index("m")
    column = [*every.board.benchmarks].index("B")
    shown.tab.click(f"td[data-at='{place},{column}']")
    shown.tab.focus("#detail .walk >> nth=0")
    shown.tab.keyboard.press("ArrowRight")
    found = axe.Axe().run(shown.tab).response["violations"]
    grave = [
        (v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")
    ]
    assert grave == []
    assert shown.tab.evaluate("document.documentElement.scrollWidth") <= width
