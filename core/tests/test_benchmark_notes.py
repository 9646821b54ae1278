"""What a benchmark says of a card that asks for more than the data have."""

from dataclasses import replace

import numpy as np
import pytest

from corteval import registry
from corteval.assembly import neural
from corteval.benchmark import NeuralBenchmark
from corteval.cards import DataCard, MetricCard
from corteval.controls import absent_controls
from corteval.errors import AssemblyError, OptionError
from corteval.scoring import score
from corteval.testing import toys
from corteval.testing.subjects import ReplaySubject


class Unsized:
    """Responses of V4 units to images of unknown size, at an unknown time."""

    def stimuli(self):
        return toys.images(30, visual_degrees=None)

    def assembly(self):
        values = np.random.default_rng(0).standard_normal((30, 4, 5))
        values += np.random.default_rng(1).standard_normal((30, 4, 1))
        columns = {"neuroid_id": list("abcd"), "region": ["V4"] * 4}
        return neural(values, self.stimuli().stimulus_ids, columns)


CARD = replace(toys.BENCHMARK, identifier="Unsized.V4-predictivity", data=("Unsized",), target="V4")


@pytest.fixture(autouse=True)
def plugins():
    data = DataCard(identifier="Unsized", factory=f"{__name__}:Unsized", summary="", licence="MIT")
    answers = MetricCard(
        identifier="of-answers", factory="a:b", summary="", licence="MIT", takes="answers"
    )
    with toys.registered(), registry.data.temporary(data), registry.metrics.temporary(answers):
        yield


def notes(card=CARD, **options):
    made = NeuralBenchmark(card=card, **options)
    return score(ReplaySubject(responses=made.ideal_responses(0)), made).notes


class InScenes(Unsized):
    """The same, of ten scenes."""

    def assembly(self):
        scenes = [f"scene-{n // 3}" for n in range(30)]
        return super().assembly().assign_coords(scene=("presentation", scenes))


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 0),
        ({"drawn_together": "scene"}, 10),
        ({"drawn_together": "film"}, 0),
    ],
)
def test_metric_and_ceiling_draw_together_what_the_benchmark_says(options, count):
    data = DataCard(
        identifier="InScenes", factory=f"{__name__}:InScenes", summary="", licence="MIT"
    )
    with registry.data.temporary(data):
        made = NeuralBenchmark(card=replace(CARD, data=("InScenes",)), **options)
        found = score(ReplaySubject(responses=made.ideal_responses(0)), made)
        plain = NeuralBenchmark(card=replace(CARD, data=("InScenes",)))
        same = score(ReplaySubject(responses=plain.ideal_responses(0)), plain)
    drawn = f"{count} groups of stimuli" if count else "stimuli"
    assert found.interval.scope == f"{drawn}×neuroids"
    assert "jointly with the ceiling" in found.interval.method
    assert found.value == same.value and found.provenance.digests == same.provenance.digests
    above, below = (
        next(r for r in e.replicates if len(r.factors) == 1 and "stimuli" in r.scope)
        for e in (found.raw, found.ceiling)
    )
    assert (above.scope, above.draw) == (below.scope, below.draw)


def test_a_size_that_the_data_do_not_state_is_told():
    assert any("12 degrees are what the benchmark says" in n for n in notes(visual_degrees=12))
    assert not any("degrees" in n for n in notes())


def test_a_time_that_the_data_do_not_state_is_told():
    assert any("asked for 70-170 ms" in n for n in notes(time_bins=((70, 170),)))
    assert not any("asked for" in n for n in notes())


def test_a_target_that_no_neuroid_is_of_is_told():
    assert "the target is V7; the neuroids are of V4" in notes(replace(CARD, target="V7"))
    assert not any("the target is" in n for n in notes())


@pytest.mark.parametrize("bins", [(70, 170), ((70,),), "all"])
def test_time_bins_are_pairs(bins):
    with pytest.raises(OptionError, match="time_bins are pairs of start and end in ms"):
        NeuralBenchmark(card=CARD, time_bins=bins)


def test_a_metric_of_peoples_answers_is_refused_for_neurons():
    with pytest.raises(OptionError, match="of-answers compares answers of people"):
        NeuralBenchmark(card=replace(CARD, metric="of-answers"))


def test_metric_and_ceiling_cannot_be_exchanged():
    with pytest.raises(OptionError, match="toy-reliability is a ceiling, and stands where"):
        NeuralBenchmark(card=replace(CARD, metric="toy-reliability"))


@pytest.mark.parametrize("name", ["data", "controls"])
def test_a_text_where_a_tuple_belongs_is_named(name):
    with pytest.raises(OptionError, match=f"{name} is a tuple, such as"):
        NeuralBenchmark(card=replace(CARD, **{name: "Unsized"}))


def test_a_coordinate_that_neuroids_lack_is_named_with_those_they_have():
    with pytest.raises(
        AssemblyError, match="'area' along neuroid is missing; there are neuroid_id"
    ):
        notes(neuroids={"area": "V4"})


def test_controls_that_are_not_installed_are_named():
    card = replace(
        CARD, controls=("pixles", "{model}-untrained", "toy-vision", "nobody/{features}")
    )
    with registry.benchmarks.temporary(card):
        assert absent_controls([card.identifier]) == ["pixles", "nobody/{features}"]


def test_a_cell_that_failed_says_who_may_have_its_data():
    from corteval.scoring import failed

    with registry.benchmarks.temporary(CARD):
        made = failed("toy-vision", CARD.identifier, "refused")
    assert made.status == "failed"
    assert dict(made.provenance.access) == {"Unsized": "public"}
    assert failed("toy-vision", "Nobody.knows-it", "refused").provenance.access == {}
