import json
import zlib
from dataclasses import replace
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corteval import hooks, layers, registry, settings
from corteval import store as stores
from corteval.assembly import neural
from corteval.cards import BenchmarkCard, DataCard, ModelCard
from corteval.cli import main
from corteval.errors import AssemblyError, OptionError, UndefinedScore
from corteval.layer_map import read_map, with_map
from corteval.layer_names import blocks_of_layers, layers_named
from corteval.model import ANY_TARGET, LayerCommitment, record
from corteval.scoring import score
from corteval.stimuli import StimulusSet
from corteval.stimulus_part import StimulusPart
from corteval.testing import toys

#: Layer -> standard deviation of the noise that covers what the neurons respond to.
NOISE = {"stem": 3.0, "body.early": 0.05, "body.twin": 0.05, "head": 1.0}


class Stack:
    """Layers that see the patches of the toy data, each through noise of its own.

    Like an engine with a store, it records layers alongside the one asked for, and a pass fails if
    one of them cannot be recorded.
    """

    def __init__(self, broken=(), act=None):
        self.broken, self.act = set(broken), act or {}
        self.passes, self.held, self.alongside = [], set(), ()

    def layer_names(self):
        return list(NOISE)

    def recording_alongside(self, names):
        other = Stack(self.broken, self.act)
        other.passes, other.held, other.alongside = self.passes, self.held, tuple(names)
        return other

    def units(self, layer):
        if layer not in NOISE:
            raise KeyError(layer)
        return {"neuroid_id": np.array([f"{layer}.{n}" for n in range(72)])}

    def __call__(self, stimuli, wanted):
        (layer,) = wanted
        self.act.get(layer, lambda: None)()
        shown = tuple(stimuli.stimulus_ids)
        if (layer, shown) not in self.held:
            recorded = {layer, *self.alongside}
            self.passes.append((sorted(recorded), len(shown)))
            if recorded & self.broken:
                raise AssemblyError(f"NaN in {', '.join(sorted(recorded & self.broken))}")
            self.held |= {(name, shown) for name in recorded}
        patches = toys.Patches()
        clean = [b["x"][0] for b in patches(stimuli, {"x": np.arange(72)})]
        for stimulus_id, row in zip(shown, clean, strict=True):
            seed = zlib.crc32(f"{stimulus_id} {layer.replace('twin', 'early')}".encode())
            noise = NOISE[layer] * np.random.default_rng(seed).standard_normal(72)
            yield {layer: (row + noise)[None, wanted[layer]]}


def stack(**options):
    return LayerCommitment(
        identifier="stack", extractor=Stack(**options), layers={"IT": "stem"}, visual_degrees=8.0
    )


class Records:
    """The toy data with another draw of noise, and on demand with other responses."""

    def __init__(self, seed=3, spoilt=None, grouped=False, trials=8):
        self.seed, self.spoilt, self.grouped, self.trials = seed, spoilt, grouped, trials

    def stimuli(self):
        return toys.ToyData().stimuli()

    def assembly(self):
        made = toys.ToyData().assembly()
        rng = np.random.default_rng(self.seed)
        values = (made.values + 0.1 * rng.standard_normal(made.shape))[:, :, : self.trials]
        if self.spoilt is not None:
            rows = np.flatnonzero(np.isin(made["stimulus_id"].values, self.spoilt))
            values[rows] = values[rng.permutation(rows)]
        story = [f"story-{n % 6}" for n in range(60)]
        further = {"story": story} if self.grouped else {}
        names = {"neuroid_id": made["neuroid_id"].values}
        return neural(values, made["stimulus_id"].values, names, presentation=further)


class OtherPictures(Records):
    def stimuli(self):
        return _other_pictures()

    def assembly(self):
        responses = record(toys.vision(), self.stimuli(), "IT").values
        rng = np.random.default_rng(9)
        signal = responses @ rng.standard_normal((72, 12))
        signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
        trials = signal[:, :, None] + rng.standard_normal((*signal.shape, 8))
        names = {"neuroid_id": [f"other-{n}" for n in range(12)]}
        return neural(trials, self.stimuli().stimulus_ids, names)


@cache
def _other_pictures():
    pictures = toys.images(60, seed=77)
    table = pictures.table.rename(index=lambda i: f"other-{i}")
    return replace(pictures, table=table, images=Renamed(pictures))


class Renamed:
    def __init__(self, stimuli):
        self.stimuli = stimuli

    def __call__(self, stimulus_id):
        return self.stimuli.image(stimulus_id.removeprefix("other-"))


class Whole:
    """A benchmark that cannot be divided."""

    def __init__(self, card):
        self.card = card
        self.inner = registry.benchmarks.create("ToyData.IT-predictivity")

    def requests(self):
        return self.inner.requests()

    def ceiling(self):
        return self.inner.ceiling()

    def __call__(self, model):
        return self.inner(model)


DATA = DataCard(identifier="Records", factory=f"{__name__}:Records", summary="s", licence="MIT")
OTHER = replace(DATA, identifier="Other", factory=f"{__name__}:OtherPictures")
MODEL = ModelCard(identifier="stack", factory=f"{__name__}:stack", summary="s", licence="MIT")
ON_RECORDS = replace(toys.BENCHMARK, identifier="Records.IT-predictivity", data=("Records",))
ON_OTHER = replace(toys.BENCHMARK, identifier="Other.IT-predictivity", data=("Other",))
ON_V4 = replace(toys.BENCHMARK, identifier="ToyData.V4-predictivity", target="V4")
UNDIVIDED = BenchmarkCard(
    identifier="ToyData.IT-whole", factory=f"{__name__}:Whole", summary="s", licence="MIT",
    data=("ToyData",), target="IT",
)  # fmt: skip
TOY = "ToyData.IT-predictivity"


@pytest.fixture(autouse=True)
def plugins(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "_flags", {})
    monkeypatch.chdir(tmp_path)
    with toys.registered(), registry.data.temporary(DATA, OTHER):
        with registry.benchmarks.temporary(ON_RECORDS, ON_OTHER, ON_V4, UNDIVIDED):
            with registry.models.temporary(MODEL):
                yield


@pytest.fixture
def run(capfd):
    def run(*arguments):
        code = main(["layers", *arguments])
        return code, *capfd.readouterr()

    return run


def searched(model, *benchmarks, **options):
    search = layers.prepare(model, benchmarks, **options)
    scores = list(layers.scores_of(search))
    choices = layers.choose(search, scores)
    return search, scores, choices, list(layers.reports_of(search, choices))


def values(scores):
    return {found.layer: found.score.value for found in scores}


def chosen(choices):
    return {choice.target: choice.layer for choice in choices}


def halves(stimuli, assembly, **options):
    part = StimulusPart(**options)
    return part.of(stimuli, assembly), replace(part, which="report").of(stimuli, assembly)


class TestPart:
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
    def test_parts_are_disjoint_and_together_everything(self, share):
        data = toys.ToyData()
        first, second = halves(data.stimuli(), data.assembly(), share=share)
        assert sorted([*first, *second]) == sorted(data.stimuli().stimulus_ids)
        assert len(first) == round(60 * share)

    def test_another_seed_divides_otherwise(self):
        data = toys.ToyData()
        drawn = {tuple(halves(data.stimuli(), data.assembly(), seed=s)[0]) for s in range(5)}
        assert len(drawn) == 5

    def test_neither_order_nor_names_of_stimuli_matter(self):
        data = toys.ToyData()
        stimuli, assembly = data.stimuli(), data.assembly()
        first, _ = halves(stimuli, assembly)
        turned = stimuli.select(stimuli.stimulus_ids[::-1])
        assert set(halves(turned, assembly)[0]) == set(first)
        table = stimuli.table.rename(index=lambda i: f"other-{i}")
        renamed = replace(stimuli, table=table, images=Renamed(stimuli))
        with_names = assembly.assign_coords(
            stimulus_id=("presentation", [f"other-{i}" for i in assembly["stimulus_id"].values])
        )
        assert halves(renamed, with_names)[0] == [f"other-{i}" for i in first]

    def test_stimuli_of_one_group_are_not_divided(self):
        data = Records(grouped=True)
        first, second = halves(data.stimuli(), data.assembly(), together=("topic", "story"))
        story = dict(
            zip(data.assembly()["stimulus_id"].values, data.assembly()["story"].values, strict=True)
        )
        assert len({story[i] for i in first}) == len({story[i] for i in second}) == 3
        assert not {story[i] for i in first} & {story[i] for i in second}

    def test_a_coordinate_without_differences_keeps_nothing_together(self):
        data = toys.ToyData()
        assembly = data.assembly().assign_coords(block=("presentation", ["only"] * 60))
        assert len(halves(data.stimuli(), assembly, together=("block",))[0]) == 30

    def test_equal_images_are_not_divided(self):
        ids = [f"s{n}" for n in range(12)]
        picture = {i: np.full((4, 4), n // 2, np.uint8) for n, i in enumerate(ids)}
        table = pd.DataFrame(index=pd.Index(ids, name="stimulus_id"))
        stimuli = StimulusSet(
            identifier="pairs", modality="image", table=table, images=toys.Pictures(pixels=picture)
        )
        assembly = neural(np.zeros((12, 1)), ids, {"neuroid_id": ["n"]})
        first, _ = halves(stimuli, assembly)
        assert len(first) == 6
        assert {f"s{2 * (int(i[1:]) // 2)}" for i in first} <= set(first)

    def test_what_is_read_in_one_context_is_not_divided_and_words_may_recur(self):
        stimuli = toys.passages()
        table = stimuli.table.assign(text="the")
        stimuli = replace(stimuli, table=table)
        assembly = neural(np.zeros((9, 1)), stimuli.stimulus_ids, {"neuroid_id": ["n"]})
        first, second = halves(stimuli, assembly)
        assert {len(first), len(second)} == {3, 6}
        assert not set(table["context_id"][first]) & set(table["context_id"][second])

    def test_stimuli_that_all_belong_together_are_refused(self):
        stimuli = toys.passages()
        stimuli = replace(stimuli, table=stimuli.table.assign(context_id="one"))
        assembly = neural(np.zeros((9, 1)), stimuli.stimulus_ids, {"neuroid_id": ["n"]})
        with pytest.raises(OptionError, match=r"cannot be divided: its 9 stimuli .* context_id"):
            halves(stimuli, assembly)

    def test_impossible_parts_are_refused(self):
        with pytest.raises(OptionError, match=r"between 0 and 1 .* not 1\.0"):
            StimulusPart(share=1.0)
        with pytest.raises(OptionError, match="'selection' and 'report'"):
            StimulusPart(which="test")

    def test_a_benchmark_on_a_part_computes_score_and_ceiling_on_it_alone(self):
        whole = registry.benchmarks.create(TOY)
        half = whole.on(StimulusPart())
        kept = half.stimuli().stimulus_ids
        assembly = toys.ToyData().assembly()
        assembly = assembly.isel(presentation=np.isin(assembly["stimulus_id"].values, kept))
        by_hand = toys.Predictivity()(
            record(toys.vision(), half.stimuli(), "IT"), assembly.mean("trial", keep_attrs=True)
        )
        found = score(toys.vision(), half)
        assert found.raw.value == by_hand.raw.value
        assert found.ceiling.value == toys.Reliability()(assembly).value
        assert "on 30 of 60 stimuli" in " ".join(found.notes)
        assert found.provenance.digests["stimuli"] == half.stimuli().digest()

    def test_groups_that_the_metric_is_told_of_hold_for_the_part(self):
        registry.data.add(replace(DATA, options={"grouped": True}), replace=True)
        options = {"cross_validation": {"group_by": "story"}}
        built = registry.benchmarks.create("Records.IT-predictivity", metric_options=options)
        half = built.on(StimulusPart())
        story = [int(i.removeprefix("image-")) % 6 for i in half.stimuli().stimulus_ids]
        assert sorted(np.unique(story, return_counts=True)[1]) == [10, 10, 10]


class TestNames:
    NAMES = ("conv1", "bn1", *(f"layer{s}.{b}.{x}" for s in "1234" for b in "01"
             for x in ("conv1", "bn1", "act1", "conv2", "act2")), "pool", "fc")  # fmt: skip

    def test_by_default_the_last_layer_of_each_block_is_compared(self):
        blocks = [f"layer{s}.{b}.act2" for s in "1234" for b in "01"]
        assert blocks_of_layers(self.NAMES) == ["conv1", "bn1", *blocks, "pool", "fc"]

    def test_blocks_are_looked_for_deeper_in_a_network_inside_another(self):
        inside = [f"model.net.{name}" for name in self.NAMES]
        expected = [f"model.net.{name}" for name in blocks_of_layers(self.NAMES)]
        assert blocks_of_layers(inside) == expected

    def test_with_very_many_blocks_whole_stages_are_compared(self):
        names = [f"stage{s}.{b}.act" for s in range(4) for b in range(30)]
        assert blocks_of_layers(names) == [f"stage{s}.29.act" for s in range(4)]

    def test_a_network_without_blocks_is_compared_whole(self):
        assert blocks_of_layers(["conv", "relu", "fc"]) == ["conv", "relu", "fc"]

    def named(self, text):
        class Known:
            def units(self, layer):
                if not layer.startswith(("conv", "layer", "fc")) or "nothing" in layer:
                    raise KeyError(layer)
                return {"neuroid_id": np.array(["a"])}

        return layers_named(text, self.NAMES, Known(), "net")

    def test_patterns_stand_for_layers_in_the_order_of_computing(self):
        assert self.named("fc,layer1.0.act?,conv1,fc") == [
            "conv1", "layer1.0.act1", "layer1.0.act2", "fc",
        ]  # fmt: skip

    def test_a_pattern_that_no_layer_matches_stands_for_blocks(self):
        assert self.named("layer4,layer3.?") == ["layer3.0", "layer3.1", "layer4"]

    def test_time_steps_and_elements_are_named_in_full(self):
        assert self.named("fc,layer2.0-t1,conv1[0]") == ["conv1[0]", "layer2.0-t1", "fc"]

    def test_an_unknown_layer_is_answered_with_close_matches(self):
        with pytest.raises(OptionError, match=r"net has no layer 'pol'. Did you mean pool"):
            self.named("conv1,pol")
        with pytest.raises(OptionError, match="'nothing\\*'"):
            self.named("nothing*")


class TestSelection:
    def test_the_best_layer_is_chosen_and_reported_on_the_other_part(self):
        search, scores, choices, (report,) = searched(stack(), TOY)
        found = values(scores)
        assert chosen(choices) == {"IT": "body.early"}
        assert max(found, key=found.get) == "body.early"
        half = registry.benchmarks.create(TOY).on(StimulusPart(which="report"))
        by_hand = score(replace(stack(), layers={"IT": "body.early"}), half)
        assert report.value == by_hand.value
        assert report.value != found["body.early"]
        (question,) = search.questions
        seen, reported = (b.stimuli().stimulus_ids for b in (question.chosen_on[0],
                                                             question.reported_on[0]))  # fmt: skip
        assert not set(seen) & set(reported)

    def test_of_equal_layers_the_earlier_is_chosen(self):
        _, scores, choices, _ = searched(stack(), TOY)
        assert values(scores)["body.early"] == values(scores)["body.twin"]
        assert chosen(choices) == {"IT": "body.early"}

    def test_choosing_never_sees_the_responses_that_are_reported(self):
        part = registry.benchmarks.create(TOY).on(StimulusPart(which="report"))
        spoilt = replace(DATA, options={"spoilt": part.stimuli().stimulus_ids})
        _, before, choices, (report,) = searched(stack(), "Records.IT-predictivity")
        registry.data.add(spoilt, replace=True)
        _, after, again, (spoilt_report,) = searched(stack(), "Records.IT-predictivity")
        assert values(after) == values(before)
        assert chosen(again) == chosen(choices)
        assert spoilt_report.raw.value < report.raw.value - 0.2

    def test_one_pass_records_all_layers_of_a_part(self):
        model = stack()
        searched(model, TOY)
        assert model.extractor.passes == [(sorted(NOISE), 30), (["body.early"], 30)]

    def test_another_data_set_may_choose_and_then_all_stimuli_are_reported(self):
        _, scores, choices, (report,) = searched(stack(), TOY, select_on=["Other.IT-predictivity"])
        assert {found.benchmark for found in scores} == {"Other.IT-predictivity"}
        best = replace(stack(), layers={"IT": chosen(choices)["IT"]})
        assert report.value == score(best, TOY).value
        assert report.benchmark == TOY
        assert "may be too high" not in " ".join(report.notes)

    def test_stimuli_that_choice_and_report_share_are_told(self):
        *_, (report,) = searched(stack(), TOY, select_on=["Records.IT-predictivity"])
        assert any("seen 60 of these stimuli" in note for note in report.notes)
        *_, (report,) = searched(stack(), TOY, select_on=["ToyData.IT-whole"])
        assert any("is not known" in note for note in report.notes)

    def test_benchmarks_of_one_target_choose_together_by_their_mean(self):
        benchmarks = [TOY, "Other.IT-predictivity"]
        _, scores, choices, reports = searched(stack(), *benchmarks)
        mean = {c: np.mean([s.score.value for s in scores if s.layer == c]) for c in NOISE}
        (choice,) = choices
        assert choice.layer == max(mean, key=mean.get)
        assert choice.mean == pytest.approx(mean[choice.layer], rel=1e-12)
        assert len(reports) == 2

    def test_each_target_has_its_own_layer_in_one_map(self):
        model = replace(stack(), layers={"V4": "head"})
        _, _, choices, reports = searched(model, TOY, "ToyData.V4-predictivity")
        assert chosen(choices) == {"IT": "body.early", "V4": "body.early"}
        assert [r.benchmark.split("-")[0] for r in reports] == ["ToyData.IT", "ToyData.V4"]
        assert model.extractor.passes[0] == (sorted(NOISE), 30)
        assert len(model.extractor.passes) == 2  # both targets show the same stimuli

    @pytest.mark.parametrize("broken", [{"stem"}, {"body.twin"}, {"stem", "head"}])
    def test_a_layer_that_cannot_be_recorded_fails_alone(self, broken):
        _, scores, choices, (report,) = searched(stack(broken=broken), TOY)
        assert [s.layer for s in scores] == list(NOISE)
        assert {s.layer for s in scores if s.score.status == "failed"} == broken
        assert all("NaN in" in s.score.reason for s in scores if s.layer in broken)
        assert chosen(choices) == {"IT": "body.early"}
        assert report.status == "scored"
        _, sound, *_ = searched(stack(), TOY)
        kept = {layer: v for layer, v in values(sound).items() if layer not in broken}
        assert {c: v for c, v in values(scores).items() if c not in broken} == kept

    def test_if_every_layer_fails_none_is_chosen(self):
        _, scores, choices, reports = searched(stack(broken=NOISE), TOY)
        assert {s.score.status for s in scores} == {"failed"}
        assert (choices, reports) == ([], [])

    def test_a_layer_without_all_its_scores_is_not_chosen(self):
        search = layers.prepare(stack(), [TOY, "Other.IT-predictivity"])
        scores = [s for s in layers.scores_of(search) if s.layer != "body.early"
                  or s.benchmark == TOY]  # fmt: skip
        assert chosen(layers.choose(search, scores)) == {"IT": "body.twin"}

    def test_responses_to_store_are_counted(self):
        search = layers.prepare(stack(), [TOY, "ToyData.V4-predictivity"])
        assert layers.bytes_to_store(search) == 4 * 4 * 72 * 30

    def test_without_a_store_a_temporary_one_is_in_force(self):
        with layers.shelf(keep=False) as folder:
            assert stores.active().folder == folder
            assert folder.is_dir()
        assert not folder.exists()
        with stores.using(None), layers.shelf() as folder:
            assert stores.active().folder == folder
        with layers.shelf() as folder:
            assert folder == settings.home() / "store"

    @pytest.mark.parametrize(
        ("benchmarks", "options", "message"),
        [
            (["ToyData.IT-whole"], {}, r"cannot be computed on a part .* --select-on"),
            ([TOY], {"select_on": [TOY]}, "cannot both choose and be reported"),
            ([TOY], {"select_on": ["ToyData.V4-predictivity"]}, "IT is reported, but no"),
            ([TOY], {"select_on": ["Records.IT-predictivity", "ToyData.V4-predictivity"]},
             "a layer of V4, which is not reported"),
            ([TOY], {"layers": "body.erly"}, "Did you mean body.early"),
            ([TOY], {"layers": "stem", "every": True}, "not both"),
            ([TOY], {"features": 3}, "no reduced()"),
            ([TOY], {"share": 2.0}, "between 0 and 1"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_refused_before_anything_is_computed(
        self, benchmarks, options, message
    ):
        model = stack()
        with pytest.raises(OptionError, match=message):
            layers.prepare(model, benchmarks, **options)
        assert model.extractor.passes == []

    def test_a_model_that_cannot_list_its_layers_is_refused(self):
        with pytest.raises(OptionError, match="layers of toy-vision cannot be listed: its Patches"):
            layers.prepare("toy-vision", [TOY])

    def test_a_part_without_a_ceiling_is_told_before_layers_are_scored(self):
        registry.data.add(replace(DATA, options={"trials": 1}), replace=True)
        with pytest.raises(UndefinedScore, match=r"Records.IT-predictivity: .*two trials"):
            layers.prepare(stack(), ["Records.IT-predictivity"])

    def test_layers_are_chosen_by_raw_scores_where_the_card_names_no_ceiling(self):
        bare = replace(toys.BENCHMARK, identifier="ToyData.IT-bare", ceiling=None)
        with registry.benchmarks.temporary(bare):
            _, scores, choices, (report,) = searched(stack(), "ToyData.IT-bare")
        _, normalised, *_ = searched(stack(), TOY)
        assert values(scores) == {s.layer: s.score.raw.value for s in normalised}
        assert chosen(choices) == {"IT": "body.early"}
        assert (report.normalization, report.value) == ("", report.raw.value)


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


def read_map_here():
    return read_map(Path("map.json"))


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
