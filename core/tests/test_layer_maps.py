"""Maps of chosen layers: written, read, drawn, and found by search over the network."""

import json
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from core.tests.layered_stack import (
    MODEL,
    NOISE,
    TOY,
    Stack,
    read_map_here,
    searched,
    stack,
    values,
)
from core.tests.layered_stack import plugins as plugins
from core.tests.layered_stack import run as run

from corteval import hooks, registry
from corteval import store as stores
from corteval.cli import main
from corteval.layer_map import with_map
from corteval.model import ANY_TARGET
from corteval.scoring import score
from corteval.stimulus_part import StimulusPart


class TestMap:
    def write(self, run, *arguments):
        code, _, err = run("stack", TOY, "--output", "map.json", *arguments)
        assert code == 0, err
        return json.loads(Path("map.json").read_text())

    def test_a_map_holds_what_led_to_it(self, run):
        content = self.write(run, "--seed", "4")
        assert content["schema"] == "corteval.layer-map/1"
        assert (content["model"], content["layers"]) == ("stack", {"IT": "body.early"})
        selection = content["selection"]["IT"]
        (benchmark,) = selection["benchmarks"]
        assert benchmark["part"]["seed"] == 4
        assert (benchmark["stimuli"], benchmark["data"]) == (30, ["ToyData"])
        assert benchmark["cards"]["benchmarks/ToyData.IT-predictivity"] == 1
        half = registry.benchmarks.create(TOY).on(StimulusPart(seed=4))
        assert benchmark["digests"]["stimuli"] == half.stimuli().digest()
        _, scores, *_ = searched(stack(), TOY, seed=4)
        assert {s["layer"]: s["value"] for s in selection["scores"]} == values(scores)
        assert content["reported"][0]["status"] == "scored"
        assert "numpy" in content["versions"]
        assert [*Path().iterdir()] == [Path("map.json")]

    def test_score_uses_the_layers_of_a_map_and_says_so(self, run, capfd):
        self.write(run)
        assert main(["score", "stack", f"{TOY},Other.IT-predictivity", "--layers", "map.json",
                     "--json"]) == 0  # fmt: skip
        first, other = json.loads(capfd.readouterr().out)
        model = replace(stack(), layers={"IT": "body.early"})
        assert first["value"] == score(model, TOY).value
        assert first["model"] == "stack (modified)"
        digest = sha256(Path("map.json").read_bytes()).hexdigest()
        assert digest in first["provenance"]["options"]["models/stack"]
        assert "IT=body.early" in first["provenance"]["options"]["models/stack"]
        assert "models/stack" in first["provenance"]["cards"]
        assert any("chosen on data of ToyData" in note for note in first["notes"])
        assert not any("chosen on data" in note for note in other["notes"])

    def test_targets_without_a_layer_in_the_map_stay_and_that_is_said(self, run, capfd):
        self.write(run)
        any_target = replace(stack(), layers={"V4": "head"})
        changed = with_map(any_target, read_map_here())
        assert changed.layers == {"V4": "head", "IT": "body.early"}
        registry.models.add(replace(MODEL, options={"act": None}), replace=True)
        assert main(["score", "stack", "ToyData.V4-predictivity", "--layers", "map.json"]) == 0
        assert "not-applicable" in capfd.readouterr().out

    def test_another_models_map_is_refused(self, run, capfd):
        self.write(run)
        assert main(["score", "toy-vision", TOY, "--layers", "map.json"]) == 2
        assert "map is of stack, not of toy-vision" in capfd.readouterr().err
        assert main(["score", "stack,toy-vision", TOY, "--layers", "map.json"]) == 2
        assert "a map is of one model" in capfd.readouterr().err

    @pytest.mark.parametrize(
        "text",
        ["", "[]", "{}", '{"schema": "corteval.layer-map/1"}',
         '{"schema": "corteval.layer-map/1", "model": "stack", "layers": {"IT": 3},'
         ' "fingerprint": null, "selection": {}}'],
    )  # fmt: skip
    def test_a_malformed_map_is_refused(self, text, capfd):
        Path("bad.json").write_text(text)
        assert main(["score", "stack", TOY, "--layers", "bad.json"]) == 2
        assert "bad.json is no layer map" in capfd.readouterr().err

    def test_a_map_of_a_layer_that_is_gone_is_refused(self, run, capfd):
        content = self.write(run)
        content["layers"]["IT"] = "gone"
        Path("map.json").write_text(json.dumps(content))
        assert main(["score", "stack", TOY, "--layers", "map.json"]) == 2
        assert "no layer 'gone' for IT" in capfd.readouterr().err

    def test_a_map_made_for_other_weights_is_a_note(self, run):
        content = self.write(run)
        content["fingerprint"] = "f" * 64
        Path("map.json").write_text(json.dumps(content))

        class Weighed(Stack):
            fingerprint = "e" * 64

            def described(self):
                return {}

        model = replace(stack(), extractor=Weighed())
        (note,) = with_map(model, read_map_here()).notes
        assert "made for other weights" in note
        content["fingerprint"] = "e" * 64
        Path("map.json").write_text(json.dumps(content))
        assert with_map(model, read_map_here()).notes == ()


class TestVerb:
    def test_a_table_shows_layers_in_order_with_the_chosen_one_marked(self, run):
        code, out, err = run("stack", TOY)
        assert code == 0, err
        title, _, *rows, blank, _, report = out.splitlines()
        assert title == "IT, chosen on ToyData.IT-predictivity (30 stimuli)"
        assert [row.split()[1] for row in rows] == list(NOISE)
        assert [row.split()[-1] for row in rows] == ["scored", "chosen", "scored", "scored"]
        assert (blank, report.split()[0]) == ("", "stack")
        assert "chosen among 4 layers" in err

    def test_json_has_a_schema_and_the_content_of_a_map(self, run):
        code, out, _ = run("stack", TOY, "--json")
        content = json.loads(out)
        assert (code, content["schema"]) == (0, "corteval.layers/1")
        assert content["layers"] == {"IT": "body.early"}
        assert content["interrupted"] is False

    def test_without_benchmarks_layers_are_listed(self, run):
        code, out, _ = run("stack")
        assert code == 0
        assert [line.split() for line in out.splitlines()[1:]] == [[n, "72"] for n in NOISE]

    def test_several_benchmarks_of_a_target_have_columns_and_a_mean(self, run):
        _, out, _ = run("stack", TOY, "Other.IT-predictivity", "--layers", "stem,body.early")
        header = out.splitlines()[1].split()
        assert header[3:] == [TOY, "Other.IT-predictivity", "mean", "status"]
        first = out.splitlines()[2].split()
        assert float(first[5]) == pytest.approx(
            np.mean([float(first[3]), float(first[4])]), abs=1e-4
        )

    def test_a_failing_layer_is_listed_with_the_reason_and_exits_3(self, run):
        registry.models.add(replace(MODEL, options={"broken": ["body.twin"]}), replace=True)
        code, out, err = run("stack", TOY, "--output", "map.json")
        assert code == 3
        (row,) = [line for line in out.splitlines() if "body.twin" in line]
        assert row.split()[-1] == "failed"
        assert "body.twin on ToyData.IT-predictivity: NaN in body.twin" in err
        assert json.loads(Path("map.json").read_text())["layers"] == {"IT": "body.early"}

    def test_no_layer_at_all_exits_1_and_writes_no_map(self, run):
        registry.models.add(replace(MODEL, options={"broken": list(NOISE)}), replace=True)
        code, _, err = run("stack", TOY, "--output", "map.json")
        assert code == 1
        assert "no layer of stack has a score for IT" in err
        assert [*Path().iterdir()] == []

    def test_ctrl_c_keeps_the_layers_that_are_done(self, run):
        def interrupted():
            raise KeyboardInterrupt

        registry.models.add(
            replace(MODEL, options={"act": {"body.twin": interrupted}}), replace=True
        )
        code, out, err = run("stack", TOY, "--output", "map.json")
        assert code == 130
        assert [line.split()[1] for line in out.splitlines()[2:] if line] == ["stem", "body.early"]
        assert "Interrupted: 2 of 4" in err
        assert [*Path().iterdir()] == []

    def test_progress_is_told_to_observers_cell_by_cell(self, run):
        heard = []

        class Listener:
            @hooks.hookimpl
            def corteval_score_finished(self, event):
                heard.append(event.model)

        with hooks.observing(Listener()):
            run("stack", TOY)
        assert heard == [*(f"stack [{name}]" for name in NOISE), "stack (modified)"]

    def test_much_to_store_is_announced_with_what_to_do(self, run, monkeypatch):
        from corteval.cli import layers as verb

        monkeypatch.setattr(verb, "_LARGE_BYTES", 1000)
        _, _, err = run("stack", TOY)
        assert "Up to 34.6 kB of responses of 4 layers will be stored in" in err
        assert "--features N" in err

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["stack,toy-vision", TOY], "Layers are chosen of one model"),
            (["stack", "--output", "map.json"], "Name benchmarks"),
            (["stack", TOY, "--plot", "curve.txt"], "ends in none of svg, png, pdf"),
            (["stack", TOY, "--output", "no/map.json"], "no folder"),
            ([TOY, "stack"], "The order is MODEL BENCHMARKS"),
        ],
    )
    def test_wrong_use_is_named(self, run, arguments, message):
        code, _, err = run(*arguments)
        assert code == 2
        assert message in err


class TestCurve:
    def test_without_matplotlib_the_way_to_get_it_is_told(self, run, monkeypatch):
        import sys

        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        code, _, err = run("stack", TOY, "--plot", "curve.svg")
        assert code == 2
        assert "pip install 'corteval[figures]'" in err

    def test_the_drawing_holds_the_scores_the_chosen_layer_and_what_is_reported(self):
        pytest.importorskip("matplotlib")
        from corteval.layer_curve import layer_curve

        search, scores, choices, reports = searched(stack(broken=["stem"]), TOY)
        figure = layer_curve(search, scores, choices, reports)
        (ax,) = figure.axes
        lines = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
        curve = lines[f"{TOY}, for choosing"]
        found = values(scores)
        np.testing.assert_array_equal(curve[1:, 1], [found[c] for c in list(NOISE)[1:]])
        assert np.isnan(curve[0, 1])
        assert lines["no score"][:, 0].tolist() == [0]
        assert lines["chosen: body.early"].tolist() == [[1, found["body.early"]]]
        (reported,) = [xy for label, xy in lines.items() if label.startswith("reported: ")]
        assert reported[0, 1] == reports[0].value
        assert [t.get_text() for t in ax.get_xticklabels()] == list(NOISE)

    @pytest.mark.parametrize("kind", ["svg", "png"])
    def test_files_are_written_whole_and_equal_runs_draw_equal_files(self, run, kind):
        pytest.importorskip("matplotlib")
        for name in ("a", "b"):
            code, _, err = run("stack", TOY, "--plot", f"{name}.{kind}")
            assert code == 0, err
        first, second = (Path(f"{name}.{kind}").read_bytes() for name in ("a", "b"))
        assert first == second
        assert first.startswith({"svg": b"<?xml", "png": b"\x89PNG"}[kind])


class TestNetwork:
    """With the extraction engine, if it is installed."""

    @pytest.fixture
    def network(self):
        torch = pytest.importorskip("torch")
        pytest.importorskip("corteval_pytorch")
        from torch import nn

        torch.manual_seed(0)
        widths = (3, 8, 16, 32)
        blocks = [
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.ReLU())
            for a, b in pairwise(widths)
        ]
        return nn.Sequential(*blocks, nn.Flatten(), nn.Linear(32 * 16, 10))

    def committed(self, network, size=32, **options):
        from corteval_pytorch import Preprocessing, commit

        return commit(
            network, Preprocessing(size=size), {ANY_TARGET: "0"}, identifier="net", **options
        )

    def test_all_layers_are_recorded_in_one_forward_pass(self, network, tmp_path):
        shown = []
        model = self.committed(network, batch_size=64)
        model.extractor.layer_names()  # shapes are seen once, with a grey image
        network[0].register_forward_hook(lambda m, i, out: shown.append(len(out)))
        with stores.using(stores.Store(tmp_path / "store")):
            search, scores, *_ = searched(model, TOY, every=True)
        assert len(scores) == len(search.candidates) == 8
        assert {s.score.status for s in scores} == {"scored"}
        assert shown.count(30) == 2  # the part to choose on with all layers, and the other part
        assert sum(n for n in shown if n > 1) == 60

    def test_a_layer_that_responds_with_nan_is_named_and_the_others_scored(self, network, tmp_path):
        import torch

        with torch.no_grad():
            network[4].bias[3] = float("nan")
        with stores.using(stores.Store(tmp_path / "store")):
            _, scores, choices, _ = searched(self.committed(network), TOY)
        failed = [s for s in scores if s.score.status == "failed"]
        assert [s.layer for s in failed] == ["4"]
        assert "responds with NaN" in failed[0].score.reason
        assert len(scores) > 3
        assert choices

    def test_fewer_features_may_be_kept_of_large_layers(self, network, tmp_path):
        with stores.using(stores.Store(tmp_path / "store")):
            search, _, _, (report,) = searched(self.committed(network), TOY, features=100)
        assert max(search.units.values()) == 100
        assert search.units["4"] == 10
        assert any("100 random projections" in note for note in report.notes)
        assert "sparse projection" in report.provenance.options["extraction"]

    @pytest.mark.slow
    def test_half_of_the_images_of_real_neurons_choose_and_the_other_half_is_reported(
        self, network, tmp_path, mirror
    ):
        pytest.importorskip("corteval_cowley2023_v4")
        model = self.committed(network)
        with stores.using(stores.Store(tmp_path / "store")):
            search, scores, _, (report,) = searched(model, "Cowley2023.V4-ridge")
        assert {s.score.status for s in scores} == {"scored"}
        assert [len(b.stimuli()) for q in search.questions for b in q.chosen_on] == [320]
        assert report.status == "scored"
        assert 0 < report.value < 1
        assert any("on 320 of 640 stimuli" in note for note in report.notes)
