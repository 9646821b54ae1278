"""The page of scores: what it says, that it is inert, and how it behaves in a real browser."""

import html
import json
import re
import shutil

import numpy as np
import pytest

from corteval.cli import main
from corteval.intervals import Interval, Replicates
from corteval.report.gathering import Gathered, from_file, from_records
from corteval.report.page import page
from corteval.run.cells import Cell
from corteval.run.records import Measured, Record, Records
from corteval.score import Estimate, Provenance, Score
from corteval.stats.board import Board

HOSTILE = [
    "</script><script>window.hurt=1</script>",
    "<img src=x onerror=window.hurt=1>",
    "javascript:window.hurt=1",
    "\u202egnirts lautca",
    "x" * 300,
    "\"quoted\" & 'single' `tick` ${1}",
    "=cmd|' /C calc'!A0",
]


def score(model, benchmark, value=0.5, spread=0.05, **fields):
    rng = np.random.default_rng([sum(map(ord, model)), sum(map(ord, benchmark))])
    draws = value + spread * rng.standard_normal(100)
    replicates = Replicates(scope="stimuli", sizes=(1000,), values=tuple(draws), median=True)
    low, high = np.quantile(draws, [0.025, 0.975])
    interval = Interval(
        low=low, high=high, level=0.95, method="m", scope="stimuli", resamples=100, seed=0
    )
    raw = Estimate(value=value, replicates=(replicates,), quantity="correlation")
    return Score(
        value=value, raw=raw, interval=interval, model=model, benchmark=benchmark, **fields
    )


def gathered(scores):
    return Gathered(board=Board.of(scores), history={})


def matrix(models=6, benchmarks=4, seed=0):
    rng = np.random.default_rng(seed)
    return [
        score(f"model-{m}", f"Data{b}.IT-ridge", round(float(rng.random()), 4))
        for m in range(models)
        for b in range(benchmarks)
    ]


def text_of(source):
    body = re.sub(r"<(script|style).*?</\1>", " ", source, flags=re.S).replace("<wbr>", "")
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", body).split()))


def test_the_same_scores_give_the_same_bytes_in_any_order():
    scores = matrix()
    assert page(gathered(scores)) == page(gathered(scores[::-1]))


def test_every_score_and_its_interval_stands_in_the_table():
    source = page(gathered(matrix()))
    for s in matrix():
        value = f"{s.value:.3f}".replace("0.", ".", 1)
        low = f"{s.interval.low:.3f}".replace("0.", ".", 1)
        assert f"{value}<i>{low}" in source


def test_what_is_missing_is_said_in_words():
    scores = [
        score("a", "B1"),
        Score.unscored("undefined", "one unit", model="a", benchmark="B2"),
        Score.unscored("failed", "it broke", model="b", benchmark="B1"),
        Score.unscored("not-applicable", "no text", model="b", benchmark="B2"),
        score("c", "B1"),
    ]
    text = text_of(page(gathered(scores)))
    for words in ("undefined", "failed", "not applicable", "not run", "not ranked lacks 1"):
        assert words in text
    assert "2 scores, 1 undefined, 1 not applicable, 1 failed, 1 not run" in text


def test_an_empty_board_has_words():
    assert "There are no scores yet" in text_of(page(gathered([])))


def test_scores_without_a_ceiling_are_called_raw_in_words():
    estimate = Estimate(value=0.8, quantity="correlation")
    whole = [score(f"m{n}", "C", 0.5, ceiling=estimate, normalization="r/c") for n in range(2)]
    raw = [score(f"m{n}", b, 0.5) for n in range(2) for b in ("A", "B")]
    mixed, normalised, alone = (text_of(page(gathered(s))) for s in (whole + raw, whole, raw))
    assert "2 of the 3 benchmarks with scores have no ceiling and are shown raw" in mixed
    assert "Ceiling – – none, raw none, raw .800" in mixed
    assert "None of the 2 benchmarks with scores has a ceiling" in alone
    assert "normalised by the reliability" in mixed and "by the reliability" not in alone
    told = ["averages raw and normalised" in text for text in (mixed, normalised, alone)]
    assert told == [True, False, False] and "shown raw" not in normalised


def test_the_chart_of_means_is_there_for_a_telephone_too():
    source = page(gathered(matrix(5, 2)))
    section = source.partition('id="means"')[2].partition("</section>")[0]
    widths = re.findall(r'viewBox="0 0 (\d+) ', section)
    assert widths == ["720", "360"] and section.count("<circle") == 10


def test_one_model_and_a_column_without_a_number_are_fine():
    nothing = Score.unscored("undefined", "why", model="a", benchmark="B2")
    assert "1 model, 2 benchmarks: 1 score," in text_of(page(gathered([score("a", "B1"), nothing])))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text_and_nothing_else(name):
    source = page(gathered([score(name, "B1", notes=(name,)), score("ok", name)]), title=name)
    assert source.count("<script") == 3 and "<img" not in source
    assert "\u202e" not in source
    assert not re.search(r'href="(?!#)', source)


def test_nothing_but_its_own_style_and_script_is_allowed():
    source = page(gathered(matrix()))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', source)
    assert html.unescape(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy and ' style="' not in source
    assert not re.search(r"https?://(?!www\.w3\.org/)", source)


def private(model, **access):
    return score(model, "B1", provenance=Provenance(access=access))


def test_scores_on_private_data_are_left_out_unless_asked_for(tmp_path):
    kept = Records(tmp_path)
    for s in (private("open", D="public"), private("secret", D="private")):
        kept.add(Record(cell=Cell(model=s.model, benchmark="B1"), key="k" * 64, score=s))
    without, with_ = from_records(kept), from_records(kept, private=True)
    assert (without.board.models, without.withheld) == (("open",), 1)
    assert with_.board.models == ("open", "secret")
    assert with_.board.scores["secret", "B1"].samples is None
    assert "secret" not in page(without) and "secret" in page(with_)


def test_scores_on_other_data_than_the_newest_are_left_out(tmp_path):
    kept = Records(tmp_path)
    for model, digest, day in (("old", "d1", "2026-01-01"), ("new", "d2", "2026-01-02")):
        made = Record(
            cell=Cell(model=model, benchmark="B1"),
            key="k" * 64,
            score=score(model, "B1"),
            parents={"stimuli": "s", "assembly": digest, "model": model},
            measured=Measured(started=day),
        )
        kept.add(made)
    found = from_records(kept)
    assert (found.board.models, found.stale) == (("new",), 1)


def test_the_last_record_counts_and_a_damaged_one_is_left_out(tmp_path):
    kept = Records(tmp_path)
    for n, value in enumerate((0.9, 0.2)):
        made = score("m", "B1", value)
        kept.add(
            Record(
                cell=Cell(model="m", benchmark="B1"),
                key="k" * 64,
                score=made,
                measured=Measured(sequence=n + 1),
            )
        )
    cell = Cell(model="x", benchmark="B1")
    damaged = kept.add(Record(cell=cell, key="k", score=score("x", "B1")))
    damaged.write_text("{")
    found = from_records(kept)
    assert found.board.value("m", "B1") == 0.2 and len(found.history["m", "B1"]) == 2
    assert found.board.models == ("m",) and len(found.damaged) == 1


def test_the_command_writes_a_page_of_a_file_of_scores(tmp_path, capsys):
    file = tmp_path / "scores.jsonl"
    file.write_text("\n".join(s.to_json() for s in matrix(2, 2)))
    out = tmp_path / "board.html"
    assert main(["report", "--from", str(file), "--output", str(out), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["models"], said["benchmarks"], said["bytes"]) == (2, 2, out.stat().st_size)
    assert out.read_text() == page(from_file(file), title="Brain and behaviour scores")


def test_a_large_board_stays_small():
    few = {f"Data{n}.IT-ridge": 0.5 for n in range(2)}  # the means of all take long
    source = page(gathered(matrix(300, 100)), weights=few)
    assert len(source.encode()) < 3_000_000


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def browser():
    """A real browser, which Debian has as chromium."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    if CHROMIUM is None:
        pytest.skip("there is no chromium (on Debian: apt install chromium)")
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


class Opened:
    """A page in the browser, and what it said and asked for."""

    def __init__(self, browser, folder, source, **options):
        file = folder / "report.html"
        file.write_text(source)
        self.context = browser.new_context(**options)
        self.tab = self.context.new_page()
        self.said, self.asked = [], []
        self.tab.on("console", lambda message: self.said.append(message.text))
        self.tab.on("pageerror", lambda error: self.said.append(str(error)))
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.address = file.as_uri()
        self.tab.goto(self.address)

    def models(self):
        rows = self.tab.locator("#table tbody tr:visible th[scope=row]")
        return [t.strip() for t in rows.all_inner_texts()]


@pytest.fixture
def opened(browser, tmp_path):
    pages = []

    def open_(source, **options):
        pages.append(Opened(browser, tmp_path, source, **options))
        return pages[-1]

    yield open_
    for made in pages:
        made.context.close()


BROWSER = pytest.mark.slow


@BROWSER
def test_nothing_is_asked_of_the_network_and_nothing_goes_wrong(opened):
    shown = opened(page(gathered(matrix())))
    assert shown.asked == [shown.address] and shown.said == []


@BROWSER
def test_sorting_filtering_and_the_back_button(opened):
    scores = matrix()
    shown = opened(page(gathered(scores)))
    values = {s.model: s.value for s in scores if s.benchmark == "Data2.IT-ridge"}
    shown.tab.click("th:has-text('Data2.IT-ridge') button")
    assert shown.models() == sorted(values, key=lambda m: -values[m])
    assert shown.tab.get_attribute("th:has(button:has-text('Data2'))", "aria-sort") == "descending"
    shown.tab.click("th:has-text('Data2.IT-ridge') button")
    assert shown.models() == sorted(values, key=values.get)
    shown.tab.fill("#find-model", "model-3")
    assert shown.models() == ["model-3"]
    shown.tab.fill("#find-model", "-model-3")
    assert len(shown.models()) == 5
    shown.tab.fill("#find-model", "")
    shown.tab.go_back()
    assert shown.models() == sorted(values, key=lambda m: -values[m])


@BROWSER
def test_a_filter_without_a_match_says_so_in_words(opened):
    shown = opened(page(gathered(matrix())))
    assert not shown.tab.is_visible("#none")
    shown.tab.fill("#find-model", "nobody")
    assert shown.tab.inner_text("#none") == "No model matches."
    shown.tab.fill("#find-model", "")
    assert not shown.tab.is_visible("#none")
    shown.tab.fill("#find-benchmark", "nothing")
    assert shown.tab.inner_text("#none") == "No benchmark matches."
    assert shown.said == []


@BROWSER
def test_a_box_that_scrolls_sideways_says_so_and_no_other_does(opened):
    shown = opened(page(gathered(matrix(4, 20))))
    shown.tab.wait_for_function("!document.querySelector('.cue').hidden")
    both = "l => l.map(b => [b.scrollWidth > b.clientWidth + 1, !b.previousElementSibling.hidden])"
    found = shown.tab.locator(".scroll:visible").evaluate_all(both)
    assert {wide for wide, _ in found} == {True, False}
    assert all(wide == said for wide, said in found)
    shown.tab.fill("#find-benchmark", "Data0")
    shown.tab.wait_for_function("document.querySelector('.cue').hidden")
    high = "b => b.scrollHeight - b.clientHeight"
    assert shown.tab.locator(".scroll.flat").evaluate(high) <= 1


@BROWSER
def test_a_link_opens_what_was_seen(opened):
    shown = opened(page(gathered(matrix())))
    shown.tab.fill("#find-benchmark", "Data1")
    shown.tab.click("td[data-at='2,1']")
    said = shown.tab.inner_text("#detail")
    link = shown.tab.url
    other = shown.context.new_page()
    other.goto(link)
    assert other.inner_text("#detail") == said
    assert other.input_value("#find-benchmark") == "Data1"
    assert other.locator("#table thead tr:first-child th:visible").count() == 4


@BROWSER
def test_keys_alone_reach_everything(opened):
    shown = opened(page(gathered(matrix())))
    keys = shown.tab.keyboard
    for _ in range(40):
        keys.press("Tab")
        if shown.tab.evaluate("document.activeElement.matches('td[data-at]')"):
            break
    first = shown.tab.evaluate("document.activeElement.dataset.at")
    keys.press("ArrowRight")
    keys.press("ArrowDown")
    assert shown.tab.evaluate("document.activeElement.dataset.at") != first
    keys.press("Enter")
    assert shown.tab.is_visible("#detail")
    keys.press("Escape")
    assert not shown.tab.is_visible("#detail")
    assert shown.tab.evaluate("document.activeElement.matches('td[data-at]')")


@BROWSER
def test_what_is_exported_is_what_is_seen(opened, tmp_path):
    shown = opened(page(gathered([*matrix(), score(HOSTILE[-1], "Data0.IT-ridge")])))
    shown.tab.fill("#find-benchmark", "Data0")
    with shown.tab.expect_download() as waiting:
        shown.tab.click("#csv")
    waiting.value.save_as(tmp_path / "x.csv")
    lines = (tmp_path / "x.csv").read_text().splitlines()
    assert lines[0] == "Model,Rank,Mean,Data0.IT-ridge" and len(lines) == 8
    assert not any(line.startswith("=") for line in lines)
    with shown.tab.expect_download() as waiting:
        shown.tab.click("#json")
    waiting.value.save_as(tmp_path / "x.json")
    assert {row["benchmark"] for row in json.loads((tmp_path / "x.json").read_text())} == {
        "Data0.IT-ridge"
    }


@BROWSER
def test_without_a_script_the_table_is_whole(opened):
    scores = matrix()
    shown = opened(page(gathered(scores)), java_script_enabled=False)
    text = shown.tab.inner_text("body")
    for s in scores:
        assert f"{s.value:.3f}".replace("0.", ".", 1) in text
    assert not shown.tab.is_visible("#tools") and not shown.tab.is_visible("#explore")


@BROWSER
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 375])
def test_nobody_is_shut_out(opened, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    shown = opened(
        page(gathered(matrix())),
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
        bypass_csp=True,  # for the checker's own script
    )
    found = axe.Axe().run(shown.tab).response["violations"]
    found = [v for v in found if v["impact"] in ("serious", "critical")]
    grave = [(v["id"], v["nodes"][0]["html"]) for v in found]
    assert grave == []
    wide = shown.tab.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


@BROWSER
def test_hostile_names_hurt_nobody(opened):
    scores = [score(name, f"B{n}", notes=(name,)) for n, name in enumerate(HOSTILE)]
    scores += [score("ok", name) for name in HOSTILE]
    shown = opened(page(gathered(scores)))
    for cell in shown.tab.locator("td[data-at]").all()[:30]:
        cell.dispatch_event("click")
    assert shown.tab.evaluate("window.hurt") is None
    assert shown.said == [] and shown.asked == [shown.address]


@BROWSER
def test_an_empty_page_says_so_and_nothing_breaks(opened):
    shown = opened(page(gathered([])))
    assert "There are no scores yet" in shown.tab.inner_text("main") and shown.said == []
