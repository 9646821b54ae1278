import numpy as np
import pandas as pd
import pytest
import xarray as xr

import corteval
from corteval import hooks, registry
from corteval.assembly import neural
from corteval.benchmark import NeuralBenchmark
from corteval.cards import BenchmarkCard, DataCard, MetricCard, ModelCard
from corteval.errors import AssemblyError, OptionError, PluginError, UnsupportedRequest
from corteval.model import ANY_TARGET, LayerCommitment, ablation, perform, record
from corteval.requests import (
    Between,
    Label,
    OneOf,
    Probabilities,
    Recording,
    TimeBin,
    UnitFilter,
    as_json,
)
from corteval.score import Estimate, Score
from corteval.scoring import score, score_all
from corteval.stimuli import StimulusSet

FEATURES = 6
NOISE = 1.0


class Table:
    """An extractor that looks responses up."""

    def __init__(self, values, block=7):
        self.values = values
        self.block = block
        self.calls = []

    def units(self, layer):
        count = self.values.shape[1]
        return {
            "neuroid_id": np.array([f"{layer}-{n}" for n in range(count)]),
            "channel": np.arange(count),
        }

    def __call__(self, stimuli, wanted):
        self.calls.append({layer: units.tolist() for layer, units in wanted.items()})
        rows = [int(stimulus_id[1:]) for stimulus_id in stimuli.stimulus_ids]
        for start in range(0, len(rows), self.block):
            part = self.values[rows[start : start + self.block]]
            yield {layer: part[:, units] for layer, units in wanted.items()}


def stimuli(count=120):
    table = pd.DataFrame(
        {"text": ["x"] * count}, index=pd.Index([f"s{n}" for n in range(count)], name="stimulus_id")
    )
    return StimulusSet(identifier="toy", modality="text", table=table)


def subject(values, identifier="subject", layers=None, **fields):
    return LayerCommitment(
        identifier=identifier,
        extractor=Table(values),
        layers=layers or {ANY_TARGET: "layer"},
        modalities=frozenset({"text"}),
        **fields,
    )


def features(seed=0, count=120):
    return np.random.default_rng(seed).standard_normal((count, FEATURES)).astype(np.float32)


class Data:
    """Neurons that are a linear function of `features()`, with noise."""

    def stimuli(self):
        return stimuli()

    def assembly(self):
        rng = np.random.default_rng(1)
        signal = features() @ rng.standard_normal((FEATURES, 5)) / np.sqrt(FEATURES)
        trials = signal[:, :, None] + NOISE * rng.standard_normal((*signal.shape, 10))
        return neural(trials, stimuli().stimulus_ids, {"neuroid_id": list("abcde")})


class Correlation:
    """Mean correlation of units with neurons of the same number: a metric without fitting."""

    def __init__(self, seed=0):
        self.seed = seed

    def __call__(self, source, target):
        r = np.mean(
            [np.corrcoef(source[:, n], target[:, n])[0, 1] for n in range(target.sizes["neuroid"])]
        )
        return Score(value=r, raw=Estimate(value=float(r), quantity="correlation"))


class TrueReliability:
    def __init__(self, seed=0):
        pass

    def __call__(self, assembly):
        signal = assembly.mean("trial").var("presentation").mean() - NOISE**2 / 10
        return Estimate(value=float(signal / (signal + NOISE**2 / 10)), quantity="reliability")


def leave():
    raise SystemExit("bye")


def exits_when_asked():
    class Exits(Table):
        def __call__(self, stimuli, wanted):
            raise SystemExit("bye")

    return LayerCommitment(
        identifier="exits",
        extractor=Exits(features()),
        layers={ANY_TARGET: "layer"},
        modalities=frozenset({"text"}),
    )


def card(kind, identifier, factory, **fields):
    fields = {"summary": "s", "licence": "MIT"} | fields
    return kind(identifier=identifier, factory=f"{__name__}:{factory}", **fields)


BENCHMARK = BenchmarkCard(
    identifier="Toy.V4-toy_r",
    factory="corteval.benchmark:NeuralBenchmark",
    summary="s",
    licence="MIT",
    data=("Toy",),
    metric="toy_r",
    ceiling="toy_reliability",
    target="V4",
)


def perfect(gain=1.0):
    rng = np.random.default_rng(1)
    return subject(gain * features() @ rng.standard_normal((FEATURES, 5)), "perfect")


def nonsense():
    return 42


@pytest.fixture(autouse=True)
def toys():
    with (
        registry.data.temporary(card(DataCard, "Toy", "Data")),
        registry.metrics.temporary(
            card(MetricCard, "toy_r", "Correlation"),
            card(MetricCard, "toy_reliability", "TrueReliability", role="ceiling"),
        ),
        registry.benchmarks.temporary(BENCHMARK),
        registry.models.temporary(
            card(ModelCard, "perfect", "perfect"),
            card(ModelCard, "exits", "exits_when_asked"),
            card(ModelCard, "nonsense", "nonsense"),
        ),
    ):
        yield


def test_the_true_generator_scores_one():
    result = score("perfect", "Toy.V4-toy_r")
    assert result.status == "scored"
    assert result.value == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_the_true_generator_scores_one_on_average_over_data_sets():
    """Normalised by r^2/c with split-half reliability, as S8 of spec `statistics` asks."""
    internal_consistency = registry.metrics.create("internal_consistency", resamples=0)
    values = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        signal = rng.standard_normal((400, 20))
        trials = signal[:, :, None] + 1.5 * rng.standard_normal((400, 20, 10))
        assembly = neural(
            trials, [f"s{n}" for n in range(400)], {"neuroid_id": [f"n{n}" for n in range(20)]}
        )
        mean = trials.mean(axis=2)
        r = np.median([np.corrcoef(signal[:, n], mean[:, n])[0, 1] for n in range(20)])
        values.append(r**2 / internal_consistency(assembly).value)
    assert np.mean(values) == pytest.approx(1, abs=0.02)


def test_a_score_says_where_it_comes_from():
    result = corteval.score("PERFECT", "toy.v4-TOY_R", seed=3)
    assert (result.model, result.benchmark) == ("perfect", "Toy.V4-toy_r")
    assert set(result.provenance.digests) == {"stimuli", "assembly"}
    assert result.provenance.seed == 3
    assert {"python", "corteval", "numpy"} <= set(result.provenance.versions)
    assert result.provenance.seconds >= 0


def test_an_object_scores_without_any_registration():
    own = NeuralBenchmark(card=BENCHMARK)
    assert score(subject(features()[:, :5]), own).model == "subject"
    with pytest.raises(OptionError, match="its own seed"):
        score("perfect", own, seed=1)


def test_a_model_with_other_options_is_told_apart_and_its_options_are_kept():
    plain, changed = registry.models.create("perfect"), registry.models.create("perfect", gain=2.0)
    assert score(plain, "Toy.V4-toy_r").model == "perfect"
    result = score(changed, "Toy.V4-toy_r", seed=4)
    assert result.model == "perfect (modified)"
    assert result.provenance.options == {
        "models/perfect": "gain=2.0",
        "benchmarks/Toy.V4-toy_r": "seed=4",
    }
    assert result.provenance.cards == {
        "models/perfect": 1,
        "benchmarks/Toy.V4-toy_r": 1,
        "metrics/toy_r": 1,
        "metrics/toy_reliability": 1,
        "data/Toy": 1,
    }


def test_provenance_holds_versions_of_what_plugins_depend_on():
    result = score("pixels", "Marques2020.V1-preferred_orientation")
    assert {"corteval-controls", "pillow", "scipy", "pandas"} <= set(result.provenance.versions)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 300, 7])
def test_a_subject_whose_name_no_table_can_show_is_refused(name):
    with pytest.raises(OptionError, match="printable text"):
        score(subject(features(), identifier=name), NeuralBenchmark(card=BENCHMARK))


def test_a_subject_that_cannot_answer_is_not_applicable_and_never_asked():
    model = subject(features(), layers={"V1": "layer"})
    result = score(model, "Toy.V4-toy_r")
    assert result.status == "not-applicable"
    assert "a recording of V4" in result.reason
    assert model.extractor.calls == []


def test_data_without_reliability_are_undefined(monkeypatch):
    monkeypatch.setattr(
        TrueReliability, "__call__", lambda *_: Estimate(value=-0.1, quantity="reliability")
    )
    result = score("perfect", "Toy.V4-toy_r")
    assert result.status == "undefined"
    assert "not reliable enough" in result.reason


def test_a_factory_of_nonsense_is_refused():
    with pytest.raises(PluginError, match=r"nonsense is no model: it lacks .*respond"):
        score("nonsense", "Toy.V4-toy_r")


def test_one_failing_cell_does_not_stop_the_rest():
    results = list(score_all(["nonsense", "exits", "perfect"], ["Toy.V4-toy_r"]))
    assert [r.status for r in results] == ["failed", "failed", "scored"]
    assert [r.model for r in results] == ["nonsense", "exits", "perfect"]
    assert "SystemExit: bye (in " in results[1].reason
    assert "test_scoring.py, line" in results[1].reason


def test_observers_hear_start_finish_and_failure():
    heard = []

    class Listener:
        @hooks.hookimpl
        def corteval_score_started(self, event):
            heard.append(event)

        @hooks.hookimpl
        def corteval_score_finished(self, event):
            heard.append(event)

        @hooks.hookimpl
        def corteval_score_failed(self, event):
            heard.append(event)

    with hooks.observing(Listener()):
        list(score_all(["exits", "perfect"], ["Toy.V4-toy_r"]))
    assert [type(e).__name__ for e in heard] == [
        "ScoreStarted",
        "ScoreFailed",
        "ScoreStarted",
        "ScoreFinished",
    ]
    assert heard[-1].score.model == "perfect"


def test_responses_do_not_depend_on_how_the_extractor_blocks_them():
    one, many = subject(features()), subject(features())
    many.extractor.block = 120
    xr.testing.assert_identical(record(one, stimuli(), "V4"), record(many, stimuli(), "V4"))


def test_several_requests_are_one_pass_over_the_union_of_their_units():
    model = subject(features())
    first = Recording("V4", units=UnitFilter((OneOf("channel", (0, 2)),)))
    second = Recording("IT", units=UnitFilter((Between("channel", 2, 3),)))
    answers = model.respond(stimuli(), [first, second])
    assert model.extractor.calls == [{"layer": [0, 2, 3]}]
    np.testing.assert_array_equal(answers[first].values, features()[:, [0, 2]])
    np.testing.assert_array_equal(answers[second].values, features()[:, [2, 3]])


def test_a_static_model_answers_every_time_bin_alike():
    bins = (TimeBin(70, 120), TimeBin(120, 170))
    assembly = record(subject(features()), stimuli(), "V4", time_bins=bins)
    assert list(assembly["time_bin_start_ms"].values) == [70, 120]
    np.testing.assert_array_equal(assembly.values[:, :, 0], assembly.values[:, :, 1])


def test_what_a_subject_does_not_support_it_refuses():
    model = subject(features())
    assert not model.supports(Label(("a", "b")))
    with pytest.raises(UnsupportedRequest, match="the task Label"):
        perform(model, stimuli(), Label(("a", "b")))
    unknown = UnitFilter((Between("receptive_field_x_degrees", 0, 1),))
    assert not model.supports(Recording("V4", units=unknown))
    with pytest.raises(UnsupportedRequest, match="No unit of V4 meets"):
        record(model, stimuli(), "V4", units=UnitFilter((OneOf("channel", (99,)),)))


def test_stimuli_of_another_modality_are_refused():
    images = StimulusSet(
        identifier="i",
        modality="image",
        table=pd.DataFrame(index=pd.Index(["s0"], name="stimulus_id")),
        images=lambda _: np.zeros((4, 4), np.uint8),
    )
    with pytest.raises(UnsupportedRequest, match="takes text, not image"):
        record(subject(features()), images, "V4")


def test_an_extractor_that_skips_stimuli_is_caught():
    model = subject(features())
    model.extractor.values = features()[:100]
    model.extractor.__class__ = type(
        "Short",
        (Table,),
        {"__call__": lambda self, s, w: Table.__call__(self, s.select(s.stimulus_ids[:100]), w)},
    )
    with pytest.raises(AssemblyError, match="answered 100 of 120"):
        record(model, stimuli(), "V4")


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        (lambda w: ["responses"], "yields str; it must yield"),
        (lambda w: [{"other": np.zeros((1, 6))}], "yields other; it must yield"),
        (lambda w: [{"layer": np.zeros((1, 99))}], r"yields \(1, 99\) for layer 'layer'; 6 units"),
        (lambda w: [{"layer": np.zeros((500, 6))}], "at most 120 stimuli"),
        (lambda w: [{"layer": np.zeros((0, 6))}], r"yields \(0, 6\)"),
    ],
)
def test_an_extractor_that_yields_something_else_is_told_what_was_asked(blocks, message):
    class Odd(Table):
        def __call__(self, stimuli, wanted):
            yield from blocks(wanted)

    model = LayerCommitment(
        identifier="odd",
        extractor=Odd(features()),
        layers={ANY_TARGET: "layer"},
        modalities=frozenset({"text"}),
    )
    with pytest.raises(AssemblyError, match=message):
        record(model, stimuli(), "V4")


def test_units_without_ids_are_refused():
    class Nameless(Table):
        def units(self, layer):
            return {"channel": np.arange(3)}

    model = LayerCommitment(
        identifier="nameless",
        extractor=Nameless(features()),
        layers={ANY_TARGET: "layer"},
        modalities=frozenset({"text"}),
    )
    with pytest.raises(AssemblyError, match="must give 'neuroid_id'"):
        record(model, stimuli(), "V4")


def test_a_subject_of_any_kind_is_shown_no_labels():
    seen = []

    class Nosy:
        identifier, modalities, visual_degrees = "nosy", frozenset({"text"}), None

        def supports(self, request):
            return True

        def respond(self, stimuli, requests):
            seen.append(list(stimuli.table.columns))
            return subject(features()).respond(stimuli, requests)

        def perturbed(self, *perturbations):
            return self

    labelled = stimuli()
    labelled.table["label"] = "cat"
    record(Nosy(), labelled, "V4")
    assert seen == [["text"]]


def test_a_benchmark_that_returns_no_score_is_named():
    class Odd:
        card = BENCHMARK

        def requests(self):
            return (Recording("V4"),)

        def ceiling(self):
            return Estimate(value=1.0)

        def __call__(self, model):
            return 0.5

    with pytest.raises(PluginError, match="returned a float"):
        score("perfect", Odd())


def test_cards_give_time_bins_as_pairs_and_unknown_options_are_named():
    timed = registry.benchmarks.create("Toy.V4-toy_r", time_bins=((70, 170),))
    assert timed.requests() == (Recording("V4", (TimeBin(70, 170),)),)
    with pytest.raises(OptionError, match="trials"):
        registry.benchmarks.create("Toy.V4-toy_r", trails=3)


def test_a_perturbed_subject_is_new_and_changes_its_target_only():
    model = subject(features())
    silenced = model.perturbed(ablation("V4", UnitFilter((OneOf("channel", (1,)),))))
    assert silenced.identifier == "subject+ablation"
    assert (record(silenced, stimuli(), "V4").values[:, 1] == 0).all()
    np.testing.assert_array_equal(record(silenced, stimuli(), "IT").values, features())
    np.testing.assert_array_equal(record(model, stimuli(), "V4").values, features())


def test_requests_are_keys_and_json():
    request = Recording("V1", (TimeBin(70, 170),), units=UnitFilter((OneOf("channel", (1, 2)),)))
    assert request == Recording(
        "V1", (TimeBin(70, 170),), units=UnitFilter((OneOf("channel", (1, 2)),))
    )
    assert as_json(request) == {
        "kind": "Recording",
        "target": "V1",
        "time_bins": [{"kind": "TimeBin", "start_ms": 70, "end_ms": 170}],
        "technique": "any",
        "trials": 1,
        "units": {
            "kind": "UnitFilter",
            "conditions": [{"kind": "OneOf", "coordinate": "channel", "values": [1, 2]}],
        },
    }
    task = Probabilities(fit=stimuli(3))
    assert as_json(task) == {"kind": "Probabilities", "fit": stimuli(3).digest()}
    assert {task: 1}[Probabilities(fit=stimuli(3))] == 1


def test_impossible_requests_are_refused():
    with pytest.raises(OptionError, match="does not end after it starts"):
        TimeBin(100, 100)
    with pytest.raises(OptionError, match="at least one trial"):
        Recording("V1", trials=0)
    with pytest.raises(OptionError, match="no value lies between"):
        Between("x", 2, 1)
