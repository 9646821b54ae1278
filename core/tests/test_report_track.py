"""Suites that are held as a competition: dates, rules, and what came too late."""

import os
from dataclasses import replace

import pytest
from core.tests.test_report import gathered, matrix, score, text_of
from hypothesis import given
from hypothesis import strategies as st

from corteval import registry
from corteval.cards import Competition, Part, SuiteCard
from corteval.cli import main
from corteval.errors import OptionError
from corteval.registry import suites
from corteval.report.gathering import Gathered
from corteval.report.marks import Entries
from corteval.report.page import page
from corteval.report.site import site
from corteval.report.track import late, track
from corteval.run.cells import Cell
from corteval.run.records import Measured, Record, folder_of
from corteval.score import Provenance
from corteval.stats.board import Board
from corteval.suites import Suite

PARTS = (Part("Data0.IT-ridge"), Part("group", parts=(Part("Data1.IT-ridge"),)))
RULES = "One entry a group; <b>no</b> weights drawn after the first score."


def card(**competition):
    held = {"2.0": Competition(**competition)} if competition else {}
    return SuiteCard(
        identifier="toy-track",
        summary="A track.",
        licence="MIT",
        editions={"1.0": PARTS, "2.0": PARTS},
        competitions=held,
    )


def toy(**competition):
    return track(Suite(card=card(**competition)))


def record(model, moment, sequence=1, benchmark="Data0.IT-ridge", value=0.5):
    return Record(
        cell=Cell(model=model, benchmark=benchmark),
        key="k" * 64,
        score=score(model, benchmark, value),
        measured=Measured(sequence=sequence, started=moment),
    )


def made(*records):
    history = {}
    for one in records:
        history.setdefault((one.cell.model, one.cell.benchmark), []).append(one)
    board = Board.of(several[-1].score for several in history.values())
    return Gathered(board=board, history={cell: tuple(v) for cell, v in history.items()})


def entered():
    return made(
        record("early", "2027-05-01T23:59:59+00:00"),
        record("late", "2027-05-02T00:00:00+00:00"),
        record("again", "2027-04-01T10:00:00+00:00"),
        record("again", "2027-06-01T10:00:00+00:00", 2),
        record("unknown", ""),
        record("elsewhere", "2027-06-01T10:00:00+00:00", benchmark="Other"),
    )


def test_what_is_made_after_the_last_day_is_late_and_a_model_if_nothing_was_before():
    found = late(entered(), toy(closes="2027-05-01"))
    assert found.cells == {("late", "Data0.IT-ridge"), ("again", "Data0.IT-ridge")}
    assert found.models == {"late"} and found.undated == 1


def test_the_last_day_is_one_of_utc():
    moments = {"in": "2027-05-02T01:00:00+02:00", "out": "2027-05-01T23:00:00-02:00"}
    board = made(*(record(model, moment) for model, moment in moments.items()))
    assert late(board, toy(closes="2027-05-01")).models == {"out"}


def test_without_records_a_score_was_made_when_its_provenance_says():
    scores = [score("m", "Data0.IT-ridge", provenance=Provenance(started="2027-05-02T10:00:00"))]
    assert late(gathered(scores), toy(closes="2027-05-01")).models == {"m"}


@pytest.mark.parametrize("of", [None, toy(), toy(rules="Be kind."), toy(opens="2027-01-01")])
def test_nothing_is_late_where_nothing_closes(of):
    assert late(entered(), of) == late(entered(), None)
    assert not late(entered(), of).cells


@given(st.dates(), st.dates())
def test_a_score_is_late_on_all_days_after_the_last(day, last):
    board = made(record("m", f"{day.isoformat()}T12:00:00+00:00"))
    found = late(board, toy(closes=last.isoformat()))
    assert bool(found.cells) == (day > last) == bool(found.models)


def test_a_page_marks_what_is_late_and_leaves_nothing_out():
    of = toy(opens="2027-01-01", closes="2027-05-01", rules=RULES)
    board = entered()
    source = page(board, track=of, name=of.name, weights={"Data0.IT-ridge": 1.0})
    text = text_of(source)
    for words in (
        "Opens 2027-01-01, the whole day in UTC Closes 2027-05-01, the whole day in UTC",
        f"Rules {RULES}",
        "marked late : 2 scores, and as a whole 1 of the models",
        "Of 1 scores nobody knows when they were made.",
    ):
        assert words in text
    assert source.count("<b>late</b></th>") == 1 and source.count("<b>late</b></td>") == 2
    ranks = {m: source.partition(f"<bdi>{m}</bdi>")[2][:60] for m in ("early", "late", "again")}
    assert all("not ranked" not in after for after in ranks.values())


def test_the_day_a_page_is_made_changes_nothing():
    of = toy(closes="2027-05-01")
    assert page(entered(), track=of) == page(entered(), track=of)
    assert "closed since" not in page(entered(), track=of)


def test_a_track_without_dates_has_no_word_of_them():
    text = text_of(page(gathered(matrix(4, 2)), track=toy()))
    assert "Closes" not in text and "marked late" not in text and "A track." in text


def test_the_site_says_it_on_the_pages_of_models_and_benchmarks():
    of = toy(closes="2027-05-01", rules=RULES)
    pages = site(entered(), track=of)
    late_model, early = (text_of(pages[f"models/{folder_of(m)}.html"]) for m in ("late", "early"))
    assert "In toy-track@2.0 late: no score was made before it closed" in late_model
    assert "In toy-track@2.0 in time" in early and "late" not in early.partition("Scores")[2]
    assert ".500" in late_model
    benchmark = pages[f"benchmarks/{folder_of('Data0.IT-ridge')}.html"]
    assert "toy-track@2.0: Closes 2027-05-01" in text_of(benchmark)
    assert benchmark.count("<b>late</b></th>") == 1 and benchmark.count("<b>late</b></td>") == 2
    assert "Closes" not in text_of(pages[f"benchmarks/{folder_of('Other')}.html"])


def test_marks_of_one_cell_stand_together():
    hidden = record("m", "2027-05-02T10:00:00+00:00")
    private = replace(hidden.score, provenance=Provenance(access={"D": "private"}))
    board = made(replace(hidden, score=private))
    found = Entries.of(board, toy(closes="2027-05-01"))
    assert found.marks == {("m", "Data0.IT-ridge"): "private, late"} and found.private == 1


def test_the_command_shows_the_competition_of_a_suite(tmp_path, capsys):
    scores = tmp_path / "scores.jsonl"
    scores.write_text("\n".join(s.to_json() for s in matrix(4, 2)))
    out = tmp_path / "board.html"
    with suites.temporary(card(closes="2027-05-01", rules=RULES)):
        run = ["report", "toy-track", "--from", str(scores), "--output", os.fspath(out)]
        assert main(run) == 0
    assert "Closes 2027-05-01" in text_of(out.read_text("utf-8"))


PLUGIN = """
from corteval import registry
from corteval.cards import Competition, Part, SuiteCard

LAB = SuiteCard(
    identifier="lab-track",
    summary="What our lab competes on",
    licence="MIT",
    editions={
        "1.0": (Part("Data0.IT-ridge"),),
        "2.0": (Part("Data0.IT-ridge"), Part("Data1.IT-ridge")),
    },
    competitions={
        "2.0": Competition(opens="2027-01-01", closes="2027-05-31", rules="One entry a group.")
    },
)
"""


@pytest.mark.parametrize(("asked", "held"), [("lab-track", True), ("lab-track@1.0", False)])
def test_a_competition_of_a_plugin_of_one_file_is_shown_for_its_edition(
    tmp_path, monkeypatch, asked, held
):
    (tmp_path / "lab.py").write_text(PLUGIN)
    monkeypatch.setenv("CORTEVAL_PLUGIN_PATH", str(tmp_path))
    scores = tmp_path / "scores.jsonl"
    late_score = replace(
        score("late", "Data0.IT-ridge"), provenance=Provenance(started="2027-06-01T00:00:00+00:00")
    )
    early = [replace(s, provenance=Provenance(started="2027-01-02")) for s in matrix(3, 2)]
    scores.write_text("\n".join(s.to_json() for s in [late_score, *early]))
    registry.reload()
    try:
        out = tmp_path / "site"
        assert main(["report", asked, "--from", str(scores), "--site", os.fspath(out)]) == 0
    finally:
        monkeypatch.delenv("CORTEVAL_PLUGIN_PATH")
        registry.reload()
    text = text_of((out / "index.html").read_text("utf-8"))
    assert "What our lab competes on . An edition never changes." in text
    assert ("Closes 2027-05-31" in text) is held and ("One entry a group." in text) is held
    assert ("marked late : 1 scores, and as a whole 1 of the models" in text) is held
    card = text_of((out / "models" / f"{folder_of('late')}.html").read_text("utf-8"))
    assert ("In lab-track@2.0 late: no score was made before it closed" in card) is held


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"closes": "1 May 2027"}, "closes on '1 May 2027', which is no day"),
        ({"opens": "2027-02-30"}, "opens on '2027-02-30'"),
        ({"opens": "20270501"}, "write YYYY-MM-DD"),
        ({"opens": "2027-05-02", "closes": "2027-05-01"}, "before it opens"),
    ],
)
def test_days_that_are_none_are_refused(fields, words):
    with pytest.raises(OptionError, match=words):
        Competition(**fields)


def test_a_competition_is_of_an_edition_there_is():
    with pytest.raises(OptionError, match=r"'3.0', which is none of its editions \(1.0\)"):
        SuiteCard(
            identifier="toy",
            summary="",
            licence="MIT",
            editions={"1.0": PARTS},
            competitions={"3.0": Competition(closes="2027-05-01")},
        )
