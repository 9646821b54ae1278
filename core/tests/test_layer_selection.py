"""Layers are chosen on one part of the stimuli, by name or by score."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from core.tests.layered_stack import (
    DATA,
    NOISE,
    TOY,
    Records,
    Renamed,
    chosen,
    halves,
    searched,
    stack,
    values,
)
from core.tests.layered_stack import plugins as plugins

from corteval import layers, registry, settings
from corteval import store as stores
from corteval.assembly import neural
from corteval.errors import OptionError, UndefinedScore
from corteval.layer_names import blocks_of_layers, layers_named
from corteval.model import record
from corteval.scoring import score
from corteval.stimuli import StimulusSet
from corteval.stimulus_part import StimulusPart
from corteval.testing import toys


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
