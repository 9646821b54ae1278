from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import corteval
from corteval import hooks, registry
from corteval.assembly import neural
from corteval.benchmark import NO_CEILING, NeuralBenchmark
from corteval.cards import BenchmarkCard, DataCard, MetricCard, ModelCard
from corteval.cli import main
from corteval.errors import (
    AssemblyError,
    OptionError,
    PluginError,
    UndefinedScore,
    UnsupportedRequest,
)
from corteval.intervals import Replicates, interval_of
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
from corteval.stats.paired import compare
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
    """Neurons that are a linear function of `features()`, with noise; perhaps some of them."""

    def __init__(self, kept=None):
        self.kept = [0, 1, 2, 3, 4] if kept is None else kept

    def stimuli(self):
        return stimuli()

    def assembly(self):
        rng = np.random.default_rng(1)
        signal = features() @ rng.standard_normal((FEATURES, 5)) / np.sqrt(FEATURES)
        trials = signal[:, :, None] + NOISE * rng.standard_normal((*signal.shape, 10))
        units = {"neuroid_id": list("abcde"), "region": ["V4", "IT", "V4", "IT", "IT"]}
        assembly = neural(trials, stimuli().stimulus_ids, units)
        return assembly.isel(neuroid=self.kept)


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


class Resampled:
    """`Correlation`, with bootstrap replicates over stimuli."""

    def __init__(self, seed=0, resamples=300):
        self.seed, self.resamples = seed, resamples

    def __call__(self, source, target):
        value = Correlation()(source, target).raw.value
        rows = np.random.default_rng(self.seed).integers(0, len(target), (self.resamples, 120))
        values = [Correlation()(source[r], target[r]).raw.value for r in rows]
        found = Replicates(scope="stimuli", sizes=(120,), values=tuple(values), seed=self.seed)
        raw = Estimate(
            value=value, quantity="correlation", replicates=(found,) if self.resamples else ()
        )
        return Score(value=value, raw=raw)


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


NO_CEILING_CARD = replace(
    BENCHMARK, identifier="Toy.V4-toy_resampled", metric="toy_resampled", ceiling=None
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
            card(MetricCard, "toy_resampled", "Resampled"),
            card(MetricCard, "toy_reliability", "TrueReliability", role="ceiling"),
        ),
        registry.benchmarks.temporary(BENCHMARK, NO_CEILING_CARD),
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


# Some of the neuroids


def generator_of(kept):
    """The subject whose units are the signals of some neurons of `Data`."""
    rng = np.random.default_rng(1)
    return subject((features() @ rng.standard_normal((FEATURES, 5)))[:, kept], "perfect")


@pytest.mark.parametrize(("region", "kept"), [("IT", [1, 3, 4]), ("V4", [0, 2])])
def test_a_benchmark_of_some_neuroids_is_that_of_data_that_hold_these_only(region, kept):
    model = generator_of(kept)
    some = score(model, NeuralBenchmark(card=BENCHMARK, neuroids={"region": region}))
    only = card(DataCard, "Only", "Data", options={"kept": kept})
    with registry.data.temporary(only):
        whole = score(model, NeuralBenchmark(card=replace(BENCHMARK, data=("Only",))))
    assert some.status == "scored"
    assert replace(some, provenance=None) == replace(whole, provenance=None)
    assert some.provenance.digests == whole.provenance.digests
    full = NeuralBenchmark(card=BENCHMARK)
    assert some.ceiling != full.ceiling()
    assert full.ideal_responses(0).sizes["neuroid"] == 5


def test_a_card_may_name_the_neuroids_and_several_conditions_hold_together():
    region = replace(BENCHMARK, identifier="Toy.IT-toy_r", options={"neuroids": {"region": "IT"}})
    with registry.benchmarks.temporary(region):
        named = registry.benchmarks.create("Toy.IT-toy_r")
    assert list(named.ideal_responses(0)["neuroid_id"].values) == ["b", "d", "e"]
    one = NeuralBenchmark(card=BENCHMARK, neuroids={"region": "IT", "neuroid_id": "d"})
    assert list(one.ideal_responses(0)["neuroid_id"].values) == ["d"]


def test_a_value_that_no_neuroid_has_is_an_error_that_names_what_there_is():
    (result,) = score_all(["perfect"], [NeuralBenchmark(card=BENCHMARK, neuroids={"region": "V1"})])
    assert result.status == "failed"
    assert result.reason == "No neuroid has region 'V1'; they have IT, V4."


# Data without a ceiling


def test_without_a_ceiling_the_raw_score_is_the_score_and_a_note_says_so():
    result = score("perfect", "Toy.V4-toy_resampled")
    target = Data().assembly().mean("trial")
    by_hand = np.mean([np.corrcoef(perfect().extractor.values[:, n], target[:, n])[0, 1]
                       for n in range(5)])  # fmt: skip
    assert result.status == "scored"
    assert result.value == result.raw.value == pytest.approx(by_hand)
    assert (result.normalization, result.ceiling) == ("", None)
    assert f"not normalised: {NO_CEILING}" in result.notes
    assert "the interval does not generalise to new subjects" in result.notes
    assert result.interval == interval_of(result.raw.value, result.raw.replicates)
    assert result.interval.low < result.value < result.interval.high
    assert result.summary()["normalization"] is None


def test_without_a_ceiling_there_is_no_estimate_of_one():
    with pytest.raises(UndefinedScore, match=rf"Toy\.V4-toy_resampled: {NO_CEILING}"):
        registry.benchmarks.create("Toy.V4-toy_resampled").ceiling()


def test_without_a_ceiling_and_without_replicates_a_note_says_that_there_is_no_interval():
    bare = NeuralBenchmark(card=NO_CEILING_CARD, metric_options={"resamples": 0})
    result = score("perfect", bare)
    assert result.interval is None
    assert any(note.startswith("no interval: ") for note in result.notes)


def test_a_score_without_a_ceiling_survives_json():
    result = score("perfect", "Toy.V4-toy_resampled")
    again = Score.from_json(result.to_json())
    assert again == result
    assert (again.ceiling, again.normalization) == (None, "")
    assert "(raw)" in repr(result)


def test_the_table_has_no_ceiling_where_there_is_none(capsys):
    assert main(["score", "perfect", "Toy.V4-toy_resampled"]) == 0
    out, err = capsys.readouterr()
    cells = out.splitlines()[1].split()
    assert cells[:3] == ["perfect", "Toy.V4-toy_resampled", cells[-4]]  # the score is the raw one
    assert cells[-3:] == ["-", "-", "scored"]  # ceiling, normalisation, status
    assert f"not normalised: {NO_CEILING}" in err


def test_scores_without_a_ceiling_are_compared_by_their_raw_replicates():
    noisy = subject(perfect().extractor.values + 2 * features(3)[:, :5], "noisy")
    first, second = (score(model, "Toy.V4-toy_resampled") for model in ("perfect", noisy))
    result = compare(first, second)
    assert result.difference == pytest.approx(first.raw.value - second.raw.value)
    ours, theirs = (np.array(s.raw.replicates[0].values) for s in (first, second))
    low, high = np.quantile(ours - theirs, [0.025, 0.975])
    assert result.interval.low == pytest.approx(low, abs=0.02)
    assert result.interval.high == pytest.approx(high, abs=0.02)
    assert result.p_value == pytest.approx(2 / 301)
    normalised = replace(first, ceiling=Estimate(value=1.0), normalization="r/c")
    with pytest.raises(OptionError, match="One score is normalised"):
        compare(first, normalised)
