"""The site of several pages, and tables for other programs."""

import csv
import html
import io
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from core.tests.test_report import BROWSER, HOSTILE, browser, gathered, matrix, score, text_of
from core.tests.test_report_details import record, several_records, toy_suite

from corteval.cards import BenchmarkCard, ModelCard
from corteval.cli import main
from corteval.errors import OptionError
from corteval.intervals import Replicates, interval_of
from corteval.registry import benchmarks, models
from corteval.report.exports import latex, ranks_csv, ranks_latex, scores_csv, scores_latex
from corteval.report.gathering import Gathered, from_records
from corteval.report.site import MARKER, site, write_site
from corteval.run.records import Records, folder_of
from corteval.score import Estimate, Provenance, Score
from corteval.stats.board import Board, means
from corteval.stats.ranks import ranks

__all__ = ["browser"]  # a fixture

LINK = re.compile(r'href="([^"]+)"')


def hostile():
    scores = [score(name, f"B{n}", notes=(name,)) for n, name in enumerate(HOSTILE)]
    return gathered([*scores, *(score("ok", name) for name in [*HOSTILE, "..", "con", "A", "a"])])


@pytest.fixture
def installed():
    model = ModelCard(
        identifier="toy-model",
        factory="toy:build",
        summary="Sees <little>.",
        licence="MIT",
        parameters=1234567,
        bibtex="@article{toy,\n  title = {A <toy>}\n}",
    )
    benchmark = BenchmarkCard(
        identifier="Toy2026.V9-ridge",
        factory="toy:benchmark",
        summary="Area V9.",
        licence="CC0-1.0",
        data=("NoSuchData2026",),
        target="V9",
        species="newt",
        controls=("pixels",),
        bibtex="@article{newts, title = {Newts & others}}",
    )
    with models.temporary(model), benchmarks.temporary(benchmark):
        yield "toy-model", "Toy2026.V9-ridge"


def test_every_link_of_the_site_leads_to_one_of_its_pages():
    pages = site(hostile())
    for path, source in pages.items():
        found = [html.unescape(link) for link in LINK.findall(source) if not link.startswith("#")]
        assert found
        for link in found:
            assert os.path.normpath(Path(path).parent / link) in pages


def test_names_of_pages_are_plain_and_different_on_any_disk():
    pages = site(hostile())
    made = hostile().board
    assert len({path.lower() for path in pages}) == 1 + len(made.models) + len(made.benchmarks)
    assert all(re.fullmatch(r"[a-z]+(/[a-zA-Z0-9._-]+)?\.html", path) for path in pages)
    assert all(len(path) < 120 for path in pages)


def test_no_page_of_the_site_can_be_made_to_do_anything():
    for path, source in site(hostile(), title=HOSTILE[0]).items():
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', source)
        assert policy.startswith("default-src &#39;none&#39;; style-src")
        assert source.count("<script") == (3 if path == "index.html" else 0)
        assert "<img" not in source and "\u202e" not in source and ' style="' not in source
        assert not any("javascript:" in link for link in LINK.findall(source))


def test_the_same_scores_give_the_same_site():
    scores = matrix()
    assert site(gathered(scores)) == site(gathered(scores[::-1]))


def test_the_page_of_a_model_says_what_its_card_says(installed):
    model, benchmark = installed
    source = site(gathered([score(model, benchmark, 0.4321)]))[f"models/{folder_of(model)}.html"]
    text = text_of(source)
    for words in ("Sees <little>.", "1,234,567", "MIT", "@article{toy,", "title = {A <toy>}"):
        assert words in text
    assert ".432" in text and "not said" in text  # what it was trained on


def test_the_page_of_a_model_without_a_card_says_so():
    text = text_of(site(gathered([score("m", "B")]))["models/m.html"])
    assert "is not installed where the site was made" in text


def test_the_page_of_a_model_lists_records_with_their_digests_and_what_is_missing():
    made = several_records()
    pages = site(made)
    text = text_of(pages["models/m.html"])
    for one in made.history["m", "B"]:
        assert one.digest in text
    assert "2 subjects" in text and "Ann" in text
    with_gap = [
        score("a", "b1"),
        score("b", "b2"),
        Score.unscored("failed", "broke", model="b", benchmark="b1"),
    ]
    text = text_of(site(gathered(with_gap))["models/b.html"])
    assert "b1 failed" in text and "broke" in text
    assert "b2 not run" in text_of(site(gathered(with_gap))["models/a.html"])


def test_the_page_of_a_benchmark_ranks_all_models_and_tells_its_ceiling(installed):
    _, benchmark = installed
    draws = Replicates(
        scope="stimuli", sizes=(50,), values=(0.7, 0.8, 0.9, 0.75, 0.85), median=True
    )
    ceiling = Estimate(value=0.8, method="split halves", replicates=(draws,))
    scores = [
        score(name, benchmark, value, ceiling=ceiling, normalization="r/c")
        for name, value in (("low", 0.1), ("high", 0.9), ("middle", 0.5))
    ]
    scores.append(Score.unscored("undefined", "why", model="first", benchmark=benchmark))
    source = site(gathered(scores))[f"benchmarks/{folder_of(benchmark)}.html"]
    text = text_of(source)
    names = re.findall(r'<th scope="row"[^>]*><a href="\.\./models/[^"]+"><bdi>([^<]+)', source)
    assert names == ["high", "middle", "low", "first"]
    bounds = interval_of(0.8, (draws,))
    low = f"{bounds.low:.3f}".replace("0.", ".", 1)
    assert f".800 (similarity), 95 % interval {low} to" in text and "split halves" in text
    for words in ("V9", "newt", "pixels", "NoSuchData2026 (not installed here)", "CC0-1.0"):
        assert words in text


def test_a_site_is_brought_up_to_date_and_nothing_else_is_touched(tmp_path):
    write_site(tmp_path, site(gathered([score("old", "B"), score("kept", "B")])))
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "models" / "mine.html").write_text("mine")
    with (tmp_path / MARKER).open("a") as file:
        file.write("../outside.html\nnotes.txt\nmodels/../notes.txt\n")
    outside = tmp_path.parent / "outside.html"
    outside.write_text("mine")
    write_site(tmp_path, site(gathered([score("kept", "B")])))
    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    pages = [f"benchmarks/{folder_of('B')}.html", "index.html", "models/kept.html"]
    assert left == sorted([*pages, MARKER, "models/mine.html", "notes.txt"])
    assert outside.read_text() == "mine"


def test_a_folder_that_is_no_site_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(OptionError, match="is no site"):
        write_site(tmp_path, {"index.html": ""})
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_site_on_private_data_tells_no_subject(tmp_path):
    made = several_records().board.scores["m", "B"]
    hidden = Provenance(access={"D": "private"})
    kept = Records(tmp_path)
    kept.add(record(replace(made, provenance=hidden), 1))
    kept.add(record(score("open", "B"), 1))
    assert "models/m.html" not in site(from_records(kept))
    assert "Ann" not in site(from_records(kept, private=True))["models/m.html"]


def test_the_csv_of_scores_has_every_cell_in_full():
    scores = [*matrix(2, 2), Score.unscored("failed", "a,\nb", model=HOSTILE[-1], benchmark="B")]
    board = Board.of(scores)
    rows = [*csv.DictReader(io.StringIO(scores_csv(board)))]
    assert len(rows) == len(board.models) * len(board.benchmarks)
    found = {(r["model"], r["benchmark"]): r for r in rows}
    for s in matrix(2, 2):
        row = found[s.model, s.benchmark]
        assert float(row["value"]) == s.value and float(row["low"]) == s.interval.low
    assert found["'" + HOSTILE[-1], "B"]["reason"] == "a, b"
    assert found["model-0", "B"]["status"] == "not run"


def test_the_csv_and_latex_of_ranks_have_all_models_those_without_a_rank_last():
    board = Board.of([*matrix(3, 2), score("a_b", "Data0.IT-ridge")])
    found = means(board, {"Data0.IT-ridge": 0.5, "Data1.IT-ridge": 0.5})
    ranked = ranks(found)
    rows = [*csv.DictReader(io.StringIO(ranks_csv(found, ranked)))]
    assert [r["rank"] for r in rows] == ["1", "2", "3", ""]
    assert rows[-1]["model"] == "a_b" and rows[-1]["lacking"] == "Data1.IT-ridge"
    assert float(rows[0]["mean"]) == next(m for m in found if m.model == ranked[0].model).value
    assert r"a\_b & not ranked & -- & lacks 1 \\" in ranks_latex(found, ranked)


def test_the_latex_of_scores_has_intervals_and_words():
    s = score("m", "B_1", 0.5)
    lines = scores_latex(Board.of([s, score("n", "B2")]), ["B_1", "B2"], ["m", "n"]).splitlines()
    bounds = f"(${s.interval.low:.3f}$ to ${s.interval.high:.3f}$)"
    assert lines[:3] == [r"\begin{tabular}{lcc}", r"\toprule", r"Model & B\_1 & B2 \\"]
    assert lines[4] == rf"m & $0.500$ {{\scriptsize {bounds}}} & not run \\"


@pytest.mark.parametrize("name", [*HOSTILE, r"\input{/etc/passwd}", "[1ex]", "*", "100 % ~^_#{}$&"])
def test_nothing_in_a_name_is_a_command_of_latex(name):
    escaped = latex(name)
    left = escaped
    for known in ("textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater"):
        left = left.replace(f"\\{known}{{}}", "")
    left = left.replace("\\textbar{}", "").replace("\\textquotedbl{}", "")
    left = left.replace("{[}", "").replace("{]}", "").replace("{*}", "")
    left = re.sub(r"\\[&%$#_{}]", "", left)
    assert not set(left) & set("\\&%$#_{}~^[]*\n\u202e")


@pytest.fixture
def scores_file(tmp_path):
    file = tmp_path / "scores.jsonl"
    file.write_text("\n".join(s.to_json() for s in matrix(2, 2)))
    return file


def test_the_command_writes_a_site_and_tables(tmp_path, capsys, scores_file):
    folder, table, tex, bib = (tmp_path / n for n in ("board", "t.csv", "t.tex", "t.bib"))
    files = ["--csv", str(table), "--latex", str(tex), "--bibtex", str(bib)]
    run = ["report", "--from", str(scores_file), "--site", str(folder), *files, "--json"]
    assert main(run) == 0
    out, told = capsys.readouterr()
    assert json.loads(out)["pages"] == 5 and json.loads(out)["file"].endswith("index.html")
    assert len([*folder.rglob("*.html")]) == 5
    assert len(table.read_text().splitlines()) == 5
    assert tex.read_text().endswith("\\end{tabular}\n")
    assert "@software{corteval" in bib.read_text() and "model-0 is left out" in told
    assert main(run) == 0  # once more into the same folder


def test_the_command_says_that_a_folder_is_no_site(tmp_path, capsys, scores_file):
    assert main(["report", "--from", str(scores_file), "--site", str(tmp_path)]) != 0
    assert "is no site" in capsys.readouterr().err


def test_entries_to_cite_are_those_of_the_plugins_shown(installed):
    from corteval.cli.exports import bibtex

    model, benchmark = installed
    text = bibtex([model], [benchmark])
    assert [*re.findall(r"@\w+\{(\w+)", text)] == ["toy", "newts", "corteval"]


def test_the_leaderboard_writes_tables_too(tmp_path, scores_file, installed, capsys):
    _, benchmark = installed
    file, table = tmp_path / "s.jsonl", tmp_path / "t.csv"
    file.write_text(
        "\n".join(score(m, benchmark, v).to_json() for m, v in (("a", 0.2), ("b", 0.7)))
    )
    assert main(["leaderboard", benchmark, "--from", str(file), "--csv", str(table)]) == 0
    rows = [*csv.DictReader(table.open(newline=""))]
    assert [r["model"] for r in rows] == ["b", "a"]


@pytest.mark.slow
def test_latex_takes_the_table(tmp_path):
    engine = shutil.which("pdflatex") or shutil.which("tectonic")
    if engine is None:
        pytest.skip("there is no LaTeX")
    names = [n for n in HOSTILE if n.isascii()]
    table = scores_latex(Board.of([score(n, "B_1") for n in names]), ["B_1"], names)
    source = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{booktabs}\n"
    (tmp_path / "t.tex").write_text(f"{source}\\begin{{document}}{table}\\end{{document}}")
    run = [engine, "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True)


@BROWSER
@pytest.mark.parametrize("width", [1280, 375])
def test_the_site_works_without_a_script_and_shuts_nobody_out(browser, tmp_path, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    suite = toy_suite()
    made = several_records()
    every = Gathered(
        board=Board.of([*made.board.scores.values(), *matrix(3, 3)]), history=made.history
    )
    write_site(tmp_path / "site", site(every, name=suite.name, weights=suite.weights))
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    asked, said = [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto((tmp_path / "site" / "index.html").as_uri())
    tab.click("a:has-text('model-1')")
    assert tab.inner_text("h1") == "Model model-1"
    tab.click("a:has-text('Data2.IT-ridge')")
    assert tab.inner_text("h1") == "Benchmark Data2.IT-ridge"
    tab.click("a:has-text('All scores')")
    assert tab.url.endswith("index.html") and said == []
    assert all(url.startswith("file://") and url.endswith(".html") for url in asked)
    context.close()
    looked = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 800})
    tab = looked.new_page()
    for path in ("models/m.html", f"benchmarks/{folder_of('B')}.html"):
        tab.goto((tmp_path / "site" / path).as_uri())
        found = axe.Axe().run(tab).response["violations"]
        grave = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
        assert grave == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    looked.close()
