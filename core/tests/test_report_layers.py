"""Curves over layers on pages, from maps of ``corteval layers``."""

import hashlib
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from core.tests.test_plot_of_data import layer_map, layer_score
from core.tests.test_report import BROWSER, HOSTILE, browser, gathered, opened, score, text_of

from corteval import registry
from corteval.cards import BenchmarkCard, DataCard
from corteval.cli import main
from corteval.errors import OptionError
from corteval.report.gathering import Gathered
from corteval.report.layer_charts import MOST_CURVES, layer_curves_of
from corteval.report.page import page
from corteval.report.site import site
from corteval.score import Provenance
from corteval.stats.board import Board

__all__ = ["browser", "opened"]  # fixtures


@pytest.fixture
def written(tmp_path):
    def write(*contents):
        paths = []
        for n, content in enumerate(contents):
            paths.append(tmp_path / f"map{n}.json")
            paths[-1].write_text(json.dumps(content))
        return paths

    return write


def board(*more):
    scores = [score(m, f"Toy.{r}", 0.3) for m in ("net", "other") for r in ("V4", "IT")]
    return Gathered(board=Board.of([*scores, *more]), history={})


def shown(path, made, **options):
    curves, _ = layer_curves_of([path], made.board)
    return page(made, layers=curves, **options)


def test_a_curve_has_every_layer_as_a_table_and_says_what_was_chosen(written):
    curves, left_out = layer_curves_of(written(layer_map()), board().board)
    assert [(c.model, c.region) for c in curves] == [("net", "IT"), ("net", "V4")] and not left_out
    it = curves[0]
    assert it.header == ("Layer", "Units", "Toy.IT", "")
    assert it.rows == (
        ("conv1", "0", ".200 (.100 to .300)", ""),
        ("conv2", "10", ".400 (.300 to .500)", "chosen"),
        ("fc", "20", "failed: too large", ""),
    )
    assert it.caption.startswith("IT of net, chosen on Toy.IT among 3 layers: conv2.")
    assert "a diamond: .350 on Toy.IT" in it.caption and "may be of other layers" in it.caption


def test_points_of_a_curve_stand_where_their_scores_are(written):
    layers = [f"conv{n}" for n in range(6)]
    values = [0.1, 0.3, 0.8, 0.6, 0.5, 0.2]
    content = layer_map(regions=("V4",), layers={"V4": "conv2"}, reported=[])
    content["candidates"] = [{"layer": name, "units": 1} for name in layers]
    made = [layer_score(name, v) for name, v in zip(layers, values, strict=True)]
    content["selection"]["V4"]["scores"] = made
    (curve,), _ = layer_curves_of(written(content), board().board)
    (line,) = re.findall(r'<polyline class="curve g1" points="([^"]+)"', curve.chart)
    places = np.array([[float(v) for v in pair.split(",")] for pair in line.split()])
    assert np.corrcoef(places[:, 1], values)[0, 1] == pytest.approx(-1, abs=1e-4)
    np.testing.assert_allclose(np.diff(places[:, 0]), np.diff(places[:, 0])[0], atol=0.11)
    (ring,) = re.findall(r'class="ring g1" cx="([\d.]+)" cy="([\d.]+)"', curve.chart)
    assert [float(v) for v in ring] == [*places[2]]


def test_curves_of_several_benchmarks_have_a_legend_and_one_has_none(written):
    one = layer_map(regions=("V4",))
    two = json.loads(json.dumps(one))
    two["selection"]["V4"]["scores"] += [layer_score("conv1", 0.2, "Toy.<V4>")]
    two["selection"]["V4"]["benchmarks"].append({"identifier": "Toy.<V4>"})
    charts = [layer_curves_of([p], board().board)[0][0].chart for p in written(one, two)]
    assert [chart.count(">Toy.V4<") for chart in charts] == [0, 1]
    assert ">Toy.&lt;V4&gt;</text>" in charts[1]


def test_a_score_that_was_made_with_the_map_is_known_by_its_digest(written):
    (path,) = written(layer_map())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with_map = Provenance(options={"models/net": f"layers='V4=conv2 (map {digest})'"})
    made = board(replace(score("net", "Toy.V4", 0.3), provenance=with_map))
    curves, _ = layer_curves_of([path], made.board)
    assert [c.used for c in curves] == [(), ("Toy.V4",)]
    assert "was made with this map on Toy.V4" in curves[1].caption


def test_maps_of_models_that_are_not_on_the_page_are_left_out_and_told(written):
    curves, left_out = layer_curves_of(written(layer_map("stranger")), board().board)
    assert curves == [] and len(left_out) == 1 and "stranger has no score" in left_out[0]


def test_curves_on_private_data_are_left_out_unless_asked_for(written):
    own = {"factory": "toy:build", "licence": "MIT", "summary": ""}
    hidden = DataCard(identifier="ToyPrivate2026", access="private", **own)
    card = BenchmarkCard(identifier="Toy.V4", data=("ToyPrivate2026",), **own)
    paths = written(layer_map(regions=("V4",)))
    with registry.data.temporary(hidden), registry.benchmarks.temporary(card):
        curves, left_out = layer_curves_of(paths, board().board)
        asked, _ = layer_curves_of(paths, board().board, private=True)
    assert (len(curves), len(asked)) == (0, 1) and "private data" in left_out[0]


def test_what_is_no_map_or_too_much_is_refused(written, tmp_path):
    (bad,) = written({"schema": "else"})
    with pytest.raises(OptionError, match="holds no scores of layers"):
        layer_curves_of([bad], board().board)
    with pytest.raises(OptionError, match="no such file"):
        layer_curves_of([tmp_path / "none.json"], board().board)
    many = written(layer_map()) * (MOST_CURVES // 2 + 1)
    with pytest.raises(OptionError, match=f"{MOST_CURVES} do"):
        layer_curves_of(many, board().board)


def test_page_and_site_show_them_and_a_page_without_maps_has_no_word_of_layers(written):
    (path,) = written(layer_map())
    made = board()
    source = shown(path, made)
    assert source.count('<figure class="wide layers"') == 2 and "conv2 . chosen" not in source
    assert "IT of net, chosen on Toy.IT" in text_of(source)
    curves, _ = layer_curves_of([path], made.board)
    pages = site(made, layers=curves)
    assert "V4 of net" in text_of(pages["models/net.html"])
    assert "Layers" not in text_of(pages["models/other.html"])
    assert 'id="layers"' not in page(made) and shown(path, made) == source


def test_hostile_names_of_layers_are_text(written):
    content = layer_map(regions=("V4",), layers={"V4": HOSTILE[0]}, reported=[])
    content["candidates"] = [{"layer": name, "units": 1} for name in HOSTILE]
    content["selection"]["V4"]["scores"] = [layer_score(name, 0.5) for name in HOSTILE]
    (path,) = written(content)
    source = shown(path, board())
    assert source.count("<script") == 3 and "<img" not in source and "\u202e" not in source


def test_a_layer_alone_and_layers_without_scores_are_drawn(written):
    content = layer_map(regions=("V4",), layers={}, reported=[])
    lost = [layer_score("conv1", None, status="failed"), layer_score("conv2", math.pi)]
    content["selection"]["V4"]["scores"] = lost
    (curve,), _ = layer_curves_of(written(content), board().board)
    assert "among 2 layers: none." in curve.caption and "polyline" not in curve.chart
    content["selection"]["V4"]["scores"] = lost[:1]
    (curve,), _ = layer_curves_of(written(content), board().board)
    assert "×" in curve.chart and curve.rows[0][2] == "failed"


def test_the_command_takes_maps(written, tmp_path, capsys):
    file, out = tmp_path / "scores.jsonl", tmp_path / "board.html"
    file.write_text("\n".join(s.to_json() for s in board().board.scores.values()))
    maps = [a for p in written(layer_map(), layer_map("stranger")) for a in ("--layers", str(p))]
    assert main(["report", "--from", str(file), "--output", str(out), *maps]) == 0
    assert "stranger has no score on this page" in capsys.readouterr().err
    assert out.read_text().count('<figure class="wide layers"') == 2


@BROWSER
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_a_cell_opens_to_its_curve_and_nobody_is_shut_out(opened, written, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    (path,) = written(layer_map())
    view = {"width": width, "height": 800}
    source = shown(path, board())
    made = opened(source, viewport=view, color_scheme=scheme, bypass_csp=True)
    made.tab.click("td[data-at='0,0']")
    assert made.tab.locator("#detail figure svg").count() == 1
    assert "IT of net" in made.tab.inner_text("#detail figcaption")
    made.tab.click("#detail summary")
    assert "too large" in made.tab.inner_text("#detail table")
    found = axe.Axe().run(made.tab).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    assert made.tab.evaluate("document.documentElement.scrollWidth") <= width
    made.tab.click("#close")
    made.tab.evaluate("document.querySelector(\"td[data-at='1,0']\").click()")
    assert made.tab.locator("#detail figure").count() == 0 and made.said == []


def test_curves_take_little_of_a_page(written):
    layers = [f"blocks.{n}.attention.output" for n in range(64)]
    content = layer_map(regions=("V4",), layers={"V4": layers[9]}, reported=[])
    content["candidates"] = [{"layer": name, "units": 1} for name in layers]
    content["selection"]["V4"]["scores"] = [layer_score(n, 0.5) for n in layers]
    (path,) = written(content)
    assert (
        len(shown(path, gathered([score("net", "Toy.V4")])))
        < len(page(gathered([score("net", "Toy.V4")]))) + 30_000
    )
