"""What a notebook shows: frames with every number, and HTML that is inert, plain and has words."""

import math
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corteval import registry
from corteval.cards import BenchmarkCard, MetricCard, ModelCard, Resource
from corteval.intervals import Interval, Replicates, interval_of
from corteval.notebook import MOST_ROWS, Rows, facts, frame, table, text
from corteval.run.cells import Cell
from corteval.run.plan import Known, Plan, Task
from corteval.run.records import Measured, Record, Records
from corteval.run.status import Status
from corteval.score import Estimate, Score, normalize
from corteval.stats.board import Board, means
from corteval.stats.paired import compare
from corteval.stats.ranks import ranks
from corteval.stats.relations import relate
from corteval.stats.scaling import fit_scaling, optimal_allocation
from corteval.testing import toys

HOSTILE = "</td><script>x()</script><img src=x onerror=y()>\u202egnirts $\\frac{1$ javascript:"


class Reader(HTMLParser):
    """Tags, attributes and texts of a piece of HTML; fails where tags do not close."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.attributes, self.open = [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.open.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def replicates(value, draw="d", seed=0):
    noise = np.random.default_rng(seed).standard_normal(200)
    values = tuple(value + 0.02 * noise)
    return Replicates(scope="stimuli", sizes=(100,), values=values, draw=draw)


def scored(model="m", benchmark="b", value=0.4, seed=0, **fields):
    raw = Estimate(value=value, replicates=(replicates(value, seed=seed),), method="toy")
    found = normalize(Score(value=value, raw=raw), Estimate(value=0.8, method="halves"))
    return replace(found, model=model, benchmark=benchmark, **fields)


def failed(model="m", benchmark="b", reason="it broke", status="failed"):
    return Score.unscored(status, reason, model=model, benchmark=benchmark)


def board():
    made = [scored(m, b, 0.1 * n + 0.2, seed=n) for n, m in enumerate("ABC") for b in ("x", "y")]
    return Board.of([*made[:-1], failed("C", "y", status="not-applicable"), failed("D", "x")])


def record(**fields):
    measured = Measured(host="here", started="2026-01-01T00:00:00+00:00", seconds=2.0)
    cell = Cell(model=fields.pop("model", "m"), benchmark="b", seed=3)
    return Record(cell=cell, key="k", score=fields.pop("score", scored()), measured=measured)


def relation(clusters=None):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(20)
    return relate(x, x + rng.standard_normal(20), clusters=clusters, resamples=200)


def law(resamples=0, form="plain"):
    x = np.geomspace(1, 100, 12)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(12))
    starts = [[-1, 0, 0.5], [-1, 0.5, 0.5]]
    sizes = [x]
    if form == "two":
        sizes.append(x[::-1] ** 0.5)
        starts = [[-1, 0, 0.5, 0, 0.5]]
    loss = (0.3 + x**-0.5 + (sizes[1] ** -0.5 if form == "two" else 0)) * noise
    return fit_scaling(loss, *sizes, form=form, starts=starts, resamples=resamples)


def known(state="missing", model="m", **fields):
    return Known(cell=Cell(model=model, benchmark="b"), key="k", state=state, **fields)


def plan(cells=(), tasks=()):
    return Plan(
        models=("m",), benchmarks=("b",), seed=0, isolation="none", known=cells, tasks=tasks
    )


def status(**fields):
    nothing = {"failures": (), "unscored": (), "at_work": (), "cancelled": False}
    return Status(cells=4, finished=2, by_status={"scored": 2}, unfinished=2, **nothing | fields)


def card(**fields):
    made = {"identifier": "toy", "factory": "a.b:c", "summary": "s", "licence": "MIT"}
    return ModelCard(**made | fields)


SHOWN = {
    "score": scored(),
    "score without value": failed(),
    "score without ceiling": Score(value=0.3),
    "estimate": Estimate(value=0.5),
    "estimate with replicates": Estimate(value=0.5, replicates=(replicates(0.5),)),
    "board": board(),
    "empty board": Board(scores={}),
    "means": means(board(), {"x": 0.5, "y": 0.5}),
    "mean": means(board(), {"x": 1.0})[0],
    "ranks": ranks(means(board(), {"x": 1.0})),
    "no ranks": ranks(means(Board(scores={}), {"x": 1.0})),
    "rank": ranks(means(board(), {"x": 1.0}))[0],
    "comparison": compare(scored("A", value=0.5), scored("B", value=0.3)),
    "relation": relation(),
    "relation of families": relation([f"f{n % 5}" for n in range(20)]),
    "law": law(),
    "law with draws": law(resamples=20),
    "allocation": optimal_allocation(law(form="two")),
    "card": card(),
    "plan": plan((known(), known("broken", reason="no card"))),
    "empty plan": plan(),
    "status": status(),
    "status of trouble": status(
        failures=({"model": "m", "benchmark": "b", "failure": "crash", "reason": "segfault"},),
        unscored=({"model": "m", "benchmark": "c", "status": "undefined", "reason": "flat"},),
        at_work=({"model": "m", "benchmark": "d", "task": "t"},),
        cancelled=True,
    ),
    "record": record(),
    "records": Rows([record(), record(score=failed(), model="n")]),
    "rows of nothing": Rows(),
}


@pytest.mark.parametrize("name", SHOWN)
def test_everything_a_notebook_meets_has_a_frame_and_inert_html(name):
    shown = SHOWN[name]
    made = shown.to_frame()
    assert list(made.columns) or not len(made)
    reader = Reader(shown._repr_html_())
    assert not {"script", "style", "img", "a", "link"} & set(reader.tags)
    names = {attribute for attribute, _ in reader.attributes}
    assert names <= {"class", "style", "scope"}
    assert "".join(reader.texts).strip()


@pytest.mark.parametrize("name", SHOWN)
def test_html_has_no_colour_of_its_own_and_words_for_what_is_missing(name):
    reader = Reader(SHOWN[name]._repr_html_())
    styles = ";".join(value for attribute, value in reader.attributes if attribute == "style")
    declared = [part.split(":") for part in styles.split(";") if part]
    for key, value in (map(str.strip, pair) for pair in declared):
        assert key not in {"background", "background-color"}
        assert key != "color" or value == "inherit"
        assert "#" not in value and ("rgb" not in value or value.endswith("rgba(128,128,128,.45)"))
    for said in reader.texts:
        assert said.strip() not in {"nan", "NaN", "None", "inf", "()", "[]", "{}"}


@pytest.mark.parametrize(
    "shown",
    [
        scored(HOSTILE, HOSTILE, notes=(HOSTILE,)),
        failed(HOSTILE, HOSTILE, HOSTILE),
        Estimate(value=0.5, method=HOSTILE),
        Board.of([scored(HOSTILE, HOSTILE)]),
        means(Board.of([scored(HOSTILE, HOSTILE)]), {HOSTILE: 1.0}),
        ranks(means(Board.of([scored(HOSTILE, HOSTILE)]), {HOSTILE: 1.0})),
        card(summary=HOSTILE, licence=HOSTILE, maintainers=(HOSTILE,), bibtex=f"@x{{{HOSTILE},"),
        Rows([known("broken", model=HOSTILE, reason=HOSTILE)]),
        status(failures=({"model": HOSTILE, "benchmark": HOSTILE, "failure": "error",
                          "reason": HOSTILE},)),
        Rows([record(model=HOSTILE)]),
        relation([HOSTILE + str(n % 5) for n in range(20)]),
    ],
    ids=lambda shown: type(shown).__name__,
)  # fmt: skip
def test_hostile_names_are_text(shown):
    html = shown._repr_html_()
    reader = Reader(html)
    assert not {"script", "img"} & set(reader.tags)
    assert "\u202e" not in html and "onerror" not in dict(reader.attributes)
    assert any("script" in said for said in reader.texts)
    # notebooks typeset formulas in HTML unless told not to
    assert ("class", "tex2jax_ignore mathjax_ignore") in reader.attributes


@given(st.text())
def test_any_text_reads_back_as_itself_but_for_spaces_and_what_steers(words):
    reader = Reader(f"<p>{text(words)}</p>")
    shown = "".join(reader.texts)
    line = " ".join(words.split()) or "none"
    assert len(shown) <= 500 and all(c.isprintable() for c in shown)
    if len(line) <= 500:
        assert shown == "".join(c if c.isprintable() else "\ufffd" for c in line)


def test_a_frame_of_a_board_has_every_cell_with_its_status():
    made = board().to_frame()
    assert len(made) == 8
    by_cell = made.set_index(["model", "benchmark"])
    assert by_cell.loc[("D", "y"), "status"] == "not run"
    assert by_cell.loc[("C", "y"), "status"] == "not-applicable"
    assert math.isnan(by_cell.loc[("D", "x"), "value"])
    for (model, benchmark), score in board().scores.items():
        row = by_cell.loc[(model, benchmark)]
        assert row["value"] == score.value or score.status != "scored"
        if score.interval is not None:
            assert (row["low"], row["high"]) == (score.interval.low, score.interval.high)


def test_a_board_shows_words_for_each_kind_of_lack():
    texts = Reader(board()._repr_html_()).texts
    assert {"not run", "not applicable", "failed"} <= set(texts)
    assert f"{board().value('A', 'x'):.4f}" in texts


def test_a_large_board_says_what_it_leaves_out_and_its_frame_has_it():
    names = [f"model-{n:03d}" for n in range(MOST_ROWS + 5)]
    made = Board.of(
        Score(value=0.1, model=m, benchmark=f"b{n:02d}") for m in names for n in range(14)
    )
    html = made._repr_html_()
    assert "5 models and 2 benchmarks are left out here" in html
    assert names[-1] not in html and "b13" not in html
    assert len(made.to_frame()) == len(names) * 14


def test_a_mean_without_its_scores_is_said_not_to_be_ranked():
    found = means(board(), {"x": 0.5, "y": 0.5})
    html = found._repr_html_()
    assert html.count("not ranked") == 2 and "no interval" in html
    made = found.to_frame().set_index("model")
    assert made.loc["A", "value"] == pytest.approx((board().value("A", "x") * 2) / 2)
    assert math.isnan(made.loc["C", "value"]) and made.loc["C", "lacking"] == ("y",)


def test_lists_of_results_are_still_lists():
    found = means(board(), {"x": 1.0})
    assert isinstance(found, list) and found == list(found)
    placed = ranks(found)
    assert list(placed.to_frame()["model"]) == [rank.model for rank in placed]
    assert list(placed.to_frame()["rank"]) == [1, 2, 3]


def test_a_comparison_has_difference_interval_and_p():
    found = compare(scored("A", value=0.5), scored("B", value=0.3))
    (row,) = found.to_frame().to_dict("records")
    assert row["difference"] == found.difference and row["p"] == found.p_value
    assert (row["low"], row["high"]) == (found.interval.low, found.interval.high)


def test_a_relation_without_families_says_that_nobody_named_them():
    assert "clusters are not named" in relation()._repr_html_()
    made = relation([f"f{n % 5}" for n in range(20)])
    (row,) = made.to_frame().to_dict("records")
    assert (row["smallest_without_one"], row["largest_without_one"]) == made.range
    assert row["cluster_low"] == made.by_cluster.low
    assert "clusters are not named" not in made._repr_html_()


def test_a_scaling_law_has_a_row_a_parameter_and_says_where_there_is_no_interval():
    bare, drawn = law(), law(resamples=20)
    assert list(bare.to_frame()["parameter"]) == ["e", "a", "alpha"]
    assert list(bare.to_frame()["value"]) == list(bare.values)
    assert bare._repr_html_().count("no interval") == 6
    bounds = drawn.intervals()
    for row in drawn.to_frame().to_dict("records"):
        assert (row["low"], row["high"]) == bounds[row["parameter"]]


def test_a_ceiling_shows_the_interval_of_its_replicates():
    made = Estimate(value=0.5, error=0.1, replicates=(replicates(0.5),))
    interval = interval_of(0.5, made.replicates)
    (row,) = made.to_frame().to_dict("records")
    assert (row["low"], row["high"], row["scope"]) == (interval.low, interval.high, "stimuli")
    assert "no interval" in Estimate(value=0.5)._repr_html_()


def test_a_card_lists_what_it_does_not_say():
    html = card()._repr_html_()
    for words in ("not known", "none", "nothing"):  # parameters, maintainers, successor
        assert f">{words}<" in html
    full = card(parameters=3, training_data=frozenset({"b", "a"}), bibtex="@misc{key, x = {y}}",
                resources=(Resource(url="https://x.y/z", sha256="0" * 64, size=1500,
                                    licence="MIT"),))  # fmt: skip
    (row,) = full.to_frame().to_dict("records")
    assert row["cite"] == ("key",) and row["downloads"] == "1.5 kB" and row["parameters"] == 3
    assert ">a, b<" in full._repr_html_()


def test_cards_of_several_kinds_stand_in_one_table():
    common = {"factory": "a.b:c", "summary": "s", "licence": "MIT"}
    cards = Rows(
        [card(), BenchmarkCard(identifier="b", **common), MetricCard(identifier="c", **common)]
    )
    made = cards.to_frame()
    assert list(made["kind"]) == ["ModelCard", "BenchmarkCard", "MetricCard"]
    Reader(cards._repr_html_())


@pytest.mark.parametrize("kind", toys.CARDS)
def test_registered_cards_show_themselves(kind):
    with toys.registered():
        for made in toys.CARDS[kind]:
            found = registry.KINDS[kind].card(made.identifier)
            assert found.identifier in Reader(found._repr_html_()).texts


def test_a_plan_has_a_row_a_cell_also_when_read_from_its_file():
    cells = (known(), known("cached", record="r" * 64), known("broken", reason="no card"))
    made = plan(cells).to_frame()
    assert list(made["state"]) == ["missing", "cached", "broken"]
    task = Task(kind="score", cells=(Cell(model="m", benchmark="b"),), keys=("k",))
    again = Plan.from_json(plan((known(),), (task,)).to_json())
    assert list(again.to_frame()["state"]) == ["missing"]
    assert "There is nothing to show." in plan()._repr_html_()


def test_a_status_counts_and_tells_of_each_cell_in_trouble():
    shown = SHOWN["status of trouble"]
    texts = Reader(shown._repr_html_()).texts
    assert "2 of 4 cells are finished; the run is cancelled" in texts
    assert {"failed: crash", "undefined", "at work", "segfault"} <= set(texts)
    assert list(shown.to_frame()["state"]) == ["failed: crash", "undefined", "at work"]
    assert "No cell failed or lacks a score" in status()._repr_html_()


def test_records_of_a_folder_are_a_table_without_the_damaged_ones(tmp_path, caplog):
    kept = Records(tmp_path)
    first = kept.add(record())
    lost = kept.add(record(model="n"))
    lost.write_text("{}")
    made = kept.to_frame()
    assert list(made["record"]) == [first.stem] and list(made["seed"]) == [3]
    assert "A record is left out" in caplog.text
    assert first.stem in Reader(kept._repr_html_()).texts


def test_tables_say_how_many_rows_they_leave_out():
    rows = [{"name": str(n), "value": float(n)} for n in range(MOST_ROWS + 3)]
    assert "3 more rows are not shown" in table(rows)
    assert "more rows" not in table(rows[:MOST_ROWS])
    assert len(frame(rows)) == MOST_ROWS + 3


def test_the_same_result_gives_the_same_html():
    sets = [frozenset("abcdefgh"), frozenset(reversed("abcdefgh"))]
    first, again = (card(training_data=names)._repr_html_() for names in sets)
    assert first == again
    assert facts("t", {"a": sets[0]}) == facts("t", {"a": sets[1]})


def test_an_interval_at_another_level_is_said_to_be():
    interval = Interval(low=0.1, high=0.2, level=0.9, method="m", scope="s", resamples=9, seed=0)
    html = Score(value=0.15, interval=interval)._repr_html_()
    assert "0.1000 to 0.2000 (90%, over s)" in html
