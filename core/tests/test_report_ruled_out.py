"""Cells that the cards of model and benchmark rule out, on boards that know no plan."""

import csv
import io

import numpy as np
import pytest
from core.tests.test_report import matrix, score, text_of

from corteval import registry
from corteval.cards import BenchmarkCard, DataCard, ModelCard, ModelFamily
from corteval.cli import main
from corteval.report.exports import scores_csv
from corteval.report.gathering import from_file
from corteval.report.page import page
from corteval.report.ruled_out import with_ruled_out
from corteval.report.site import site
from corteval.run.index import opened
from corteval.run.plan import make_plan
from corteval.run.records import Records
from corteval.stats.board import Board

OWN = {"factory": "toy:build", "licence": "MIT", "summary": ""}
READER = ModelCard(identifier="toy-reader", modalities=frozenset({"text"}), **OWN)
SEER = ModelCard(identifier="toy-seer", **OWN)
BOTH = ModelCard(identifier="toy-both", modalities=frozenset({"image", "text"}), **OWN)
FAMILY = ModelFamily(identifier="toy-family", modalities=frozenset({"text"}), **OWN)
IMAGES = DataCard(identifier="ToyImages2026", **OWN)
TEXTS = DataCard(identifier="ToyTexts2026", modality="text", **OWN)


def on(name, *data):
    return BenchmarkCard(identifier=name, data=data, **OWN)


SEEN = on("ToyImages2026.V9-ridge", "ToyImages2026")
READ = on("ToyTexts2026.V9-ridge", "ToyTexts2026")
SHOWN_BOTH = on("Toy2026.both", "ToyImages2026", "ToyTexts2026")
UNKNOWN = on("Toy2026.unknown", "ToyImages2026", "NoSuchData2026")
WITHOUT = on("Toy2026.without")
BENCHMARKS = (SEEN, READ, SHOWN_BOTH, UNKNOWN, WITHOUT)
MODELS = ("toy-reader", "toy-seer", "toy-both", "toy-family/x", "toy-reader:width=3")


@pytest.fixture
def installed():
    with (
        registry.models.temporary(READER, SEER, BOTH, FAMILY),
        registry.benchmarks.temporary(*BENCHMARKS),
        registry.data.temporary(IMAGES, TEXTS),
    ):
        yield


def scored(*models, benchmark="Elsewhere2026.IT-pls"):
    return [score(model, benchmark) for model in models]


@pytest.fixture
def board(installed):
    return with_ruled_out(Board.of(scored(*MODELS)), [card.identifier for card in BENCHMARKS])


def test_what_is_ruled_out_is_what_a_plan_calls_not_applicable(board, tmp_path):
    with opened(Records(tmp_path)) as index:
        plan = make_plan(MODELS, [card.identifier for card in BENCHMARKS], index)
    planned = {
        (known.cell.model, known.cell.benchmark)
        for known in plan.known
        if known.state == "not applicable"
    }
    assert {*board.ruled_out} == planned and len(planned) == 4


def test_the_reason_says_what_is_taken_and_what_is_shown(board):
    cell = board.cell("toy-family/x", SEEN.identifier)
    assert cell.status == "not-applicable"
    assert cell.reason == "By its card the model takes text; the stimuli are images."
    assert board.cell("toy-seer", READ.identifier).reason.endswith(
        "takes images; the stimuli are text."
    )
    assert board.cell("toy-both", SEEN.identifier) is None


def test_a_score_stands_whatever_the_cards_say(installed):
    scores = scored("toy-reader", "toy-seer", benchmark=SEEN.identifier)
    board = with_ruled_out(Board.of(scores))
    assert board.cell("toy-reader", SEEN.identifier).status == "scored" and not board.ruled_out


def test_a_ruled_out_cell_has_no_value_and_is_no_score(board):
    assert ("toy-reader", SEEN.identifier) not in board.scores
    assert np.isnan(board.value("toy-reader", SEEN.identifier))
    assert board.draws("toy-reader", SEEN.identifier) is None
    only = board.only({"toy-reader"})
    assert only.models == ("toy-reader",) and {m for m, _ in only.ruled_out} == {"toy-reader"}


def test_no_card_is_looked_for_that_nobody_has_installed(monkeypatch):
    """To look for one takes long: the registry looks for names that are like it."""
    asked = []
    for kind in registry.KINDS.values():
        monkeypatch.setattr(kind, "member_card", asked.append)
        monkeypatch.setattr(kind, "card", asked.append)
    assert not with_ruled_out(Board.of(matrix(30, 20))).ruled_out and asked == []


@pytest.mark.parametrize("broken", [{"modalities": None}, {"modalities": 3}])
def test_one_broken_card_of_a_model_stops_nothing(installed, broken):
    bad = ModelCard(identifier="toy-broken", **OWN, **broken)
    with registry.models.temporary(bad):
        found = with_ruled_out(Board.of(scored("toy-broken", "toy-reader")), [SEEN.identifier])
    assert {*found.ruled_out} == {("toy-reader", SEEN.identifier)}


@pytest.mark.parametrize("data", [None, 3, ("not an identifier!",)])
def test_one_broken_card_of_a_benchmark_stops_nothing(installed, data):
    bad = BenchmarkCard(identifier="Toy2026.broken", data=data, **OWN)
    with registry.benchmarks.temporary(bad):
        names = [bad.identifier, SEEN.identifier]
        found = with_ruled_out(Board.of(scored("toy-reader")), names)
    assert {*found.ruled_out} == {("toy-reader", SEEN.identifier)}


@pytest.fixture
def file(tmp_path, installed):
    path = tmp_path / "scores.jsonl"
    scores = [score("toy-seer", SEEN.identifier), score("toy-reader", READ.identifier)]
    scores.append(score("toy-both", READ.identifier))
    path.write_text("\n".join(s.to_json() for s in scores))
    return path


def test_page_site_and_tables_say_it_with_the_reason(file):
    made = from_file(file)
    source = page(made)
    text = text_of(source)
    assert "3 scores, 0 undefined, 2 not applicable, 0 failed, 1 not run" in text
    assert source.count("By its card the model takes text; the stimuli are images.") == 1
    card = text_of(site(made)["models/toy-seer.html"])
    assert "not applicable" in card and "takes images; the stimuli are text" in card
    rows = [*csv.DictReader(io.StringIO(scores_csv(made.board)))]
    found = {(r["model"], r["benchmark"]): (r["status"], bool(r["reason"])) for r in rows}
    assert found["toy-reader", SEEN.identifier] == ("not-applicable", True)
    assert found["toy-both", SEEN.identifier] == ("not run", False)
    frame = made.board.to_frame()
    assert (frame["status"] == "not-applicable").sum() == 2


def test_the_leaderboard_says_it_of_benchmarks_without_any_score_too(file, capsys):
    names = f"{SEEN.identifier},Toy2026.without"
    assert main(["leaderboard", names, "--from", str(file)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert f"({SEEN.identifier}: not applicable, Toy2026.without: not run)" in lines["toy-reader"]
    assert f"({SEEN.identifier}: not run, Toy2026.without: not run)" in lines["toy-both"]
    assert main(["leaderboard", READ.identifier, "--models", "toy-s*", "--from", str(file)]) == 0
    out = capsys.readouterr().out
    assert f"{READ.identifier}: not applicable" in out and "toy-reader" not in out


def test_nothing_is_said_to_be_late_or_published_that_was_not_computed(file):
    from core.tests.test_report_track import toy

    text = text_of(page(from_file(file), track=toy(closes="2027-05-01")))
    assert "nobody knows when they were made" not in text and "were published" not in text
